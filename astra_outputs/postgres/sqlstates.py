"""What PostgreSQL's errors mean here: every SQLSTATE that is decided on, and every question asked of one."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

import asyncpg

from astra_outputs.errors import (
    AstraOutputsError,
    CannotConnect,
    ConnectionLost,
    DatabaseError,
    InvalidRecord,
    PermissionDenied,
    SchemaMismatch,
    UnknownReference,
    VersionFrozen,
)
from astra_outputs.names import Frozen

READ_ONLY = "25006"
"""SQLSTATE of a server that only reads: a failover has not finished."""

PROTOCOL_VIOLATION = "08P01"
"""By which poolers refuse settings of a connection, among other things."""

NOT_SUPPORTED = "0A000"
"""The server cannot do this with such a table."""

NO_SCHEMA, NO_TABLE = "3F000", "42P01"
"""There is no schema, or no table, of that name."""

NOT_NULL = "23502"
"""A column that must have a value has none."""

CHECK_VIOLATION = "23514"
"""A row breaks a check of its table."""

OUTSIDE_TRANSACTION = "25P01"
"""A cursor where no transaction is open."""

CLAIMED_ALREADY = "23505"
"""Another row has this key, or identifier."""

NO_NUMBER = "22P02"
"""A text that is no number: what the statement that stores a result makes of a source that is not its spectrum's."""

TRANSIENT = frozenset(
    {
        "25P03",  # idle in transaction for too long: this process was suspended
        "40001",  # serialization failure
        "40P01",  # deadlock
        "53300",  # too many connections
        "57P01",  # the server is shutting down
        "57P02",  # the server crashed
        "57P03",  # the server is starting up
        "57P05",  # idle for too long: the server closed the connection
        READ_ONLY,
    }
)
"""SQLSTATEs after which the same transaction may succeed; class 08, a lost connection, as well."""

PASSING = ("08", "25", "40", "53", "55P03", "57", "58")
"""SQLSTATEs, or their beginnings, of a server that is away, busy or out of room: mended by others."""

ABOUT_ROWS = ("21", "22", "23", "54", "P0001")
"""Beginnings of SQLSTATEs that say that a row is at fault: data, integrity, size, a trigger's `raise`."""

ABOUT_CONDITION = ("22", "42804", "42883", "42725", "42P18")
"""SQLSTATEs, or their beginnings, that blame the condition of a search: an operator that is not there for such
types, a number divided by zero, a parameter whose type nobody knows."""

POOLED = (
    "through a pooler open your own connection with statement_cache_size=0, and give `connect` no other size"
)

MEANINGS: dict[str, tuple[type[DatabaseError], str]] = {
    "23503": (UnknownReference, "save the source or spectrum first"),
    "26000": (DatabaseError, POOLED),
    "28000": (CannotConnect, "check the user, the password and the server's pg_hba.conf"),
    "28P01": (CannotConnect, "check the user and the password"),
    "3D000": (CannotConnect, "create the database, or name another one"),
    NO_SCHEMA: (SchemaMismatch, "apply schema/install.sql, or name another schema"),
    "42501": (PermissionDenied, "ask a DBA for the writer, loader or reader role (schema/add-ons/roles.sql)"),
    "428C9": (SchemaMismatch, "run `astra-outputs check` to see what differs"),
    "42703": (SchemaMismatch, "run `astra-outputs check` to see what differs"),
    "42P05": (DatabaseError, POOLED),
    "42P10": (SchemaMismatch, "run `astra-outputs check` to see what differs"),
    NO_TABLE: (SchemaMismatch, "apply the SQL file of the table (schema/install.sql)"),
    "53300": (CannotConnect, "the server has no connection left: use fewer workers or a pooler"),
}
"""What a SQLSTATE means here, and how to mend it."""

TAKEN = (
    "another spectrum has this number: leave spectrum_pk out; where rows with numbers of their own were copied "
    "in, put the sequence behind them: select setval('spectrum_pk_seq', (select max(pk) from spectrum))"
)
"""How to mend a spectrum_pk that is in use."""


CLAIMED = (
    "another stored source has this identifier: save the star with all identifiers that it has, and it is recognised; "
    "if it is another star, leave the identifier out that is wrong"
)
"""How to mend an identifier of a source that is in use."""


SHARD_NUMBER = re.compile(r"_\d{6,}$")
"""What Citus adds to the names of a shard's table and constraints."""


def is_transient(error: BaseException) -> bool:
    """Tell whether the transaction that failed may succeed when run again."""
    if isinstance(error, DatabaseError):
        return error.__cause__ is not None and is_transient(error.__cause__)
    if isinstance(error, asyncpg.PostgresError):
        sqlstate = error.sqlstate or ""
        return sqlstate in TRANSIENT or sqlstate.startswith("08")
    return isinstance(error, OSError | asyncpg.TargetServerAttributeNotMatched)


