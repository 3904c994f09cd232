"""Every error that this package raises: one root, few children, each with the facts that mend it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from astra_outputs.printable import printable, printable_lines

SHORT = 60
"""A value printed in an error is cut to this many characters."""


def shorten(value: object) -> str:
    """Print a value for an error message, cut to `SHORT` characters; one that cannot be printed is named by its type."""
    try:
        text = repr(value[:SHORT] if isinstance(value, str | bytes) else value)
    except Exception:  # noqa: BLE001 (a number of more digits than Python prints, or somebody's own object)
        text = f"<{type(value).__name__}>"
    return text if len(text) <= SHORT else f"{text[: SHORT - 3]}..."


class AstraOutputsError(Exception):
    """Root of all errors of this package; what a message quotes of others, a terminal may print."""

    def __str__(self) -> str:
        return printable_lines(super().__str__())


@dataclass(frozen=True)
class Problem:
    """One value that a record refuses: which column, what was given, and why not.

    `row` is its place in a table, counted from 0; the value is `...` where it is the name alone that is refused.
    """

    column: str
    value: Any
    reason: str
    row: int | None = None

    def __str__(self) -> str:
        where = "" if self.row is None else f" in row {self.row}"
        given = "" if self.value is ... else f" = {shorten(self.value)}"
        return printable_lines(f"{self.column}{given}{where}: {self.reason}")


class InvalidRecord(AstraOutputsError, ValueError):
    """A value that the table could not hold, or would hold as something else.

    Attributes
    ----------
    table : str
        The table whose record refused the values.
    problems : tuple[Problem, ...]
        One entry for each refused column; for a table, the first of the refused values.
    more : int
        How many values of a table were refused besides.
    """

    def __init__(self, table: str, problems: tuple[Problem, ...], more: int = 0) -> None:
        super().__init__(table, problems, more)
        self.table = table
        self.problems = problems
        self.more = more

    def __str__(self) -> str:
        lines = [f"{self.table}.{problem}" for problem in self.problems]
        if len(lines) + self.more == 1:
            return lines[0]
        rest = [f"and {self.more:,} more"] if self.more else []
        return "\n  ".join([f"{len(lines) + self.more:,} problems", *lines, *rest])


class UnknownColumn(InvalidRecord):
    """A name that the table does not have; the nearest one is suggested."""


class UnknownCarton(AstraOutputsError, LookupError):
    """A name that no carton of the survey's targeting has."""


class AmbiguousFlag(InvalidRecord):
    """A flag name that occurs in several columns; the qualified spellings are offered."""


class KeyMismatch(InvalidRecord):
    """A key that disagrees with the spectrum that the result was made from."""


class ReadOnlyColumn(InvalidRecord):
    """A column that belongs to the database and cannot be assigned."""


class InvalidCondition(AstraOutputsError, ValueError):
    """A condition, or another part of a question, that is not what may be asked."""


class Misused(AstraOutputsError, TypeError):
    """A repository that was entered as the other kind is: `with` for `open`, `async with` for `connect`."""


class NotRead(AstraOutputsError, LookupError):
    """A spectrum's source, or a result's spectrum, that the question for it did not ask for."""


class MissingVersion(AstraOutputsError, ValueError):
    """No `v_astra` was given and none is configured."""


class WrongRecordClass(AstraOutputsError, TypeError):
    """Something that is not a record of the class that is being written or read."""


class DuplicateKey(AstraOutputsError, ValueError):
    """The same key twice in one call: one of the two results would be lost.

    Attributes
    ----------
    table : str
    key : dict[str, Any]
        The key that occurs twice.
    positions : tuple[int or range, ...]
        Where it occurs, counted from 0 in the order given; a range where only the batch is known.
    """

    def __init__(self, table: str, key: dict[str, Any], positions: tuple[int | range, ...]) -> None:
        super().__init__(table, key, positions)
        self.table, self.key, self.positions = table, key, positions

    def __str__(self) -> str:
        key = printable(", ".join(f"{name} = {value}" for name, value in self.key.items()))
        places = " and ".join(map(_place, self.positions))
        return (
            f"{self.table}: records {places} have the same key ({key}); "
            'remove one, or pass duplicates="last" to keep the last'
        )


def _place(position: int | range) -> str:
    if isinstance(position, int) or len(position) == 1:
        return str(position if isinstance(position, int) else position[0])
    return f"(one of {position[0]} to {position[-1]})"


