"""Hostile names and values: nothing that a user names or stores becomes part of a statement's grammar.

Together the properties try 10,000 sets of names and values in `make soak`, 1,200 elsewhere. Statements are read by a tokeniser that follows
PostgreSQL's rules, and a part of them is run by a real server.
"""

from __future__ import annotations

import asyncio
import re
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from unittest.mock import patch
from uuid import uuid4

import asyncpg
import pytest
from hypothesis import HealthCheck, assume, example, given, settings
from hypothesis import strategies as st
from shares import at_full_size

import astra_outputs
from astra_outputs import (
    BigInt,
    Outcome,
    PipelineOutputMixin,
    Real,
    RequiredText,
    Source,
    TheCannon,
    Timestamp,
    column,
    embedded,
)
from astra_outputs.errors import InvalidName, InvalidRecord
from astra_outputs.model.record import Record
from astra_outputs.model.spectrum import SpectrumMixin
from astra_outputs.postgres import sql_files
from astra_outputs.postgres.sql import literal, quote
from astra_outputs.reading import by_key, history, pending
from astra_outputs.saving import transfer
from astra_outputs.saving.options import UNGUARDED, Guards
from astra_outputs.saving.statements import Statements

ATTACKS = (
    '"; drop table astra.canary; --',
    "'; drop table astra.canary; --",
    '"."astra"."canary"; --',
    "x\"); delete from astra.canary; select ('",
    "$1",
    "$$; drop table astra.canary; $$",
    "$tag$",
    "/* not closed",
    "-- to the end",
    "\\",
    "\\'; drop table astra.canary; --",
    '\\"; drop table astra.canary; --',
    "U&\"d!0061t\" uescape '!'",
    "E'\\'",
    '""',
    '"',
    "'",
    ";",
    "a\nb",
    "a\r\nb",
    " leading and trailing ",
    "%s",
    "%I",
    "{0}",
    ":name",
    ':"name"',
    "?",
    "select",
    "pg_catalog",
    "\uff26\uff35\uff2c\uff2c\uff02\uff1b",  # wide letters, a wide quotation mark
    "\u02ba; drop",
    "\ufb00",
    "\u202e",
    "\U0001f4ab",
)


def fits(name: str) -> bool:
    return len(name.encode()) <= 63


def is_free(name: str) -> bool:
    """Whether a record class lets a column have this name: it is no method, not private, no path."""
    if name.startswith(("_", "model_")) or "." in name:
        return False
    return not hasattr(SpectrumMixin, name) and name not in TAKEN


TAKEN = {*PipelineOutputMixin.model_fields, *SpectrumMixin.model_fields, "v_astra_major_minor", "outcome"}
SPECIAL = [
    '"',
    "'",
    ";",
    "--",
    "/*",
    "*/",
    "$1",
    "$$",
    "\\",
    " ",
    "\n",
    ",",
    "(",
    ")",
    ".",
    "%",
    "a",
    "\u00e9",
]

characters = st.characters(exclude_characters="\0", exclude_categories=("Cs",))
names = st.one_of(
    st.text(characters, min_size=1, max_size=63),
    st.lists(st.sampled_from(SPECIAL), min_size=1, max_size=20).map("".join),
    st.sampled_from(ATTACKS),
).filter(fits)
schemas = names.filter(
    lambda name: not name.startswith("pg_") and name not in ("astra", "public", "information_schema")
)
tables = names.filter(lambda name: name != "excluded")  # which is refused
columns = st.lists(names.filter(is_free), min_size=3, max_size=3, unique=True).map(tuple)
values = st.one_of(
    st.text(characters), st.lists(st.sampled_from(SPECIAL)).map("".join), st.sampled_from(ATTACKS)
)


def tries(number: int, share: int) -> settings:
    return settings(max_examples=at_full_size(number, share), suppress_health_check=list(HealthCheck))


# PostgreSQL's tokens.

