"""The whole adoption: both schemas are looked at first, then the tables are copied, one that others refer to before them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from astra_outputs.adopt.aside import Aside
from astra_outputs.adopt.copying import Copying
from astra_outputs.adopt.ours import BEYOND_32_BITS, Ours
from astra_outputs.adopt.report import AdoptionReport, Taken
from astra_outputs.adopt.theirs import NAIVE, Theirs
from astra_outputs.amend.existing import recognised
from astra_outputs.amend.schema import check_zone
from astra_outputs.amend.wanted import FORMER_NAMES
from astra_outputs.catalog import differences_with_database
from astra_outputs.catalog.remedy import in_words
from astra_outputs.catalog.times import times_out_of_order
from astra_outputs.errors import DatabaseError, PermissionDenied, SchemaMismatch
from astra_outputs.model.record import Record
from astra_outputs.postgres import schema_version
from astra_outputs.postgres.database import Connection, Database
from astra_outputs.postgres.frozen import frozen_versions
from astra_outputs.postgres.sql import qualified, templates
from astra_outputs.postgres.sqlstates import translated

_LOCK = 5_317_209_464_110_858
"""Two adoptions into one database would only get in each other's way."""


@dataclass(frozen=True)
class Adoption:
    """What is to be adopted.

    Attributes
    ----------
    record_classes : sequence of type[Record]
        Their tables, where the schema has them.
    zone : str or None
        In which zone times were written that have none.
    batch_size : int
        Rows that are stored at once.
    """

    record_classes: Sequence[type[Record]]
    zone: str | None = None
    batch_size: int = 1000


async def adopt(
    source: Database,
    target: Database,
    adoption: Adoption,
    aside: Aside,
    progress: Callable[[AdoptionReport], None] = lambda _: None,
) -> AdoptionReport:
    """Copy the rows of a schema of upstream Astra's into tables of ours, with their numbers and times.

    Each batch is compared with what is here, stored where it differs, and compared again. It may end anywhere, and be
    started again; run it once more for what was written there meanwhile.

    Parameters
    ----------
    source, target : Database
        Both opened; they may be the same database, with different schemas.
    adoption : Adoption
    aside : Aside
        Where rows are kept that are refused.
    progress : Callable
        Called after each batch.

    Raises
    ------
    SchemaMismatch
        If the source is neither Astra's nor ours, the target is not as the record classes say, or times have no zone.
    PermissionDenied
        If a right is missing, before a row is stored.
    DatabaseError
        If the target is behind a pooler, or another adoption into it is under way.
    """
    if not target.direct:
        raise DatabaseError(
            f"{target.where} is behind a pooler, which an adoption does not go through: name the server itself"
        )
    async with source.acquire() as there, target.acquire() as here:
        with translated(target.where):
            await schema_version.check(here, target.schema, target.where)
            if not await here.fetchval("select pg_try_advisory_lock($1)", _LOCK):
                raise DatabaseError(f"another adoption into {target.where} is under way: wait for its end")
        try:
            return await _Adopting(source, target, adoption, aside, progress).run(there, here)
        finally:
            if not here.is_closed():
                await here.execute("select pg_advisory_unlock($1)", _LOCK)


