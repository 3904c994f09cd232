"""`check` reads whatever PostgreSQL takes for a table's SQL: what the file says is what the server then has."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from astra_outputs import embedded
from astra_outputs.catalog import from_database, from_sql
from astra_outputs.errors import CannotStart

SQL = """
create table if not exists probe (
    task_pk bigint generated always as identity,
    source_pk bigint,
    spectrum_pk bigint not null,
    v_astra integer not null,
    v_astra_major_minor integer not null generated always as (v_astra / 1000) stored,
    created timestamptz not null default statement_timestamp(),
    tag text not null default '',
    teff real,
    constraint probe_pkey primary key (task_pk),
    constraint probe_spectrum_version_key unique (spectrum_pk, v_astra_major_minor),
    constraint probe_source_fkey foreign key (source_pk) references source (pk),
    constraint probe_version_check check (v_astra >= 0)
);
create index if not exists probe_source_idx on probe (source_pk);
comment on table probe is 'Results of a probe';
comment on column probe.teff is 'Effective temperature [K]';
"""

SPELLINGS = {
    "as it is": ("", ""),
    "identity with options": ("always as identity", "by default as identity (start with 1000 cache 20)"),
    "identity with another": ("always as identity", "always as identity (sequence name probe_pk increment by 2)"),
    "unlogged": ("create table", "create unlogged table"),
    "check not valid": (
        "    constraint probe_version_check check (v_astra >= 0)\n);",
        ("    tail real\n);\nalter table probe add constraint probe_version_check check (v_astra >= 0) not valid;\n"
        "alter table only probe drop column tail;"),
    ),
    "check not valid in create": ("check (v_astra >= 0)", "check (v_astra >= 0) not valid"),
    "foreign key not valid": ("references source (pk)", "references source (pk) not valid"),
    "foreign key deferrable": ("references source (pk)", "references source (pk) deferrable initially deferred"),
    "foreign key that matches": ("references source (pk)", "references source (pk) match simple on delete restrict"),
    "no inheritance": ("check (v_astra >= 0)", "check (v_astra >= 0) no inherit"),
    "compression": ("tag text", "tag text compression pglz"),
    "collation": ("tag text", 'tag text collate "C"'),
    "statistics": ("comment on table", "alter table probe alter column teff set statistics 500;\ncomment on table"),
    "later storage": ("comment on table", "alter table probe alter column tag set storage plain;\ncomment on table"),
    "escape string": ("'Results of a probe'", r"E'Results of a \'probe\'\n'"),
    "dollar quotes": ("'Results of a probe'", "$$Results of a 'probe'$$"),
    "unicode string": ("'Results of a probe'", r"U&'Results \0061'"),
    "doubled quotes": ("'Results of a probe'", "'Results of a ''probe'''"),
    "a text in two lines": ("'Results of a probe'", "'Results of '\n    'a probe'"),
    "escape string as default": ("default ''", r"default E'a\\b'"),
    "fillfactor": ("(v_astra >= 0)\n)", "(v_astra >= 0)\n) with (fillfactor = 70, autovacuum_enabled = false)"),
    "storage of the table": ("comment on table", "alter table probe set (fillfactor = 80);\ncomment on table"),
    "index options": ("on probe (source_pk)", "on probe using btree (source_pk asc nulls last) with (fillfactor = 90)"),
    "index that covers": ("on probe (source_pk)", "on probe (source_pk) include (teff)"),
    "index on an expression": ("on probe (source_pk)", "on probe (lower(tag))"),
    "index with a condition": ("on probe (source_pk)", "on probe (source_pk) where teff > 0"),
    "key that covers": ("unique (spectrum_pk, v_astra_major_minor)", "unique (spectrum_pk, v_astra_major_minor) include (teff)"),
    "key in a tablespace": ("primary key (task_pk)", "primary key (task_pk) using index tablespace pg_default"),
    "key with options": ("primary key (task_pk)", "primary key (task_pk) with (fillfactor = 90)"),
    "key without nulls": ("unique (spectrum_pk", "unique nulls not distinct (spectrum_pk"),
    "key with null": ("unique (spectrum_pk, v_astra_major_minor)", "unique nulls not distinct (source_pk)"),
    "named null": ("teff real,", "teff real constraint teff_there not null,"),
    "explicit null": ("teff real,", "teff real null,"),
    "not null added": ("comment on table", "alter table probe alter column teff set not null;\ncomment on table"),
    "type changed": (
        "comment on table",
        "alter table probe alter teff set data type double precision using teff::double precision;\ncomment on table",
    ),
    "column added": ("comment on table", "alter table probe add column if not exists e_teff real;\ncomment on table"),
    "two actions": (
        "comment on table",
        "alter table if exists probe add e_teff real default 1.5, alter tag drop default;\ncomment on table",
    ),
    "renamed": ("comment on table", "alter table probe rename column tag to label;\ncomment on table"),
    "constraint renamed": (
        "comment on table",
        "alter table probe rename constraint probe_version_check to probe_version;\ncomment on table",
    ),
    "constraint dropped": (
        "comment on table",
        "alter table probe drop constraint if exists probe_version_check;\ncomment on table",
    ),
    "key dropped": ("comment on table", "alter table probe drop constraint probe_spectrum_version_key;\ncomment on table"),
    "validated later": ("comment on table", "alter table probe validate constraint probe_source_fkey;\ncomment on table"),
    "row security": ("comment on table", "alter table probe enable row level security;\ncomment on table"),
    "with a schema": ("create table if not exists probe", "create table if not exists astra.probe"),
    "comment taken away": ("comment on column probe.teff is 'Effective temperature [K]'", "comment on column probe.teff is null"),
    "comments of other things": (
        "comment on column",
        "comment on constraint probe_pkey on probe is 'Key';\ncomment on index probe_source_idx is 'x';\ncomment on column",
    ),
    "grants and functions": (
        "comment on table",
        ("grant select on probe to public;\nanalyze probe;\n"
        "create or replace function one() returns int language sql begin atomic select 1; end;\ncomment on table"),
    ),
    "arrays": ("teff real,", "teff real[], flux double precision array, mask boolean[3],"),
    "many types": (
        "teff real,",
        ("teff float4, a float8, b int8, c int, d int2, e bool, f varchar(5), g numeric(5, 2), h float(53), "
        "i timestamp without time zone, j timestamp(3) with time zone, k character varying, l decimal, m bytea, "
        "n jsonb, o uuid, p date, q char(3), r interval, s double precision,"),
    ),
    "defaults": (
        "teff real,",
        ("teff real default 'NaN', a real default 'Infinity'::real, b int default -1, c boolean default true, "
        "d timestamptz default now(), e timestamptz default current_timestamp, f text default null, "
        "g text default upper('a' || 'b'), h bigint default (1 << 3), i real[] default '{}', j real default 1e-3, "
        "k text default current_user, l text default 'it''s', m int default 5::int,"),
    ),
    "checks": (
        "check (v_astra >= 0)",
        ("check (v_astra >= 0 and v_astra < 2147483647 or v_astra is null),\n"
        "    constraint probe_a check (tag in ('a', 'b') or not (teff > 0)),\n"
        "    constraint probe_b check (greatest(teff, 0) <> 'NaN'::real),\n"
        "    constraint probe_c check ((v_astra & 1) = 0 and teff between 0 and 1e5 and tag ~ '^a'),\n"
        "    constraint probe_d check (teff is distinct from 'Infinity' and tag like 'a%')"),
    ),
}  # fmt: skip

SINCE = {
    "storage": (16, "tag text", "tag text storage external"),
    "a column called storage": (16, "teff real,", "teff real, storage text storage main, compression real,"),
    "virtual": (18, "(v_astra / 1000) stored", "(v_astra / 1000) stored,\n    twice real generated always as (teff * 2) virtual"),
    "virtual by default": (18, "(v_astra / 1000) stored", "(v_astra / 1000) stored,\n    twice real generated always as (teff * 2)"),
    "not enforced": (18, "check (v_astra >= 0)", "check (v_astra >= 0) not enforced"),
}  # fmt: skip


@pytest.fixture
async def probe(connection: asyncpg.Connection) -> asyncpg.Connection:
    await connection.execute("set search_path = astra")
    return connection


async def both(connection: asyncpg.Connection, sql: str, tmp_path: Path) -> tuple[Any, Any]:
    """What the file says of the table, and what the server says after it has run it."""
    await connection.execute(sql)
    file = tmp_path / "probe.sql"
    file.write_text(sql)
    found = from_sql.tables_of([file])
    there = await from_database.tables_of(connection, "astra", ["probe"])
    return found["probe"], there["probe"]


@pytest.mark.parametrize(("old", "new"), SPELLINGS.values(), ids=SPELLINGS)
async def test_what_postgresql_takes_is_read_as_it_means(
    probe: asyncpg.Connection, tmp_path: Path, old: str, new: str
) -> None:
    assert old in SQL
    said, there = await both(probe, SQL.replace(old, new, 1) if old else SQL, tmp_path)
    assert said == there


@pytest.mark.parametrize(("version", "old", "new"), SINCE.values(), ids=SINCE)
async def test_what_later_versions_brought_is_read_as_it_means(
    probe: asyncpg.Connection, tmp_path: Path, version: int, old: str, new: str
) -> None:
    if probe.get_server_version().major < version:
        pytest.skip("an older server does not take it")
    said, there = await both(probe, SQL.replace(old, new, 1), tmp_path)
    assert said == there


@pytest.mark.usefixtures("plain_tables")
def test_the_output_of_pg_dump_is_read(server_dsn: str, database: str, tmp_path: Path) -> None:
    """A dump of the tables says what their files say."""
    try:
        program = shutil.which("pg_dump", path=embedded.bin_dir()) or shutil.which("pg_dump")
    except CannotStart:
        program = shutil.which("pg_dump")
    if program is None:
        pytest.skip("there is no pg_dump")
    command = [program, "--schema=astra", "--no-owner", database]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if "server version mismatch" in done.stderr:
        pytest.skip("this pg_dump is older than the server")
    assert done.returncode == 0, done.stderr
    dump = tmp_path / "dump.sql"
    dump.write_text(done.stdout)
    from astra_outputs.postgres import sql_files

    files = from_sql.tables_of(sql_files.install_files())
    dumped = from_sql.tables_of([dump])
    for name, table in files.items():
        if table.columns:
            assert (name, without_flags(dumped[name])) == (name, without_flags(table))


def without_flags(table: Any) -> Any:
    """A dump copies the rows of flag_definition, which is no `insert`."""
    from dataclasses import replace

    return replace(table, flags={})
