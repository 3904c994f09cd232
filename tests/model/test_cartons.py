"""Cartons by name: in Python and in SQL the same, from one public table."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from hypothesis import given
from hypothesis import strategies as st

import astra_outputs
from astra_outputs import LineForest, Source, embedded
from astra_outputs.catalog import check_with_database
from astra_outputs.discover import record_classes
from astra_outputs.errors import CannotStart, SchemaMismatch, UnknownCarton
from astra_outputs.postgres import sql_files
from astra_outputs.records import carton_flags, cartons, cartons_of, in_carton

LABELS = [carton.label for carton in cartons()]


def test_a_carton_that_does_not_exist_is_refused_with_the_nearest():
    with pytest.raises(UnknownCarton, match="no carton 'mwm_snc_100p'; did you mean mwm_snc_100pc"):
        in_carton(b"", "mwm_snc_100p")
    with pytest.raises(UnknownCarton):
        carton_flags(["mwm_snc_100pc", ""])


def test_bits_are_counted_from_the_lowest_of_the_first_byte():
    assert [carton.label for carton in cartons_of(b"\x02\x81")] == [
        "mwm_snc_100pc_0.1.0",
        "mwm_yso_s2_0.1.0",
        "mwm_rv_long-bplates_0.1.0",
    ]
    assert cartons_of(None) == cartons_of(b"") == ()


def test_a_name_stands_for_all_versions_of_a_carton():
    named = [carton for carton in cartons() if carton.name == "mwm_cb_uvex1"]
    assert len(named) > 1
    for carton in named:
        assert in_carton(carton_flags([carton.label]), "mwm_cb_uvex1")
    assert cartons_of(carton_flags(["mwm_cb_uvex1"])) == tuple(named)


@given(st.sets(st.sampled_from(LABELS)))
def test_flags_of_labels_are_those_of_these_cartons_alone(labels: set[str]):
    flags = carton_flags(labels)
    assert {carton.label for carton in cartons_of(flags)} == labels


# In SQL


@pytest.fixture
async def sql(connection: asyncpg.Connection) -> asyncpg.Connection:
    await connection.execute("set search_path to astra")
    return connection


async def test_the_table_has_the_cartons_of_the_package(sql: asyncpg.Connection):
    rows = await sql.fetch(
        "select bit, carton_pk, label, name, version, program, mapper, since from targeting_carton order by bit"
    )
    assert list(map(tuple, rows)) == list(map(tuple, cartons()))


async def test_sql_finds_the_same_cartons(sql: asyncpg.Connection, outputs: Any):
    flags = carton_flags(LABELS[::7]) + b"\0"
    await outputs.save(Source(sdss_id=1, sdss5_target_flags=flags))
    assert await sql.fetchval("select carton_names(sdss5_target_flags) from source") == LABELS[::7]
    for label in (*LABELS[:20], "mwm_cb_uvex1", LABELS[-1]):
        found = await sql.fetchval("select in_carton(sdss5_target_flags, $1) from source", label)
        assert found == in_carton(flags, label), label


async def test_sql_refuses_a_carton_that_does_not_exist_and_takes_no_flags_for_none(sql: asyncpg.Connection):
    with pytest.raises(asyncpg.InvalidParameterValueError, match='no carton "nope"'):
        await sql.fetch("select sdss_id from source where in_carton(sdss5_target_flags, 'nope')")
    for flags in ("null", r"'\x'", r"'\x00'"):
        assert await sql.fetchval(f"select in_carton({flags}, 'mwm_snc_100pc')") is False


# Left out


async def test_tables_that_are_not_wanted_are_left_out_and_told(
    empty_database: str, tmp_path: Path, spectra: Any
):
    try:
        psql = embedded.psql_program()
    except CannotStart as error:
        pytest.skip(str(error))

    def install(without: str) -> str:
        file = sql_files.schema_dir() / "install.sql"
        command = [
            psql,
            "-X",
            "-q",
            "-v",
            "schema=astra",
            "-v",
            f"without={without}",
            "-f",
            file,
            empty_database,
        ]
        return subprocess.run(command, capture_output=True, text=True, check=False).stderr

    assert "no table can be left out of this name: source, nope" in install("source line_forest nope")
    assert install("line_forest, the_payne targeting_carton") == ""
    connection = await asyncpg.connect(empty_database)
    try:
        checked = await check_with_database(connection, "astra", record_classes())
        assert (checked.left_out, checked.differences) == (("line_forest", "the_payne"), ())
        assert await connection.fetchval("select to_regclass('astra.targeting_carton')") is None
        (spectrum,) = await spectra(1)
        async with astra_outputs.connect(empty_database) as outputs:
            with pytest.raises(SchemaMismatch, match="line_forest"):
                await outputs.save(LineForest.from_spectrum(spectrum, v_astra=8000))
        assert install("") == ""
        assert (await check_with_database(connection, "astra", record_classes())).left_out == ()
    finally:
        await connection.close()
