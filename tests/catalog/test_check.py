"""Each kind of difference between record class, SQL file and database is told, and nothing else is."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from on_citus import CITUS_DSN

from astra_outputs.catalog import Says, check_files, check_with_database, differences_with_database
from astra_outputs.discover import record_classes
from astra_outputs.errors import InvalidSQL, SchemaMismatch
from astra_outputs.postgres import sql_files

RECORDS = '''
from astra_outputs import (
    BitFlags,
    Flags,
    PipelineOutputMixin,
    Real,
    RequiredInteger,
    RequiredText,
    column,
)


class ProbeFlags(BitFlags):
    """Quality of a probe."""

    LOW_SNR = 0, "S/N is low"
    UNCONVERGED = 1, "Optimiser's iterations ran out"


class Probe(PipelineOutputMixin):
    """Results of a probe.

    A table that differs in one thing at a time.
    """

    teff: Real = column(unit="K", description="Effective temperature")
    nfev: RequiredInteger = column(description="Number of model evaluations", default=-1)
    filetype: RequiredText = column(description="Kind of file", default="apStar")
    result_flags: Flags = column(description="Quality of the result", bits=ProbeFlags)
'''

SQL = """
create table if not exists probe (
    task_pk bigint generated always as identity,
    source_pk bigint,
    spectrum_pk bigint not null,
    v_astra integer not null,
    v_astra_major_minor integer not null generated always as (v_astra / 1000) stored,
    created timestamptz not null default statement_timestamp(),
    modified timestamptz not null default statement_timestamp(),
    t_elapsed real,
    t_overhead real,
    tag text not null default '',
    teff real,
    nfev integer not null default -1,
    filetype text not null default 'apStar',
    result_flags bigint not null default 0,
    constraint probe_pkey primary key (task_pk),
    constraint probe_spectrum_version_key unique (spectrum_pk, v_astra_major_minor),
    constraint probe_source_fkey foreign key (source_pk) references source (pk),
    constraint probe_spectrum_fkey foreign key (spectrum_pk) references spectrum (pk),
    constraint probe_version_check check (v_astra between 0 and 2147483647)
);
create index if not exists probe_source_idx on probe (source_pk);
comment on table probe is 'Results of a probe';
comment on column probe.task_pk is 'Key of this result';
comment on column probe.source_pk is 'Key of the source';
comment on column probe.spectrum_pk is 'Key of the spectrum';
comment on column probe.v_astra is 'Version of Astra: 6002 is 0.6.2';
comment on column probe.v_astra_major_minor is 'Version of Astra without its patch number';
comment on column probe.created is 'Time when the row was first stored';
comment on column probe.modified is 'Time when the row was last stored';
comment on column probe.t_elapsed is 'Time spent on this result [s]';
comment on column probe.t_overhead is 'Share of the time spent on overheads [s]';
comment on column probe.tag is 'Label of the run, free text';
comment on column probe.teff is 'Effective temperature [K]';
comment on column probe.nfev is 'Number of model evaluations';
comment on column probe.filetype is 'Kind of file';
comment on column probe.result_flags is 'Quality of the result';
delete from flag_definition where table_name = 'probe';
insert into flag_definition (table_name, column_name, bit, name, meaning) values
('probe', 'result_flags', 0, 'low_snr', 'S/N is low'),
('probe', 'result_flags', 1, 'unconverged', 'Optimiser''s iterations ran out');
"""

KEY = "(spectrum_pk, v_astra_major_minor)"
TO_SOURCE = "(source_pk) references source (pk)"


@dataclass(frozen=True)
class Edit:
    """A change to the SQL, and what must be said of it: column, aspect, the record's word, the SQL's."""

    name: str
    old: str
    new: str
    expected: tuple[tuple[str | None, str, str, str], ...]
    stops_writing: bool = False

    def apply(self, sql: str) -> str:
        assert self.old in sql
        return sql.replace(self.old, self.new)


def edit(name: str, old: str, new: str, *expected: Any, stops: bool = False) -> Any:
    return pytest.param(Edit(name, old, new, expected, stops), id=name)


EDITS = [
    edit("missing table", "probe", "another", (None, "table", "exists", "missing"), stops=True),
    edit(
        "missing column",
        "    teff real,\n",
        "",
        ("teff", "column", "real", "missing"),
        stops=True,
    ),
    edit(
        "extra column", "    teff real,", "    teff real, logg real,", ("logg", "column", "missing", "real")
    ),
    edit(
        "extra column that must be given",
        "    teff real,",
        "    teff real, logg real not null,",
        ("logg", "column", "missing", "real not null"),
        stops=True,
    ),
    edit(
        "type",
        "teff real",
        "teff double precision",
        ("teff", "type", "real", "double precision"),
        stops=True,
    ),
    edit(
        "foreign type",
        "filetype text",
        "filetype varchar(6)",
        ("filetype", "type", "text", "varchar(6)"),
        stops=True,
    ),
    edit(
        "NOT NULL in SQL alone",
        "teff real",
        "teff real not null",
        ("teff", "nullability", "may be NULL", "not NULL"),
        stops=True,
    ),
    edit(
        "NOT NULL in the record alone",
        "nfev integer not null",
        "nfev integer",
        ("nfev", "nullability", "not NULL", "may be NULL"),
    ),
    edit("default of a number", "default -1", "default 1", ("nfev", "default", "-1", "1")),
    edit("default of a text", "'apStar'", "'apstar'", ("filetype", "default", "'apStar'", "'apstar'")),
    edit("missing default", " default -1", "", ("nfev", "default", "-1", "none")),
    edit("extra default", "teff real", "teff real default 0", ("teff", "default", "none", "0")),
    edit(
        "missing identity",
        " generated always as identity",
        "",
        ("task_pk", "default", "identity", "none"),
        stops=True,
    ),
    edit(
        "clock of the transaction",
        "created timestamptz not null default statement_timestamp()",
        "created timestamptz not null default now()",
        ("created", "default", "statement_timestamp()", "CURRENT_TIMESTAMP"),
    ),
    edit(
        "generated expression",
        "v_astra / 1000",
        "v_astra / 100",
        ("v_astra_major_minor", "generated", "v_astra / 1000", "v_astra / 100"),
        stops=True,
    ),
    edit(
        "not generated",
        " generated always as (v_astra / 1000) stored",
        "",
        ("v_astra_major_minor", "generated", "v_astra / 1000", "none"),
        stops=True,
    ),
    edit(
        "missing unique key",
        f"    constraint probe_spectrum_version_key unique {KEY},\n",
        "",
        (None, f"unique key {KEY}", "exists", "missing"),
        stops=True,
    ),
    edit(
        "unique key on the full version",
        f"unique {KEY}",
        "unique (spectrum_pk, v_astra)",
        (None, "unique key (spectrum_pk, v_astra)", "missing", "exists"),
        (None, f"unique key {KEY}", "exists", "missing"),
        stops=True,
    ),
    edit(
        "unique key that no upsert can use",
        f"unique {KEY}",
        f"unique {KEY} deferrable",
        (None, f"unique key {KEY}", "exists", "missing"),
        (None, f"unique key {KEY} deferrable", "missing", "exists"),
        stops=True,
    ),
    edit(
        "extra unique key",
        "    constraint probe_source_fkey",
        "    constraint probe_tag_key unique (tag),\n    constraint probe_source_fkey",
        (None, "unique key (tag)", "missing", "exists"),
    ),
    edit(
        "unique key of NULLs",
        "    constraint probe_source_fkey",
        "    constraint probe_teff_key unique nulls not distinct (teff),\n    constraint probe_source_fkey",
        (None, "unique key (teff) nulls not distinct", "missing", "exists"),
    ),
    edit(
        "primary key",
        "primary key (task_pk)",
        "primary key (task_pk, v_astra)",
        (None, "primary key", "(task_pk)", "(task_pk, v_astra)"),
    ),
    edit(
        "missing primary key",
        "    constraint probe_pkey primary key (task_pk),\n",
        "",
        (None, "primary key", "(task_pk)", "none"),
    ),
    edit(
        "missing foreign key",
        "    constraint probe_source_fkey foreign key (source_pk) references source (pk),\n",
        "",
        (None, f"foreign key {TO_SOURCE}", "exists", "missing"),
    ),
    edit(
        "foreign key that deletes results",
        "references source (pk)",
        "references source (pk) on delete cascade",
        (None, f"foreign key {TO_SOURCE}", "exists", "missing"),
        (None, f"foreign key {TO_SOURCE} on delete cascade", "missing", "exists"),
    ),
    edit(
        "foreign key to another table",
        "(source_pk) references source (pk)",
        "(source_pk) references spectrum (pk)",
        (None, f"foreign key {TO_SOURCE}", "exists", "missing"),
        (None, "foreign key (source_pk) references spectrum (pk)", "missing", "exists"),
    ),
    edit(
        "comment of the table",
        "'Results of a probe'",
        "'Results of a prober'",
        (None, "comment", '"Results of a probe"', '"Results of a prober"'),
    ),
    edit(
        "comment of a column",
        "'Kind of file'",
        "'Kind of  file'",
        ("filetype", "comment", '"Kind of file"', '"Kind of  file"'),
    ),
    edit(
        "missing comment",
        "comment on column probe.tag is 'Label of the run, free text';",
        "",
        ("tag", "comment", '"Label of the run, free text"', "none"),
    ),
    edit(
        "unit",
        "[K]",
        "[mK]",
        ("teff", "comment", '"Effective temperature [K]"', '"Effective temperature [mK]"'),
    ),
    edit(
        "bit", "1, 'unconverged'", "2, 'unconverged'", ("result_flags", "bit of flag unconverged", "1", "2")
    ),
    edit(
        "name of a bit",
        "'unconverged'",
        "'not_converged'",
        ("result_flags", "name of flag unconverged", "unconverged", "not_converged"),
    ),
    edit(
        "meaning of a bit",
        "''s iterations ran",
        " iterations ran",
        (
            "result_flags",
            "meaning of flag unconverged",
            '"Optimiser\'s iterations ran out"',
            '"Optimiser iterations ran out"',
        ),
    ),
    edit(
        "missing flag",
        "'S/N is low'),\n('probe', 'result_flags', 1, 'unconverged', 'Optimiser''s iterations ran out');",
        "'S/N is low');",
        ("result_flags", "flag unconverged", "bit 1", "missing"),
    ),
    edit(
        "extra flag",
        "'S/N is low'),",
        "'S/N is low'), ('probe', 'result_flags', 5, 'no_flux', 'No flux'),",
        ("result_flags", "flag no_flux", "missing", "bit 5"),
    ),
    edit(
        "flag of another column",
        "'S/N is low'),",
        "'S/N is low'), ('probe', 'nfev', 5, 'no_flux', 'No flux'),",
        ("nfev", "flag no_flux", "missing", "bit 5"),
    ),
]

SAME = [
    edit("names of types", "teff real", "teff float4"),
    edit("names of integers", "nfev integer", "nfev int4"),
    edit("names of times", "created timestamptz", "created timestamp with time zone"),
    edit("capitals", "nfev integer not null default -1", "NFEV INTEGER DEFAULT -1 NOT NULL"),
    edit("typed defaults", "'apStar'", "'apStar'::text"),
    edit("quoted names", "teff real", '"teff" real'),
    edit("defaults in brackets", "default -1", "default (-1)"),
    edit("a default NULL", "teff real", "teff real default null"),
    edit("expressions in brackets", "(v_astra / 1000)", "((v_astra) / (1000))"),
    edit("the other kind of identity", "generated always as identity", "generated by default as identity"),
    edit("a primary key added later", "    constraint probe_pkey primary key (task_pk),\n", ""),
    edit(
        "order of columns",
        "    teff real,\n    nfev integer not null default -1,",
        "    nfev integer not null default -1, teff real,",
    ),
    edit("order of the key", f"unique {KEY}", "unique (v_astra_major_minor, spectrum_pk)"),
    edit("a reference beside its column", "source_pk bigint,", "source_pk bigint references source (pk),"),
    edit("foreign keys to the primary key", "references source (pk)", "references source"),
    edit("spelt actions", "references source (pk)", "references source (pk) on delete no action"),
    edit("a comparison in two", "v_astra between 0 and 2147483647", "v_astra >= 0 and v_astra <= 2147483647"),
    edit("NULLs of a key without NULLs", f"unique {KEY}", f"unique nulls not distinct {KEY}"),
    edit(
        "a unique index",
        f"    constraint probe_spectrum_version_key unique {KEY},\n",
        "",
    ),
    edit("columns added later", "    teff real,\n", ""),
    edit("columns dropped later", "    teff real,", "    teff real, old real,"),
    edit(
        "statements of other kinds", "comment on table", "grant select on probe to public;\ncomment on table"
    ),
    edit(
        "functions",
        "comment on table",
        "create or replace function one() returns integer language sql begin atomic select 1; end;\n"
        "comment on table",
    ),
]
LATER = {
    "a primary key added later": "alter table probe add constraint probe_pkey primary key (task_pk);",
    "a unique index": f"create unique index probe_key on probe {KEY};",
    "columns dropped later": "alter table probe drop column old;",
    "columns added later": "alter table probe add column teff double precision not null default 3;\n"
    "alter table probe alter column teff drop default, alter column teff drop not null;\n"
    "alter table probe alter column teff type real;\n"
    "comment on column probe.teff is 'Effective temperature [K]';",
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("author")
    (folder / "probe_records.py").write_text(RECORDS)
    return folder


@pytest.fixture
def sql(folder: Path) -> Path:
    file = folder / "probe.sql"
    file.write_text(SQL)
    return file


@pytest.fixture
def probe(folder: Path, sql: Path) -> Iterator[Any]:
    """The record class, found as a user's is."""
    path = list(sys.path)
    (probe,) = [found for found in record_classes([str(folder)]) if found.table == "probe"]
    yield probe
    sys.path[:] = path