TOKEN = re.compile(
    r"""
      (?P<space>[ \t\n\r\f\v]+)
    | (?P<comment>--|/\*)
    | (?P<identifier>"(?:[^"]|"")+")
    | (?P<escaped>E'(?:[^'\\]|''|\\\\)*')
    | (?P<string>'(?:[^']|'')*')
    | (?P<parameter>\$[0-9]+(?![\w$]))
    | (?P<word>[A-Za-z_][A-Za-z0-9_]*(?!["'$\w]))
    | (?P<number>[0-9]+(?!\w))
    | (?P<other>::|\|\||<=|>=|<>|>>|[-+*/<>=&()\[\],;.])
    """,
    re.VERBOSE,
)


def tokens(sql: str) -> list[tuple[str, str]]:
    """The tokens of a statement as (kind, meaning): quotation marks are taken off."""
    found, at = [], 0
    while at < len(sql):
        match = TOKEN.match(sql, at)
        assert match is not None, f"no token at {sql[at : at + 20]!r}"
        kind, text, at = str(match.lastgroup), match.group(), match.end()
        assert kind != "comment"
        if kind == "escaped":  # the only escape in use is that of the backslash itself
            kind, text = "string", text[1:].replace("\\\\", "\\")
        if kind in ("identifier", "string"):
            text = text[1:-1].replace(2 * text[0], text[0])
        if kind != "space":
            found.append((kind, text))
    return found


def renamed(found: list[tuple[str, str]], new: dict[str, str]) -> list[tuple[str, str]]:
    """The tokens with every name replaced; the names of a sequence and of a table are written in strings."""
    sequence, table = '"the_schema"."spectrum_pk_seq"', '"the_schema"."the_table"'
    meant = {
        "string": {
            sequence: f'{quote(new["the_schema"])}."spectrum_pk_seq"',
            table: f"{quote(new['the_schema'])}.{quote(new['the_table'])}",
        },
        "identifier": new,
    }
    return [(kind, meant.get(kind, {}).get(text, text)) for kind, text in found]


# Record classes with such names.


def record_class(base: type[Record], table: str, names: Sequence[str]) -> type[Any]:
    """A record class whose table has this name, and these names of columns: a number, a text, and a key."""
    number, text, *key = names
    fields: dict[str, tuple[Any, Any]] = {
        number: (Real, column(description="A number")),
        text: (RequiredText, column(description="A text", default="")),
    }
    attributes: dict[str, Any] = {"__module__": __name__, "table": table}
    if key:
        fields[key[0]] = (BigInt, column(description="The key", references="source.pk"))
        attributes["natural_keys"] = (tuple(key),)
    if base is Record:
        for name in ("created", "modified"):
            fields[name] = (Timestamp, column(description="A time", server_default="statement_timestamp()"))
        fields["pk"] = (BigInt, column(description="Number of the row", server_default="identity"))
    attributes |= {name: default for name, (_, default) in fields.items()}
    attributes["__annotations__"] = {name: kind for name, (kind, _) in fields.items()}
    return type(base)("Hostile", (base,), attributes)


def statements_of(texts: Statements) -> list[str]:
    """Every statement that one `Statements` gives, and the one that reads by the same key."""
    return [
        texts.upsert_row,
        texts.create_row_type,
        texts.upsert_rows,
        texts.create_stage,
        texts.empty_stage,
        texts.upsert_stage,
        *([texts.update_stored] if texts.may_update else []),
        texts.stored_rows,
        *texts.missing_references.values(),
        *(statement.text for statement in by_key.statements_of(texts.record_class, texts.schema)),
    ]


def of_a_table(schema: str, table: str, *names: str) -> tuple[list[str], list[str]]:
    """The statements of a plain table, and the names that they make up themselves."""
    texts = Statements(record_class(Record, table, names), schema, (names[2],), Guards(skip_unchanged=True))
    return statements_of(texts), [texts.stage, texts.row_type]