def asks_to_wait(error: BaseException) -> bool:
    """Tell whether a server that answered will let us in later; one that does not answer is an error."""
    return isinstance(error, asyncpg.PostgresError) and is_transient(error)


def is_passing(error: BaseException) -> bool:
    """Tell whether the database may take the same records later without anything being changed here."""
    if isinstance(error, ConnectionLost | OSError):
        return True
    return isinstance(error, DatabaseError) and (error.sqlstate or "").startswith(PASSING)


def is_about_rows(error: AstraOutputsError) -> bool:
    """Tell whether some row is at fault, so that the others can still be stored."""
    if isinstance(error, DatabaseError):
        # The driver itself refuses a value that the type cannot hold, without asking the server.
        unsendable = isinstance(error.__cause__, asyncpg.exceptions.DataError)
        return unsendable or (error.sqlstate or "").startswith(ABOUT_ROWS)
    return isinstance(error, InvalidRecord)


def is_claimed(error: AstraOutputsError) -> bool:
    """Tell whether another row has a key or identifier that a row brings."""
    return isinstance(error, DatabaseError) and error.sqlstate == CLAIMED_ALREADY


def is_other_source(error: AstraOutputsError) -> bool:
    """Tell whether a result may have been refused for a source that is not its spectrum's."""
    return isinstance(error, DatabaseError) and error.sqlstate == NO_NUMBER


def is_about_columns(error: AstraOutputsError) -> bool:
    """Tell whether the row may be at fault for lack of a column that its class does not know."""
    return isinstance(error, DatabaseError) and error.sqlstate == NOT_NULL


def is_about_condition(error: DatabaseError) -> bool:
    """Tell whether the condition of a search is at fault, or a value that it compares with."""
    unsendable = isinstance(error.__cause__, asyncpg.exceptions.DataError)
    return unsendable or (error.sqlstate or "").startswith(ABOUT_CONDITION)


def frozen_by(error: BaseException) -> Frozen | None:
    """Return the published version that an error is about, if it is about one."""
    if not isinstance(error, VersionFrozen):
        return None
    return Frozen.named(error.constraint or "")


@contextmanager
def translated(where: str) -> Iterator[None]:
    """Raise the driver's errors as ours; `where` names the server or table in the message."""
    try:
        yield
    except asyncpg.PostgresError as error:
        raise meaning(error, where) from error
    except OSError as error:
        silent = "the server gives no answer" if isinstance(error, TimeoutError) else type(error).__name__
        reason = error.strerror or str(error) or silent
        raise ConnectionLost(f"{where}: {reason}") from error
    except asyncpg.InterfaceError as error:
        raise DatabaseError(f"{where}: {error}") from error


def meaning(error: asyncpg.PostgresError, where: str) -> DatabaseError:
    """Return the driver's error as ours: what it is about, and how to mend it."""
    sqlstate = error.sqlstate or ""
    kind, mend = MEANINGS.get(sqlstate, (DatabaseError, ""))
    table, constraint = _names(error)
    frozen = Frozen.named(constraint or "") if sqlstate == CHECK_VIOLATION else None
    if frozen is not None:
        return VersionFrozen(
            f"{where}: {frozen.sentence}; give results another v_astra",
            sqlstate=sqlstate,
            table=frozen.table,
            constraint=frozen.constraint,
        )
    if (constraint or "").endswith(("spectrum_pkey", "_spectrum_key")):
        mend = TAKEN
    if sqlstate == CLAIMED_ALREADY and table == "source":
        mend = CLAIMED
    if sqlstate.startswith(("08", "57P")):
        kind, mend = ConnectionLost, "try again when the server is back"
    facts = [getattr(error, "message", None) or str(error), getattr(error, "detail", None)]
    message = f"{where}: " + "; ".join(fact for fact in (*facts, mend) if fact)
    return kind(
        message,
        sqlstate=sqlstate,
        table=table,
        constraint=constraint,
    )


def _names(error: asyncpg.PostgresError) -> tuple[str | None, str | None]:
    """Return the table and the constraint that an error names; of a shard those of the table that it is a part of.

    A shard on another server than the coordinator's is not named at all.
    """
    table, constraint = getattr(error, "table_name", None), getattr(error, "constraint_name", None)
    number = SHARD_NUMBER.search(table or "")
    if table and constraint and number and constraint.endswith(number[0]):
        return table.removesuffix(number[0]), constraint.removesuffix(number[0])
    return table, constraint
