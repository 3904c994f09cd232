"""NaN that other writers stored is found, and mended by the add-on."""

from __future__ import annotations

import json
import subprocess
import sys

import asyncpg

from astra_outputs import ASPCAP, Source, TheCannon
from astra_outputs.catalog.difference import Says
from astra_outputs.catalog.values import numbers_with_nan
from astra_outputs.discover import record_classes


async def nan(connection: asyncpg.Connection) -> None:
    await connection.execute(
        "set search_path to astra; with made as (insert into spectrum default values returning pk) "
        "insert into aspcap (spectrum_pk, v_astra, teff, logg, fe_h) select pk, 8000, 'NaN', 1, 'NaN' from made; "
        "insert into aspcap (spectrum_pk, v_astra, teff) select pk, 9000, 'NaN' from spectrum; reset search_path"
    )


async def test_a_table_without_nan_or_that_is_not_there_is_no_difference(
    connection: asyncpg.Connection,
) -> None:
    await connection.execute("drop table astra.line_forest")
    assert await numbers_with_nan(connection, "astra", record_classes()) == []


async def test_each_column_that_holds_nan_is_told_with_its_rows(connection: asyncpg.Connection) -> None:
    await nan(connection)
    found = await numbers_with_nan(connection, "astra", [TheCannon, ASPCAP, Source])
    assert {one.subject: one.says[Says.DATABASE] for one in found} == {
        "aspcap.teff": "2 rows hold NaN; NULL is meant",
        "aspcap.fe_h": "1 rows hold NaN; NULL is meant",
    }
    assert {(one.topic, one.concern) for one in found} == {("values", "the rest")}


async def test_a_check_that_was_not_validated_is_not_believed(connection: asyncpg.Connection) -> None:
    await nan(connection)
    await connection.execute(
        "alter table astra.aspcap add constraint aspcap_no_nan_check check (greatest(teff, logg, fe_h) <> 'NaN') not valid"
    )
    assert len(await numbers_with_nan(connection, "astra", [ASPCAP])) == 2


async def test_the_command_finds_it_when_asked(connection: asyncpg.Connection, database: str) -> None:
    await nan(connection)
    for options, differences in (((), 0), (("--nan",), 2)):
        done = subprocess.run(  # noqa: ASYNC221
            [sys.executable, "-m", "astra_outputs", "check", "--dsn", database, "--json", *options],
            capture_output=True,
            text=True,
            check=False,
        )
        assert (done.returncode, len(json.loads(done.stdout)["differences"])) == (
            min(differences, 1),
            differences,
        )