class _Adopting:
    """One call of `adopt`."""

    def __init__(
        self,
        source: Database,
        target: Database,
        adoption: Adoption,
        aside: Aside,
        progress: Callable[[AdoptionReport], None],
    ) -> None:
        self._source, self._target, self._adoption = source, target, adoption
        self._aside, self._progress, self._report = aside, progress, AdoptionReport()
        classes = sorted(
            adoption.record_classes,
            key=lambda one: (one.table != "source", one.table != "spectrum", one.primary_key, one.table),
        )
        self._classes = classes

    async def run(self, there: Connection, here: Connection) -> AdoptionReport:
        report = self._report
        with translated(self._source.where):
            tables = await self._tables(there)
        with translated(self._target.where):
            tables = await self._without_left_out(here, tables)
            await self._check_rights(there, here)
            await self._check_ours(here)
        if self._adoption.zone is not None:
            with translated(self._source.where):
                await check_zone(there, self._adoption.zone)
        copies = [(theirs, Ours(theirs, self._target.schema), name) for theirs, name in tables]
        with translated(self._target.where):
            for _, ours, _ in copies:
                await ours.number_behind(here)
        gone: dict[str, set[int]] = {}
        for theirs, ours, name in copies:
            table = theirs.record_class.table
            with translated(self._source.where):
                about = await there.fetchval(templates("adopt")["how_many"].text, self._source.schema, name)
                report.warnings += [
                    str(one)
                    for one in await times_out_of_order(
                        there, self._source.schema, [theirs.record_class], zone=self._adoption.zone
                    )
                    if name == table
                ]
            frozen = {one.major_minor: one for one in await frozen_versions(here, self._target.schema, table)}
            report.tables.append(Taken(table, about))
            copying = Copying(theirs, ours, report.tables[-1], self._aside, frozen, gone)
            with translated(f"{self._target.where}, {table}"):
                await copying.run(there, here, self._adoption.batch_size, lambda: self._progress(report))
        return report

    async def _tables(self, there: Connection) -> list[tuple[Theirs, str]]:
        """Return the tables to be copied, and what they are called there.

        Raises
        ------
        SchemaMismatch
            If a column is missing without which no row can be stored, or times have no zone.
        """
        schema, zone = self._source.schema, self._adoption.zone
        names = await recognised(there, schema, self._source.where)
        found = []
        known = set()
        for record_class in self._classes:
            name = record_class.table
            if name not in names and FORMER_NAMES.get(name) in names:
                name = FORMER_NAMES[name]
            if name not in names:
                continue
            known.add(name)
            rows = await there.fetch(templates("catalog")["types"].text, schema, name)
            types = {row["attname"]: row["type"] for row in rows}
            self._check_columns(record_class, types, name)
            self._report.left_behind += [
                f"{name}.{column}"
                for column in types
                if column not in {one.name for one in record_class.columns()}
            ]
            if zone is None and NAIVE in types.values():
                raise SchemaMismatch(
                    f"times in {name} of schema {schema} have no zone: say in which one the workers wrote them, by "
                    "--times-in UTC or --times-in America/Denver"
                )
            found.append((Theirs(record_class, schema, name, types, zone or "UTC"), name))
        self._report.left_behind += [
            name for name in names if name not in known and name != "flag_definition"
        ]
        return found

    def _check_columns(self, record_class: type[Record], types: dict[str, str], name: str) -> None:
        needed = [record_class.primary_key]
        needed += ["spectrum_pk", "v_astra"] if record_class.primary_key == "task_pk" else []
        missing = [column for column in needed if column not in types]
        if missing:
            raise SchemaMismatch(
                f"{name} of schema {self._source.schema} has no column {' and no '.join(missing)}, by which its rows are "
                "told apart: it is none of Astra's"
            )

    async def _without_left_out(
        self, here: Connection, tables: list[tuple[Theirs, str]]
    ) -> list[tuple[Theirs, str]]:
        """Return the tables that are here as well, or ought to be; the others were left out on purpose, and are named."""
        wanted = [theirs.record_class.table for theirs, _ in tables]
        rows = await here.fetch(templates("catalog")["tables"].text, self._target.schema, wanted)
        found = {row["relname"] for row in rows}
        kept = []
        for theirs, name in tables:
            if theirs.record_class.may_be_left_out and theirs.record_class.table not in found:
                self._report.left_behind.append(name)
            else:
                kept.append((theirs, name))
        self._classes = [theirs.record_class for theirs, _ in kept]
        return kept

    async def _check_rights(self, there: Connection, here: Connection) -> None:
        statement = templates("adopt")["rights_that_lack"].text
        tables = [one.table for one in self._classes]
        for connection, database, rights, who in (
            (there, self._source, ["select"], "a user who may read the tables"),
            (here, self._target, ["select", "insert", "update"], "the owner of the tables"),
        ):
            lacking = await connection.fetch(statement, database.schema, tables, rights)
            if lacking:
                named = "; ".join(f"{', '.join(row['rights'])} on {row['relname']}" for row in lacking)
                raise PermissionDenied(
                    f"rights are missing in schema {database.schema} of {database.where}: {named}. "
                    f"Run it as {who}"
                )

    async def _check_ours(self, here: Connection) -> None:
        schema, statements = self._target.schema, templates("adopt")
        for record_class in self._classes:
            found = await differences_with_database(
                here, self._target.schema, [record_class], for_writing=True
            )
            if found:
                words = in_words(found, record_class, self._target.schema)
                raise SchemaMismatch(
                    f"schema {self._target.schema} of {self._target.where} cannot take the rows of "
                    f"{record_class.table}:\n{words}"
                )
        spectra = qualified(schema, "spectrum")
        sequence = await here.fetchval(statements["sequence_of"].text, spectra, "pk")
        own = statements["has_rows_of_its_own"].fill(sources=qualified(schema, "source"), spectra=spectra)
        if await here.fetchval(own, sequence, BEYOND_32_BITS):
            raise SchemaMismatch(
                f"schema {schema} of {self._target.where} has sources or spectra of its own, whose numbers would meet "
                "those of the rows to be adopted: adopt into a schema that install.sql has just made"
            )