def edited(change: Edit) -> str:
    """Return the SQL after an edit, without comments on what it removed."""
    sql = change.apply(SQL)
    if change.name in ("missing column", "columns added later"):
        sql = sql.replace("comment on column probe.teff is 'Effective temperature [K]';\n", "")
    return sql.replace("delete from", LATER.get(change.name, "") + "\ndelete from", 1)


def told(differences: Any, who: Says) -> tuple[Any, ...]:
    return tuple((d.column, d.aspect, d.says[Says.RECORD], d.says[who]) for d in differences)


@pytest.mark.parametrize("change", EDITS)
def test_a_difference_of_the_sql_file_is_told_and_nothing_else(change: Edit, probe: Any, sql: Path):
    sql.write_text(edited(change))

    assert told(check_files([probe]).differences, Says.FILE) == change.expected


@pytest.mark.parametrize("change", EDITS)
async def test_a_difference_of_the_database_is_told_and_stops_writing_only_if_it_must(
    change: Edit, probe: Any, connection: asyncpg.Connection, tmp_path: Path
):
    if CITUS_DSN and "(spectrum_pk, task_pk)" in str(change.expected):
        pytest.skip("Citus wants this key")
    (tmp_path / "edited.sql").write_text(edited(change))
    await sql_files.apply(connection, "astra", files=[tmp_path / "edited.sql"])

    found = (await check_with_database(connection, "astra", [probe])).differences
    stops = await differences_with_database(connection, "astra", [probe], for_writing=True)

    # What stops writing comes first, whatever else differs.
    assert set(told(found, Says.DATABASE)) == set(change.expected)
    assert set(told(found, Says.FILE)) == {(*what[:2], what[2], what[2]) for what in change.expected}
    assert [difference.stops_writing for difference in found] == sorted(
        (difference.stops_writing for difference in found), reverse=True
    )
    assert bool(stops) == change.stops_writing