def of_a_pipeline(schema: str, table: str, *names: str) -> tuple[list[str], list[str]]:
    """The statements of a pipeline and of the spectra that it reads."""
    pipeline = record_class(PipelineOutputMixin, table, names[:2])
    kind = record_class(SpectrumMixin, names[3], names[:3])
    key = ("spectrum_pk", "v_astra_major_minor")
    all_texts = [
        Statements(pipeline, schema, key, Guards(keep_newer=True, skip_unchanged=True, not_after=LONG_AGO)),
        Statements(kind, schema, (names[2],), UNGUARDED),
        Statements(pipeline, schema, key, short_texts=True),
    ]
    found = [text for texts in all_texts for text in statements_of(texts)]
    found += [statement.text for statement in pending.statements_of(pipeline, schema, kind)]
    found += [statement.text for statement in history.statements_of(pipeline, schema)]
    return found, [name for texts in all_texts for name in (texts.stage, texts.row_type)]


def check_structure(build: Any, plain: tuple[str, ...], hostile: tuple[str, ...]) -> None:
    """Hostile names give the statements of plain names, token for token, but for the names."""
    (expected, made_up), (found, theirs) = build(*plain), build(*hostile)
    new = dict(zip((*plain, *made_up), (*hostile, *theirs), strict=True))
    assert list(map(tokens, found)) == [renamed(tokens(text), new) for text in expected]
    assert all(map(fits, theirs))


LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
PLAIN = ("the_schema", "the_table", "the_number", "the_text", "the_key", "the_spectra")


# Names that PostgreSQL would not keep as they are.

UNFIT = {
    "empty": "",
    "a NUL": "a\0b",
    "64 bytes": 64 * "a",
    "64 bytes in 32 characters": 32 * "\u00e9",
    "half a surrogate pair": "a\ud800",
    "no text": None,
}
unfit = pytest.mark.parametrize("name", UNFIT.values(), ids=UNFIT)


@unfit
def test_a_schema_that_postgresql_would_not_keep_is_refused_before_connecting(name: Any) -> None:
    with pytest.raises(InvalidName, match="schema"):
        astra_outputs.connect("postgresql://localhost:1/nowhere", schema=name)


@unfit
def test_a_table_that_postgresql_would_not_keep_is_refused_with_its_class(name: Any) -> None:
    with pytest.raises(InvalidName, match=r"table \(class Hostile\)"):
        record_class(PipelineOutputMixin, name, ("a", "b"))


@pytest.mark.parametrize("name", [64 * "a", 32 * "\u00e9", "a\0b"], ids=ascii)
def test_a_column_that_postgresql_would_not_keep_is_refused_with_its_class(name: str) -> None:
    with pytest.raises(InvalidName, match="column of hostile"):
        record_class(PipelineOutputMixin, "hostile", (name, "b"))


@unfit
async def test_no_schema_is_made_under_another_name_than_the_one_given(connection: Any, name: Any) -> None:
    before = await connection.fetch("select nspname from pg_namespace order by 1")
    with pytest.raises(InvalidName, match="schema"):
        await sql_files.apply(connection, name)
    assert await connection.fetch("select nspname from pg_namespace order by 1") == before


def test_a_table_called_as_the_row_that_an_upsert_brings_is_refused() -> None:
    with pytest.raises(InvalidName, match="excluded"):
        record_class(PipelineOutputMixin, "excluded", ("a", "b"))


def test_the_longest_name_is_taken() -> None:
    assert record_class(PipelineOutputMixin, 63 * "a", (63 * "b", "c")).table == 63 * "a"


# Statements.


@pytest.mark.soak
@tries(8_000, 800)
@given(names)
def test_a_quoted_name_is_one_token_that_means_the_name(name: str) -> None:
    for quoted in (quote(name), asyncpg.utils._quote_ident(name)):  # the second one in COPY
        assert tokens(quoted) == [("identifier", name)]


@pytest.mark.soak
@tries(1_000, 100)
@given(names, tables, columns)
@example("the_schema", 15 * "\U0001f4ab", ("a", "b", "c"))
def test_names_stay_names_in_every_statement(schema: str, table: str, given_columns: Any) -> None:
    check_structure(of_a_table, PLAIN[:5], (schema, table, *given_columns))


