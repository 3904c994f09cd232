"""The tables that `schema/` makes against the record classes, and what the tables themselves enforce."""

from __future__ import annotations

import re
from typing import Any

import asyncpg
import pytest

from astra_outputs import BossVisitSpectrum, PipelineOutputMixin, Record, Source
from astra_outputs.discover import record_classes
from astra_outputs.model.columns import REQUIRED
from astra_outputs.postgres import sql_files
from astra_outputs.records import SpectrumMixin

RECORD_CLASSES = record_classes()
SPECTRA = [cls for cls in RECORD_CLASSES if issubclass(cls, SpectrumMixin)]
PIPELINES = [cls for cls in RECORD_CLASSES if issubclass(cls, PipelineOutputMixin)]
assert (len(SPECTRA), len(PIPELINES)) == (8, 14)

every_table = pytest.mark.parametrize("record_class", RECORD_CLASSES, ids=lambda cls: cls.table)
every_pipeline = pytest.mark.parametrize("record_class", PIPELINES, ids=lambda cls: cls.table)


@pytest.fixture
async def sql(connection: asyncpg.Connection) -> asyncpg.Connection:
    """A connection that finds the tables without naming their schema."""
    await connection.execute("set search_path to astra")
    return connection


def required(record_class: type[PipelineOutputMixin]) -> dict[str, Any]:
    """Values for the columns that a result must give, its key and version apart."""
    return {
        column.name: column.type.example(1.0)
        for column in record_class.columns()
        if column.default is REQUIRED and column.written and column.name not in ("spectrum_pk", "v_astra")
    }


async def insert(sql: asyncpg.Connection, record_class: type[PipelineOutputMixin], **values: Any) -> None:
    """Store a row as others do, by SQL alone."""
    row = {**required(record_class), **values}
    names = ", ".join(f'"{name}"' for name in row)
    places = ", ".join(f"${n}" for n in range(1, len(row) + 1))
    await sql.execute(f"insert into {record_class.table} ({names}) values ({places})", *row.values())


async def columns(sql: asyncpg.Connection, record_class: type[Record]) -> dict[str, asyncpg.Record]:
    rows = await sql.fetch(
        """
        select
            attname as name,
            format_type(atttypid, atttypmod) as type,
            not attnotnull as nullable,
            attidentity::text as identity,
            attgenerated::text as generated,
            col_description(attrelid, attnum) as comment
        from pg_attribute
        where attrelid = $1::text::regclass and attnum > 0 and not attisdropped
        """,
        record_class.table,
    )
    return {row["name"]: row for row in rows}


# The tables are those of the record classes


@every_table
async def test_a_table_has_the_columns_of_its_record_class(
    sql: asyncpg.Connection, record_class: type[Record]
) -> None:
    stored = await columns(sql, record_class)
    assert {name: row["type"] for name, row in stored.items()} == {
        column.name: column.type.sql for column in record_class.columns()
    }


@every_table
async def test_a_column_may_be_null_where_its_record_may_be(
    sql: asyncpg.Connection, record_class: type[Record]
) -> None:
    stored = await columns(sql, record_class)
    # A spectrum gets its number from the table, if the record has none.
    numbered = {"spectrum_pk"} if record_class in SPECTRA else set()
    assert {name for name, row in stored.items() if row["nullable"]} == {
        column.name for column in record_class.columns() if column.nullable
    } - numbered


@every_table
async def test_a_comment_gives_description_and_unit(
    sql: asyncpg.Connection, record_class: type[Record]
) -> None:
    stored = await columns(sql, record_class)
    assert {name: row["comment"] for name, row in stored.items()} == {
        column.name: column.comment for column in record_class.columns()
    }
    title = await sql.fetchval("select obj_description($1::text::regclass)", record_class.table)
    assert title == record_class.title


@every_table
async def test_the_database_numbers_the_rows(sql: asyncpg.Connection, record_class: type[Record]) -> None:
    key = (await columns(sql, record_class))[record_class.primary_key]
    # A pipeline's key is never given from outside; those of sources and spectra may be copied along.
    assert key["identity"] == ("a" if record_class in PIPELINES else "d")