@pytest.mark.parametrize("change", SAME)
def test_a_sql_file_may_say_the_same_in_other_words(change: Edit, probe: Any, sql: Path):
    sql.write_text(edited(change))

    assert check_files([probe]).differences == ()


@pytest.mark.parametrize("change", SAME)
async def test_a_database_may_say_the_same_in_other_words(
    change: Edit, probe: Any, connection: asyncpg.Connection, tmp_path: Path
):
    (tmp_path / "edited.sql").write_text(edited(change))
    await sql_files.apply(connection, "astra", files=[tmp_path / "edited.sql"])

    assert (await check_with_database(connection, "astra", [probe])).differences == ()


LIVE = [
    ("alter table probe drop constraint probe_version_check", "check probe_version_check", "missing"),
    (
        "alter table probe drop constraint probe_version_check, add constraint probe_version_check check (v_astra > 0)",
        "check probe_version_check",
        "v_astra > 0",
    ),
    ("drop index probe_source_idx", "index (source_pk)", "missing"),
]


@pytest.mark.parametrize(("change", "aspect", "word"), LIVE, ids=[entry[0] for entry in LIVE])
async def test_what_a_record_class_cannot_say_is_compared_between_file_and_database(
    change: str, aspect: str, word: str, probe: Any, sql: Path, connection: asyncpg.Connection
):
    await sql_files.apply(connection, "astra", files=[sql])
    await connection.execute(f"set search_path to astra; {change}")

    (difference,) = (await check_with_database(connection, "astra", [probe])).differences

    assert (difference.aspect, difference.says[Says.DATABASE]) == (aspect, word)