class DatabaseError(AstraOutputsError):
    """The database could not do what was asked.

    Attributes
    ----------
    sqlstate : str or None
        PostgreSQL's five-character error code, where the server gave one.
    table, constraint : str or None
        What the server named, where it did.
    """

    def __init__(
        self,
        message: str,
        *,
        sqlstate: str | None = None,
        table: str | None = None,
        constraint: str | None = None,
    ) -> None:
        super().__init__(message)
        self.sqlstate, self.table, self.constraint = sqlstate, table, constraint


class CannotConnect(DatabaseError):
    """No server answers, or it does not let this user in."""


class ConnectionLost(DatabaseError):
    """The server or the network went away in the middle of the work."""


class MaybeStored(ConnectionLost):
    """The answer to COMMIT was lost: all of the transaction is stored, or nothing of it. Saving again does no harm."""


class SchemaMismatch(DatabaseError):
    """The database lacks a schema, table or column that is about to be written."""


class PermissionDenied(DatabaseError):
    """The user may not do this: a right is missing."""


class UnknownReference(DatabaseError):
    """A key that points to a source or spectrum that is not stored."""


class VersionFrozen(DatabaseError):
    """A result of a version that was published: its rows stay as they are. `constraint` names version and release."""


class InvalidName(AstraOutputsError, ValueError):
    """A name of a schema, table or column that PostgreSQL would cut or cannot hold."""


class InvalidColumn(AstraOutputsError, TypeError):
    """Something in a record class that is no column; the error says how one is written."""

    def __init__(self, class_name: str, name: str, kind: str = "Real") -> None:
        super().__init__(class_name, name, kind)
        self.class_name, self.name, self.kind = class_name, name, kind

    def __str__(self) -> str:
        return (
            f"{self.class_name}.{self.name} is not a column: write it as "
            f'`{self.name}: {self.kind} = column(unit="K", description="...")`, with a type of astra_outputs '
            "(Real, Integer, Text, ...)"
        )


class NotHere(AstraOutputsError, AttributeError):
    """What records of other libraries can do; the error says how it is written here."""


class Closed(AstraOutputsError):
    """The repository was used before it was entered or after it was left."""


class OtherEventLoop(AstraOutputsError, RuntimeError):
    """The repository belongs to another event loop; each needs one of its own."""


class NoConnectionLeft(AstraOutputsError, RuntimeError):
    """Work inside a transaction wants a connection, and transactions hold all: it would wait for itself."""


class MissingFile(AstraOutputsError, FileNotFoundError):
    """A file that belongs to a table or to the package is not where it should be."""


class FileExists(AstraOutputsError, FileExistsError):
    """A file that would be written over."""


class CannotWrite(AstraOutputsError, OSError):
    """A file that cannot be written: the disk is full, or the folder is not there or not yours."""


class NoRows(AstraOutputsError, LookupError):
    """A file that would have no row: no result meets the condition, or none is of the version."""


class InvalidFile(AstraOutputsError, ValueError):
    """A file that cannot be as it is wanted: an unknown ending, or more columns than its format takes."""


class InvalidPlan(AstraOutputsError, ValueError):
    """Numbers of which no survey can be planned, or a table that was not measured."""


class InvalidPicture(AstraOutputsError, ValueError):
    """A picture that cannot be drawn: an unknown kind or style, or a quantity without any number."""


class InvalidSQL(AstraOutputsError, ValueError):
    """A SQL file that cannot be read; the message gives file and line."""


class CannotImport(AstraOutputsError, ImportError):
    """A module with record classes that does not exist or does not run."""


class MissingExtra(AstraOutputsError, ImportError):
    """A library that only some of this package needs, and that an extra installs, is not there."""


class CannotStart(AstraOutputsError):
    """The embedded PostgreSQL did not start."""


class SpoolFull(AstraOutputsError):
    """The spool has no room for more results."""


class UntrustedSpool(AstraOutputsError):
    """A spool, or a file of it, that belongs to another user or can be written by others."""


class CorruptSpoolFile(AstraOutputsError):
    """A spool file of which a byte is missing or changed."""


class OtherRecordClass(AstraOutputsError):
    """A whole spool file whose record class is unknown, or has other columns than it had."""


class PipelineFailed(AstraOutputsError):
    """A pipeline raised an exception.

    Attributes
    ----------
    spectrum_pk : int or None
        The spectrum that it was working on, where that is known.
    """

    def __init__(self, message: str, spectrum_pk: int | None = None) -> None:
        super().__init__(message)
        self.spectrum_pk = spectrum_pk


class InvalidMapping(AstraOutputsError, ValueError):
    """A mapping of a file's columns that the tables do not fit."""


class UnreadableFile(AstraOutputsError):
    """A catalogue file that is not there, is damaged, or is of an unknown kind."""