@pytest.mark.soak
@tries(100, 10)
@given(names, tables, tables, columns)
def test_names_stay_names_in_the_statements_of_pipelines(
    schema: str, table: str, spectra: str, given_columns: Any
) -> None:
    assume(spectra != table)
    check_structure(of_a_pipeline, PLAIN, (schema, table, *given_columns, spectra))


# A real server.


@pytest.mark.soak
@tries(500, 100)
@given(values.filter(lambda text: "\0" not in text))
async def test_a_text_written_as_a_literal_means_the_text(connection: asyncpg.Connection, text: str) -> None:
    assert await connection.fetchval(f"select {literal(text)}") == text
    await connection.execute("set standard_conforming_strings = off")
    assert await connection.fetchval(f"select {literal(text)}") == text
    await connection.execute("set standard_conforming_strings = on")


CANARY = "select 1 / count(*) from astra.canary"
"""Fails if something happened to the table that the attacks are after."""


@pytest.fixture
async def canary(connection: asyncpg.Connection) -> None:
    await connection.execute("create table astra.canary as select 1 as alive")


async def make_table(connection: asyncpg.Connection, schema: str, record: type[Record]) -> None:
    """Make a schema and the table of a record class in it; the server itself quotes the names."""
    kinds = {
        "identity": "bigint generated by default as identity primary key",
        "statement_timestamp()": "timestamptz not null default statement_timestamp()",
        "bigint": "bigint unique",
        "text": "text not null default ''",
        "real": "real",
    }
    defined = [(column.name, kinds[column.server_default or column.type.sql]) for column in record.columns()]
    quoted = await connection.fetchval(
        "select string_agg(format('%I %s', name, kind), ', ') from unnest($1::text[], $2::text[]) c (name, kind)",
        *map(list, zip(*defined, strict=True)),
    )
    for sql in ("create schema %I", "create table %I.%I (%s)"):
        await connection.execute(
            await connection.fetchval(
                "select format($1::text, variadic $2::text[])", sql, [schema, record.table, quoted]
            )
        )


@pytest.mark.parametrize("table", ["wanted", "stored", "there", "sent", "saved", "stage"])
async def test_a_table_may_have_a_name_that_statements_use_themselves(
    connection: asyncpg.Connection, table: str
) -> None:
    plain = record_class(Record, table, ("the_number", "the_text", "the_key"))
    await make_table(connection, "other", plain)
    texts = Statements(plain, "other", ("the_key",), Guards(skip_unchanged=True))
    await connection.execute(texts.create_row_type)
    for text in (
        texts.upsert_row,
        texts.upsert_rows,
        texts.stored_rows,
        *(statement.text for statement in by_key.statements_of(plain, "other")),
    ):
        await connection.prepare(text)


@pytest.mark.soak
@tries(70, 30)
@given(
    schema=schemas,
    table=tables,
    names=columns,
    texts=st.lists(values, min_size=9, max_size=9),
)
@pytest.mark.parametrize(("way", "copy_from"), [("row by row", 10**9), ("at once", 10**9), ("by copy", 1)])
async def test_what_is_stored_under_hostile_names_comes_back_as_it_was(
    canary: None,
    database: str,
    connection: asyncpg.Connection,
    way: str,
    copy_from: int,
    schema: str,
    table: str,
    names: Any,
    texts: list[str],
) -> None:
    hostile = record_class(Record, table, names)
    number, text, key = names
    records = [hostile(**{number: 1.0, text: value, key: place}) for place, value in enumerate(texts)]
    await make_table(connection, schema, hostile)
    borrowed = {"connection": connection} if way == "row by row" else {}
    try:
        async with astra_outputs.connect(
            None if borrowed else database, **borrowed, schema=schema
        ) as outputs:
            with patch.object(transfer, "COPY_FROM_VALUES", copy_from):
                await outputs.save_many(records)
                report = await outputs.save_many(records, skip_unchanged=True)
            await outputs.save(records[0])
            back = [await outputs.get_by_id(hostile, record.pk) for record in records]
    finally:
        await connection.execute(f"drop schema {quote(schema)} cascade")
    assert report.counts == {Outcome.UNCHANGED: 9}
    assert [record.model_dump() for record in back] == [record.model_dump() for record in records]
    assert await connection.fetchval(CANARY) == 1