async def test_an_index_that_an_administrator_added_is_no_difference(
    probe: Any, sql: Path, connection: asyncpg.Connection
):
    await sql_files.apply(connection, "astra", files=[sql])
    await connection.execute("create index on astra.probe (teff); create index on astra.probe (abs(teff))")
    await connection.execute("create unique index on astra.probe (teff) where teff > 0")

    assert (await check_with_database(connection, "astra", [probe])).differences == ()


async def test_a_reference_into_another_schema_is_a_difference(
    probe: Any, sql: Path, connection: asyncpg.Connection
):
    await connection.execute("create schema other; create table other.source (pk bigint primary key)")
    await sql_files.apply(connection, "astra", files=[sql])
    await connection.execute(
        "alter table astra.probe drop constraint probe_source_fkey,"
        " add foreign key (source_pk) references other.source (pk); set search_path to other, astra"
    )

    found = (await check_with_database(connection, "astra", [probe])).differences

    assert "foreign key (source_pk) references other.source (pk)" in [entry.aspect for entry in found]


async def test_a_sequence_of_another_schema_is_a_difference(connection: asyncpg.Connection):
    await connection.execute(
        "create schema other; create sequence other.spectrum_pk_seq; set search_path to other, astra;"
        "alter table boss_visit_spectrum alter spectrum_pk set default nextval('other.spectrum_pk_seq')"
    )

    (found,) = (await check_with_database(connection, "astra", record_classes())).differences

    assert (found.subject, found.aspect) == ("boss_visit_spectrum.spectrum_pk", "default")