@every_table
async def test_every_constraint_and_index_is_named_after_its_table(
    sql: asyncpg.Connection, record_class: type[Record]
) -> None:
    names = await sql.fetch(
        """
        select conname as name from pg_constraint where conrelid = $1::text::regclass and contype <> 'n'
        union
        select indexrelid::regclass::text from pg_index where indrelid = $1::text::regclass
        """,
        record_class.table,
    )
    form = re.compile(rf"{record_class.table}_(\w+_)?(pkey|key|fkey|check|idx)")
    assert names
    assert [name for (name,) in names if not form.fullmatch(name)] == []


@every_table
async def test_every_natural_key_is_unique_in_the_table(
    sql: asyncpg.Connection, record_class: type[Record]
) -> None:
    stored = await sql.fetch(
        """
        select array(
            select attname::text from pg_attribute
            where attrelid = conrelid and attnum = any (conkey) order by attname
        )
        from pg_constraint where conrelid = $1::text::regclass and contype = 'u'
        """,
        record_class.table,
    )
    unique = {tuple(names) for (names,) in stored}
    assert {tuple(sorted(names)) for names in record_class.natural_keys} <= unique


@pytest.mark.parametrize(
    ("table", "names"),
    [
        ("apogee_coadded_spectrum_in_ap_star", {"source_pk", "obj"}),
        ("boss_visit_spectrum", {"source_pk", "telescope", "mjd", "fieldid", "plateid"}),
        ("the_cannon", {"source_pk"}),
        ("snow_white", {"source_pk"}),
        ("aspcap", {"source_pk"}),
    ],
)
async def test_a_table_is_indexed_by_what_it_is_searched_for(
    sql: asyncpg.Connection, table: str, names: set[str]
) -> None:
    stored = await sql.fetch(
        """
        select attname::text from pg_index, pg_attribute
        where indrelid = $1::text::regclass and attrelid = indexrelid and not indisunique
        """,
        table,
    )
    assert {name for (name,) in stored} == names


# Installing


async def test_installing_twice_changes_nothing(sql: asyncpg.Connection, spectrum: Any) -> None:
    def catalog() -> Any:
        return sql.fetch(
            "select attrelid, attnum, attname, atttypid, attnotnull from pg_attribute "
            "where attrelid::regclass::text like 'astra.%' order by 1, 2"
        )

    await sql.execute("reset search_path")
    before = await catalog()
    await sql_files.apply(sql, "astra")
    assert await catalog() == before
    assert await sql.fetchval("select count(*) from astra.apogee_coadded_spectrum_in_ap_star") == 1


async def test_two_schemas_live_side_by_side(sql: asyncpg.Connection, spectrum: Any) -> None:
    await sql_files.apply(sql, "astra_next")
    await sql.execute("set search_path to astra_next")
    await sql.execute(
        "with made as (insert into spectrum default values returning pk) "
        "insert into boss_visit_spectrum "
        "(spectrum_pk, release, run2d, mjd, fieldid, catalogid, healpix, spec_file) "
        "select pk, 'sdss5', 'v6_1_3', 60000, 1, 2, 3, 'spec.fits' from made"
    )
    assert await sql.fetchval("select count(*) from astra_next.boss_visit_spectrum") == 1
    assert await sql.fetchval("select count(*) from astra.boss_visit_spectrum") == 0


# What the tables enforce


@every_pipeline
async def test_a_source_with_results_cannot_be_deleted(
    sql: asyncpg.Connection, outputs: Any, spectrum: Any, record_class: Any
) -> None:
    await outputs.save(record_class.from_spectrum(spectrum, required(record_class), v_astra="0.8.1"))
    await sql.execute("update apogee_coadded_spectrum_in_ap_star set source_pk = null")
    with pytest.raises(asyncpg.ForeignKeyViolationError) as caught:
        await sql.execute("delete from source")
    assert caught.value.constraint_name == f"{record_class.table}_source_fkey"


@every_pipeline
async def test_a_spectrum_with_results_cannot_be_deleted(
    sql: asyncpg.Connection, outputs: Any, spectrum: Any, record_class: Any
) -> None:
    await outputs.save(record_class.from_spectrum(spectrum, required(record_class), v_astra="0.8.1"))
    await sql.execute("delete from apogee_coadded_spectrum_in_ap_star")
    with pytest.raises(asyncpg.ForeignKeyViolationError) as caught:
        await sql.execute("delete from spectrum")
    assert caught.value.constraint_name == f"{record_class.table}_spectrum_fkey"


