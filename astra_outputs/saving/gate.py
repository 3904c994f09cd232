"""Refuse a database that cannot take what is about to be written."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar

from astra_outputs.catalog import differences_with_database
from astra_outputs.errors import DatabaseError, SchemaMismatch
from astra_outputs.model.record import Record
from astra_outputs.postgres import schema_version
from astra_outputs.postgres.database import Connection, Database
from astra_outputs.postgres.sql import qualified, templates
from astra_outputs.postgres.sqlstates import NOT_SUPPORTED
from astra_outputs.saving.expressions import SOURCE_OF_SPECTRUM
from astra_outputs.saving.left_out import LeftOut
from astra_outputs.saving.traits import PLAIN_TABLE, Traits

T = TypeVar("T")


class Gate:
    """Compares each record class with its table once, before the first row is written."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._passed: dict[type[Record], Traits] = {}

    async def open(self) -> None:
        """Refuse a database without the schema, or with one that needs an upgrade first.

        Raises
        ------
        SchemaMismatch
            If the schema does not exist or is too old; the message says what to apply.
        """
        database = self._database
        await database.run(
            lambda connection: schema_version.check(connection, database.schema, database.where)
        )

    async def check(self, record_class: type[Record], database: Database | None = None) -> Traits:
        """Refuse a record class whose table the database lacks or has otherwise; returns what it is like.

        Raises
        ------
        SchemaMismatch
            If the table, a column or its key is missing or of another type.
        """
        if record_class not in self._passed:
            self._passed[record_class] = await (database or self._database).run(
                lambda connection: self._compare(connection, record_class), where=record_class.table
            )
        return self._passed[record_class]

    async def store(
        self,
        record_class: type[Record],
        work: Callable[[Traits], Awaitable[T]],
        database: Database | None = None,
    ) -> T:
        """Store something by what the table is like; again where it was altered, or partitioned, since that was asked.

        Raises
        ------
        SchemaMismatch
            As `check`.
        """
        traits = await self.check(record_class, database)
        while True:
            try:
                return await work(traits)
            except DatabaseError as error:
                # The server has no system columns to give: schema/add-ons/partitions.sql exchanged the tables.
                exchanged = error.sqlstate == NOT_SUPPORTED and not traits.spread
                if not (exchanged or isinstance(error, LeftOut)):
                    raise
                self._passed.pop(record_class, None)
                if exchanged and (database or self._database).borrowed:  # whose transaction is lost
                    raise
                before, traits = traits, await self.check(record_class, database)
                if traits == before:
                    raise

    async def _compare(self, connection: Connection, record_class: type[Record]) -> Traits:
        # First: what is altered while it is compared is noticed when rows are sent.
        traits = await traits_of(connection, self._database.schema, record_class.table)
        differences = await differences_with_database(
            connection, self._database.schema, [record_class], for_writing=True
        )
        if differences:
            from astra_outputs.catalog import remedy

            words = remedy.in_words(differences, record_class, self._database.schema)
            raise SchemaMismatch(
                f"{self._database.where} cannot store a {record_class.__name__}:\n{words}\n"
                "run `astra-outputs check` to see all differences",
                table=record_class.table,
            )
        return traits


async def traits_of(connection: Connection, schema: str, table: str) -> Traits:
    """Ask what a table is like: plain, partitioned, or distributed over several servers; of none nothing is said.

    Raises
    ------
    SchemaMismatch
        If Citus distributes the others, but not this one: neither could be joined to them. Or if the add-on that
        distributed it was an older one.
    """
    relation = qualified(schema, table)
    spectra = qualified(schema, "spectrum")
    known = await connection.fetchrow(templates("gate")["traits"].text, relation, spectra)
    if known is None:
        return PLAIN_TABLE
    kept = None
    if known["citus"]:
        source = f"{qualified(schema, SOURCE_OF_SPECTRUM)}(bigint, bigint)"
        (found,) = await connection.fetch(templates("gate")["distributed"].text, relation, spectra, source)
        lacks = ""
        if found["spectra"] and not found["this"]:
            lacks = "the other tables are distributed by Citus, and this one is not"
        elif found["this"] and known["sources"] and not found["finds_sources"]:
            lacks = f"it is distributed by Citus, and there is no function {source}"
        if lacks:
            mend = "apply schema/add-ons/citus.sql again, as always when a table or a release was added"
            raise SchemaMismatch(f"{table}: {lacks}; {mend}", table=table)
        kept = found["this"]
    return Traits(
        spread=known["partitioned"] or kept is not None,
        distributed=kept == "h",
        may_drop_rows=known["row_triggers"],
        sources=known["sources"],
        file=None if kept else known["file"],
    )