async def test_what_psql_installs_is_what_the_record_classes_and_files_say(connection: asyncpg.Connection):
    checked = await check_with_database(connection, "astra", record_classes())

    assert checked.differences == ()
    assert checked.tables >= 7
    assert checked.columns > 500
    assert checked.flags > 600


async def test_a_schema_that_does_not_exist_is_named(connection: asyncpg.Connection, probe: Any):
    with pytest.raises(SchemaMismatch, match="no schema nowhere"):
        await check_with_database(connection, "nowhere", [probe])


async def test_a_comparison_leaves_the_connection_as_it_was(connection: asyncpg.Connection):
    await connection.execute("set search_path to public")
    async with connection.transaction():
        await connection.execute("create table astra.kept (pk bigint)")
        await check_with_database(connection, "astra", record_classes())

        assert await connection.fetchval("show search_path") == "public"
    assert await connection.fetchval("select to_regclass('astra.kept') is not null")


def test_a_missing_sql_file_is_a_difference(probe: Any, sql: Path):
    sql.unlink()

    assert told(check_files([probe]).differences, Says.FILE) == ((None, "table", "exists", "missing"),)


@pytest.mark.parametrize(
    ("statement", "place"),
    [
        ("comment on table probe is", "line 1"),
        ("select 1;\n\ncreate table probe (teff real", "line 3"),
        ("select 'unended", "not closed"),
    ],
)
def test_a_statement_that_cannot_be_read_is_found_by_file_and_line(
    statement: str, place: str, probe: Any, sql: Path
):
    sql.write_text(statement)

    with pytest.raises(InvalidSQL, match=rf"probe\.sql.*{place}"):
        check_files([probe])


def test_a_difference_reads_as_a_sentence(probe: Any, sql: Path):
    sql.write_text(
        SQL.replace("teff real", "teff integer").replace("    nfev integer not null default -1,\n", "")
    )

    assert [str(difference) for difference in check_files([probe]).differences] == [
        "probe.teff, type: record class says real, SQL file says integer",
        "probe.nfev: missing in the SQL file",
    ]