@every_pipeline
async def test_a_negative_version_is_refused(
    sql: asyncpg.Connection, spectrum: Any, record_class: Any
) -> None:
    with pytest.raises(asyncpg.CheckViolationError) as caught:
        await insert(sql, record_class, spectrum_pk=spectrum.spectrum_pk, v_astra=-1)
    assert caught.value.constraint_name == f"{record_class.table}_version_check"


@every_pipeline
async def test_a_second_result_of_one_minor_version_is_refused(
    sql: asyncpg.Connection, spectrum: Any, record_class: Any
) -> None:
    await insert(sql, record_class, spectrum_pk=spectrum.spectrum_pk, v_astra=8000)
    await insert(sql, record_class, spectrum_pk=spectrum.spectrum_pk, v_astra=9000)
    with pytest.raises(asyncpg.UniqueViolationError) as caught:
        await insert(sql, record_class, spectrum_pk=spectrum.spectrum_pk, v_astra=8001)
    assert caught.value.constraint_name == f"{record_class.table}_spectrum_version_key"


WIDE = {"aspcap", "line_forest", "the_payne"}
"""Tables for which a check against NaN would take more than 5 percent of a re-run: a DBA may add it."""


@every_table
async def test_a_table_refuses_nan_in_each_of_its_numbers(
    sql: asyncpg.Connection, record_class: type[Record]
) -> None:
    numbers = {c.name for c in record_class.columns() if c.type.sql in ("real", "double precision")}
    checked = await sql.fetchval(
        """
        select array(select attname::text from pg_attribute where attrelid = conrelid and attnum = any (conkey))
        from pg_constraint where conname = $1
        """,
        f"{record_class.table}_no_nan_check",
    )
    assert set(checked or ()) == (set() if record_class.table in WIDE else numbers)


@pytest.mark.parametrize("value", ["real 'NaN'", "greatest('NaN'::real, null)"])
async def test_nan_of_another_writer_is_refused_by_name(
    sql: asyncpg.Connection, spectrum: Any, value: str
) -> None:
    for column, other in (("teff", "logg"), ("raw_e_ni_fe", "teff")):
        with pytest.raises(asyncpg.CheckViolationError) as caught:
            await sql.execute(
                f"insert into the_cannon (spectrum_pk, v_astra, {column}, {other}) values ($1, 8000, {value}, 1)",
                spectrum.spectrum_pk,
            )
        assert caught.value.constraint_name == "the_cannon_no_nan_check"


async def test_two_sources_may_both_lack_an_identifier(sql: asyncpg.Connection) -> None:
    await sql.execute("insert into source (sdss_id) values (1), (2)")
    assert await sql.fetchval("select count(*) from source where gaia_dr3_source_id is null") == 2


async def test_spectra_of_all_kinds_are_numbered_in_one_row(outputs: Any, spectra: Any) -> None:
    (first,) = await spectra(1)
    boss = BossVisitSpectrum(
        release="sdss5", run2d="v6_1_3", mjd=60000, fieldid=1, catalogid=2, healpix=3, spec_file="spec.fits"
    )
    await outputs.save(boss)
    (last,) = await spectra(1)
    assert first.spectrum_pk < boss.spectrum_pk < last.spectrum_pk


async def test_an_array_of_fibre_offsets_comes_back_as_it_was(outputs: Any) -> None:
    boss = BossVisitSpectrum(
        release="sdss5",
        run2d="v6_1_3",
        mjd=60000,
        fieldid=1,
        catalogid=2,
        healpix=3,
        spec_file="spec.fits",
        delta_ra=[0.5, None, -0.25],
    )
    await outputs.save(boss)
    stored = await outputs.get_by_id(BossVisitSpectrum, boss.pk)
    assert (stored.delta_ra, stored.delta_dec) == ([0.5, None, -0.25], None)


async def test_a_source_comes_back_with_targeting_bits_and_coordinates_in_full(outputs: Any) -> None:
    source = Source(
        sdss_id=1,
        ra=123.456789012345,
        sdss5_target_flags=b"\x00\x81",
        flag_sdss4_apogee_member_carina=True,
        w1uflags=None,
    )
    await outputs.save(source)
    stored = await outputs.get_by_id(Source, source.pk)
    assert stored.model_dump() == source.model_dump()
    assert stored.sdss4_apogee_member_flags == 1 << 61