@pytest.mark.soak
@tries(700, 200)
@given(values)
async def test_a_hostile_text_comes_back_as_it_was(
    canary: None, outputs: Any, connection: asyncpg.Connection, spectrum: Any, text: str
) -> None:
    result = TheCannon.from_spectrum(spectrum, v_astra="0.6.2", tag=text)
    assert result.tag.strip() == text.strip()  # a record takes away what fills a text up
    await outputs.save(result)
    stored = await outputs.get_by_id(TheCannon, result.task_pk)
    assert stored.tag == result.tag
    assert await connection.fetchval(CANARY) == 1


@pytest.mark.parametrize("text", ["a\0b", "a\ud800"], ids=ascii)
async def test_a_text_that_postgresql_cannot_hold_is_refused_by_the_record(spectrum: Any, text: str) -> None:
    with pytest.raises(InvalidRecord, match="tag"):
        TheCannon.from_spectrum(spectrum, v_astra="0.6.2", tag=text)


# The other doors.


@pytest.mark.parametrize(
    "schema", [name for name in ATTACKS if fits(name) and name != "pg_catalog"], ids=ascii
)
async def test_the_tables_are_made_in_a_schema_of_any_name(
    canary: None, connection: asyncpg.Connection, schema: str
) -> None:
    await sql_files.apply(connection, schema, files=[sql_files.schema_dir() / "tables" / "source.sql"])
    assert await connection.fetchval(
        "select true from pg_tables where schemaname = $1 and tablename = 'source'", schema
    )
    async with astra_outputs.connect(connection=connection, schema=schema) as outputs:
        saved = await outputs.save(Source(sdss_id=1))
        assert await outputs.get_by_id(Source, saved.pk) == saved
    assert await connection.fetchval(CANARY) == 1


@pytest.mark.parametrize("schema", ATTACKS[:6], ids=ascii)
async def test_the_command_line_takes_a_schema_for_a_name(
    canary: None, database: str, connection: asyncpg.Connection, schema: str
) -> None:
    command = [sys.executable, "-m", "astra_outputs", "check", "--dsn", database, f"--schema={schema}"]
    process = await asyncio.create_subprocess_exec(*command, stderr=asyncio.subprocess.PIPE)
    _, said = await process.communicate()
    assert process.returncode == 1
    assert f"there is no schema {schema}" in said.decode()
    assert await connection.fetchval(CANARY) == 1


@pytest.mark.usefixtures(
    "plain_tables"
)  # Citus warns of functions that stay on the coordinator until its add-on runs
@pytest.mark.parametrize("schema", [name for name in ATTACKS[:6] if fits(name + "_owner")], ids=ascii)
@pytest.mark.parametrize("file", ["install.sql", "add-ons/roles.sql"])
async def test_the_scripts_for_psql_take_a_schema_for_a_name(
    canary: None, database: str, connection: asyncpg.Connection, schema: str, file: str
) -> None:
    await sql_files.apply(connection, schema)
    roles = f"t{uuid4().hex[:12]}\";'"
    variables = ["-v", f"schema={schema}", "-v", f"roles={roles}"]
    command = [embedded.psql_program(), "-X", "-q", *variables, "-f", sql_files.schema_dir() / file, database]
    process = await asyncio.create_subprocess_exec(*command, stderr=asyncio.subprocess.PIPE)
    _, said = await process.communicate()
    try:
        assert (process.returncode, said) == (0, b"")
        assert await connection.fetchval(CANARY) == 1
    finally:
        for role in await connection.fetch("select rolname from pg_roles where rolname ^@ $1", roles):
            name = quote(role[0])
            await connection.execute(f"reassign owned by {name} to current_user; drop owned by {name}")
            await connection.execute(f"drop role {name}")
