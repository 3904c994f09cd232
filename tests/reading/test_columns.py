"""Columns out: the same rows and values as records, in the form of each library, bounded, and shared."""

from __future__ import annotations

import asyncio
import json
import random
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

import asyncpg
import numpy as np
import pytest
from on_citus import add_table

import astra_outputs
from astra_outputs import (
    BigInt,
    BitFlags,
    Boolean,
    Bytes,
    Double,
    Flags,
    Integer,
    Json,
    NullableFlags,
    PipelineOutputMixin,
    Real,
    RealArray,
    RequiredInteger,
    SnowWhite,
    Source,
    Text,
    TheCannon,
    Timestamp,
    column,
)
from astra_outputs.errors import Closed, InvalidCondition, SchemaMismatch, UnknownColumn
from astra_outputs.reading.copying import shares_of
from astra_outputs.reading.layout import Layout
from astra_outputs.reading.outputs import chosen
from astra_outputs.reading.question import Question
from astra_outputs.reading.scope import Scope
from astra_outputs.reading.wire import Batch, Decoder

pa = pytest.importorskip("pyarrow")


class Bits(BitFlags):
    """Flags of a result."""

    LOW_SNR = 0, "S/N is 8 or below"


class EveryType(PipelineOutputMixin):
    """Results with a column of every type."""

    a_real: Real = column(unit="K", description="A real")
    a_double: Double = column(unit="km/s", description="A double")
    an_integer: Integer = column(description="An integer")
    a_bigint: BigInt = column(description="A bigint")
    a_text: Text = column(description="A text")
    a_boolean: Boolean = column(description="A boolean")
    a_time: Timestamp = column(description="A time")
    some_bytes: Bytes = column(description="Some bytes")
    some_reals: RealArray = column(unit="arcsec", description="Some reals")
    a_status: RequiredInteger = column(description="A status", default=-1)
    result_flags: Flags = column(description="Flags of the result", bits=Bits)
    other_flags: NullableFlags = column(description="Other flags")
    notes: Json = column(description="Notes")


@pytest.fixture
async def every_type(connection: asyncpg.Connection, outputs: Any, spectra: Any) -> list[EveryType]:
    """Thirty results with and without values in each column, values at the ends of the types' ranges among them."""
    await add_table(connection, EveryType)
    await connection.execute("alter table astra.every_type add column notes jsonb")
    draw = random.Random(1)
    ends: dict[str, list[Any]] = {
        "a_real": [0.0, -0.0, 3.4028234663852886e38, 1.401298464324817e-45, 0.5],
        "a_double": [0.0, 1.7976931348623157e308, 5e-324, -1.5],
        "an_integer": [0, -(2**31), 2**31 - 1],
        "a_bigint": [0, -(2**63), 2**63 - 1, 4295806720000000001],
        "a_text": ["", "a", "é 日本 🌟", "x" * 5000],
        "a_boolean": [True, False],
        "a_time": [datetime(1, 1, 2, tzinfo=UTC), datetime(2024, 2, 29, 1, 2, 3, 4, UTC), datetime(9999, 12, 30, tzinfo=UTC)],
        "some_bytes": [b"", b"\0\xff", b"x" * 300],
        "some_reals": [[], [1.5], [None, 2.0, None], [0.25] * 100],
        "result_flags": [0, 1, 2**62],
        "other_flags": [0, 2**63 - 1],
        "notes": [{"a": [1, None]}, [], "text", 1.5],
    }  # fmt: skip
    made = [
        EveryType.from_spectrum(
            spectrum,
            v_astra="0.8.1",
            **{name: draw.choice(values) for name, values in ends.items() if draw.random() < 0.7},
        )
        for spectrum in await spectra(30)
    ]
    await outputs.save_many(made)
    return await outputs.find(EveryType, order_by="task_pk")


def row(record: Any, names: Any) -> dict[str, Any]:
    return {name: getattr(record, name) for name in names}


# Bad input.


@pytest.mark.parametrize(
    ("asked", "kind", "said"),
    [
        ({"columns": ["tef"]}, UnknownColumn, r"did you mean teff\?"),
        ({"columns": ["source.g_ma"]}, UnknownColumn, r"did you mean source.g_mag\?"),
        ({"columns": "g_mag"}, UnknownColumn, r"did you mean source.g_mag\?"),
        ({"columns": ["teff", "teff"]}, InvalidCondition, "asked for twice"),
        ({"columns": ["source.g_mag"], "source": True}, InvalidCondition, "asked for twice"),
        ({"columns": []}, InvalidCondition, "no column is asked for"),
        ({"columns": [3]}, InvalidCondition, "columns are names"),
        ({"columns": ['teff"; drop table x; --']}, UnknownColumn, "is not a column"),
        ({"source": ["nothing"]}, UnknownColumn, "is not a column of source"),
    ],
)
async def test_columns_that_are_not_there_are_refused_when_they_are_asked_for(
    outputs: Any, asked: dict[str, Any], kind: type[Exception], said: str
) -> None:
    with pytest.raises(kind, match=said):
        outputs.columns(SnowWhite, **asked)


async def test_a_column_of_another_type_in_the_database_is_refused(
    outputs: Any, connection: asyncpg.Connection, every_type: Any
) -> None:
    await connection.execute("alter table astra.every_type alter column a_real type double precision")
    with pytest.raises(
        SchemaMismatch, match=r"a_real. is double precision in the database and real in the record class"
    ):
        await outputs.columns(EveryType).to_arrow()


@pytest.mark.parametrize("columns", [["a_status", "a_real"], ["a_status", "a_text"]])
async def test_null_where_the_record_class_says_there_is_none_is_refused_not_read_as_something_else(
    outputs: Any, connection: asyncpg.Connection, every_type: Any, columns: list[str]
) -> None:
    await connection.execute("alter table astra.every_type alter column a_status drop not null")
    for chosen_rows in ("task_pk = 7", "task_pk = (select max(task_pk) from astra.every_type)", "true"):
        await connection.execute(f"update astra.every_type set a_status = null where {chosen_rows}")
        with pytest.raises(SchemaMismatch, match="NULL stands where it says NOT NULL"):
            await outputs.columns(EveryType, columns=columns).to_arrow()


async def test_what_the_server_says_of_the_condition_is_said_here_too(outputs: Any, every_type: Any) -> None:
    with pytest.raises(InvalidCondition, match="division by zero"):
        await outputs.columns(EveryType, "1 / (a_status - a_status) > 0").to_arrow()
    with pytest.raises(InvalidCondition):
        await outputs.columns(EveryType, "a_real > $1", "hot").to_arrow()


# Values.


async def test_columns_hold_what_records_hold(outputs: Any, every_type: list[EveryType]) -> None:
    table = await outputs.columns(EveryType, order_by="task_pk").to_arrow()
    names = [name for name in table.column_names if name != "notes"]
    assert names == [column.name for column in EveryType.columns() if column.name != "notes"]
    table.validate(full=True)
    assert table.select(names).to_pylist() == [row(record, names) for record in every_type]
    notes = [None if text is None else json.loads(text) for text in table["notes"].to_pylist()]
    assert notes == [record.notes for record in every_type]


@pytest.mark.parametrize(
    "columns",
    [
        ["a_real"],
        ["a_text"],
        ["some_reals"],
        ["task_pk"],
        ["an_integer", "a_boolean"],
        ["a_time", "some_bytes"],
    ],
)
async def test_any_choice_of_columns_gives_the_same_values(
    outputs: Any, every_type: list[EveryType], columns: list[str]
) -> None:
    table = await outputs.columns(EveryType, columns=columns, order_by="task_pk").to_arrow()
    assert table.to_pylist() == [row(record, columns) for record in every_type]


async def test_a_parameter_of_every_type_reaches_the_copy(outputs: Any, every_type: list[EveryType]) -> None:
    for name in (
        "a_real",
        "a_double",
        "an_integer",
        "a_bigint",
        "a_text",
        "a_boolean",
        "a_time",
        "some_bytes",
    ):
        for record in every_type:
            value = getattr(record, name)
            if value is not None:
                found = await outputs.columns(
                    EveryType, f"{name} = $1", value, columns=["task_pk"]
                ).to_arrow()
                assert record.task_pk in found["task_pk"].to_pylist(), (name, value)
    hostile = "'; drop table astra.source; -- $1 \\' E'"
    assert (
        await outputs.columns(EveryType, "a_text = $1 or a_text = $2", hostile, "$1").to_arrow()
    ).num_rows == 0
    assert (await outputs.columns(EveryType, "a_text = $1", None).to_arrow()).num_rows == 0
    keys = [record.task_pk for record in every_type[:3]]
    assert (await outputs.columns(EveryType, "task_pk = any($1)", keys).to_arrow()).num_rows == 3


async def test_spectra_and_sources_come_beside_their_results_under_names_of_their_own(
    outputs: Any, spectra: Any
) -> None:
    stored = await spectra(3)
    await outputs.save_many(TheCannon.from_spectrum(s, v_astra="0.8.1", teff=1.0) for s in stored)
    await outputs.save(TheCannon.from_spectrum(stored[0], v_astra="0.9.0", teff=2.0))
    table = await outputs.columns(
        TheCannon, newest=True, spectrum=True, source=True, order_by="spectrum_pk"
    ).to_arrow()
    assert len(set(table.column_names)) == len(table.column_names)
    assert table["teff"].to_pylist() == [2.0, 1.0, 1.0]
    assert table["snr"].to_pylist() == [100.0] * 3
    assert table["sdss_id"].to_pylist() == [1, 2, 3]
    assert table["source_created"].to_pylist() != table["created"].to_pylist()
    few = await outputs.columns(
        TheCannon, columns=["teff", "spectrum.snr"], source=["sdss_id"], limit=1
    ).to_arrow()
    assert few.column_names == ["teff", "snr", "sdss_id"]


async def test_a_row_without_spectrum_or_source_has_nulls_there(
    outputs: Any, connection: asyncpg.Connection
) -> None:
    await connection.execute("insert into astra.spectrum (pk) values (1000)")
    await outputs.save(TheCannon(spectrum_pk=1000, v_astra="0.8.1", teff=9000.0))
    table = await outputs.columns(TheCannon, columns=["teff"], spectrum=True, source=True).to_arrow()
    table.validate(full=True)
    ((first, *others),) = [list(entry.values()) for entry in table.to_pylist()]
    assert first == 9000.0
    assert set(others) == {None}


async def test_no_rows_are_a_table_with_columns_in_every_form(outputs: Any, every_type: Any) -> None:
    columns = outputs.columns(EveryType, "task_pk < 0")
    names = list(columns.names)
    assert (await columns.to_arrow()).column_names == names
    assert (await columns.to_arrow()).num_rows == 0
    assert list((await columns.to_pandas()).columns) == names
    assert (await columns.to_polars()).columns == names
    assert (await columns.to_astropy()).colnames == names
    assert {len(values) for values in (await columns.to_numpy()).values()} == {0}
    assert await columns.count() == 0


# Forms.


async def test_units_descriptions_and_flags_are_in_the_metadata(outputs: Any, every_type: Any) -> None:
    schema = outputs.columns(EveryType, columns=["a_real", "result_flags", "source.g_mag"]).schema
    assert schema.field("a_real").metadata[b"unit"] == b"K"
    assert schema.field("a_real").metadata[b"description"] == b"A real"
    assert json.loads(schema.field("result_flags").metadata[b"flags"]) == [
        {"bit": 0, "name": "low_snr", "meaning": "S/N is 8 or below"}
    ]
    assert schema.field("g_mag").metadata[b"table"] == b"source"
    assert not schema.field("result_flags").nullable


async def test_pandas_keeps_whole_numbers_whole(outputs: Any, every_type: list[EveryType]) -> None:
    pandas = pytest.importorskip("pandas")
    frame = await outputs.columns(EveryType, order_by="task_pk").to_pandas()
    for name in ("a_bigint", "an_integer", "a_boolean", "a_text", "a_real", "a_double"):
        found = [None if pandas.isna(value) else value for value in frame[name]]
        assert found == [getattr(record, name) for record in every_type], name
    assert str(frame["a_bigint"].dtype) == "Int64"
    assert frame.attrs["columns"]["a_real"]["unit"] == "K"


async def test_polars_has_the_same_values(outputs: Any, every_type: list[EveryType]) -> None:
    pytest.importorskip("polars")
    frame = await outputs.columns(EveryType, order_by="task_pk").to_polars()
    names = [name for name in frame.columns if name != "notes"]
    assert frame.select(names).to_dicts() == [row(record, names) for record in every_type]


async def test_numpy_masks_what_is_missing(outputs: Any, every_type: list[EveryType]) -> None:
    arrays = await outputs.columns(EveryType, order_by="task_pk").to_numpy()
    assert isinstance(arrays["task_pk"], np.ndarray)
    assert not isinstance(arrays["task_pk"], np.ma.MaskedArray)
    assert arrays["a_real"].dtype == np.float32
    assert arrays["a_real"].dtype.isnative
    for name in ("a_real", "a_double", "a_bigint", "a_boolean", "a_text", "some_bytes"):
        assert arrays[name].tolist() == [getattr(record, name) for record in every_type], name
    times = [
        None if t is None else np.datetime64(t.replace(tzinfo=None), "us")
        for t in (r.a_time for r in every_type)
    ]
    assert [
        None if gone else time
        for time, gone in zip(arrays["a_time"].data, np.ma.getmaskarray(arrays["a_time"]), strict=True)
    ] == times
    lists = [
        None if value is None else [None if np.isnan(x) else float(x) for x in value]
        for value in arrays["some_reals"].tolist()
    ]
    assert lists == [record.some_reals for record in every_type]


async def test_astropy_has_units_and_masks(outputs: Any, every_type: list[EveryType]) -> None:
    units = pytest.importorskip("astropy.units")
    table = await outputs.columns(EveryType, order_by="task_pk").to_astropy()
    assert table["a_real"].unit == units.K
    assert table["a_double"].unit == units.km / units.s
    assert table["a_real"].description == "A real"
    assert table["result_flags"].meta["flags"][0]["name"] == "low_snr"
    for name in ("a_real", "a_bigint", "a_boolean", "a_text"):
        assert table[name].tolist() == [getattr(record, name) for record in every_type], name
    times = [record.a_time for record in every_type]
    assert [bool(gone) for gone in table["a_time"].mask] == [time is None for time in times]
    ordinary = [place for place, time in enumerate(times) if time is not None and time.year == 2024]
    assert ordinary
    assert table["a_time"][ordinary[0]].to_datetime(UTC) == datetime(2024, 2, 29, 1, 2, 3, 4, UTC)


async def test_a_library_that_takes_arrow_streams_takes_the_columns_themselves(
    outputs: Any, every_type: list[EveryType]
) -> None:
    columns = outputs.columns(EveryType, order_by="task_pk")
    expected = await columns.to_arrow()
    assert pa.table(columns).equals(expected)  # inside a running loop, which waits meanwhile
    assert (await asyncio.to_thread(pa.table, columns)).equals(expected)
    reader = pa.RecordBatchReader.from_stream(columns)
    del reader  # never read


async def test_a_stream_of_arrow_on_your_own_connection_says_what_to_do(
    connection: asyncpg.Connection,
) -> None:
    async with astra_outputs.connect(connection=connection) as outputs:
        with pytest.raises(Closed, match="await"):
            pa.table(outputs.columns(Source))
        assert (await outputs.columns(Source).to_arrow()).num_rows == 0
        async with connection.transaction():
            assert (await outputs.columns(Source).to_arrow()).num_rows == 0


# Blocks and batches.


async def wire_of(connection: asyncpg.Connection, layout: Layout, question: Question) -> bytes:
    chunks: list[bytes] = []

    async def take(chunk: bytes) -> None:
        chunks.append(chunk)

    text = question.statement("astra", layout.selected, layout.tables).text
    await connection.copy_from_query(text, output=take, format="binary")
    return b"".join(chunks)


def joined(batches: list[Batch], layout: Layout) -> list[Any]:
    from astra_outputs.reading.arrow import record_batch, schema

    known = schema(layout)
    return pa.Table.from_batches([record_batch(batch, layout, known) for batch in batches], known).to_pylist()


@pytest.mark.parametrize("columns", [["a_real", "an_integer", "a_boolean"], None])
async def test_it_does_not_matter_where_the_stream_is_cut_or_how_long_batches_are(
    connection: asyncpg.Connection, every_type: list[EveryType], columns: list[str] | None, monkeypatch: Any
) -> None:
    monkeypatch.setattr("astra_outputs.reading.wire.BLOCK", 1)
    scope = Scope.of(EveryType)
    layout = Layout.of(chosen(scope, columns))
    data = await wire_of(connection, layout, Question.of(EveryType, None, (), {"order_by": "task_pk"}))
    names = [output.name for output in layout.outputs if output.name != "notes"]
    expected = [row(record, names) for record in every_type]
    draw = random.Random(2)
    for rows in (1, 7, 30, 1000):
        for longest in (1, 50, 3000) if columns else (300, 3000, 100_000):
            decoder, batches, at = Decoder(layout, rows), [], 0
            while at < len(data):
                size = draw.randint(1, longest)
                chunk = data[at : at + size] if at else data[: max(size, 19)]
                at += len(chunk)
                batches += decoder.feed(chunk)
            batches += decoder.finish()
            assert [batch.rows for batch in batches][:-1] == [rows] * (len(batches) - 1)
            found = joined(batches, layout)
            assert [{name: entry[name] for name in names} for entry in found] == expected


@pytest.mark.parametrize("cut", [0, 5, 19, 40, -1, -2, -3])
async def test_a_stream_that_is_cut_short_is_never_taken_for_all(
    connection: asyncpg.Connection, every_type: Any, cut: int
) -> None:
    layout = Layout.of(chosen(Scope.of(EveryType), ["a_real", "an_integer"]))
    data = await wire_of(connection, layout, Question.of(EveryType, None, (), {}))
    decoder = Decoder(layout)
    list(decoder.feed(data[:cut]))
    with pytest.raises(SchemaMismatch):
        list(decoder.finish())


async def test_batches_come_one_after_the_other_and_may_be_left(
    database: str, every_type: list[EveryType], monkeypatch: Any
) -> None:
    monkeypatch.setattr("astra_outputs.reading.wire.BLOCK", 1)
    monkeypatch.setattr(Decoder.__init__, "__defaults__", (4,))
    async with astra_outputs.connect(database, connections=1) as outputs:
        columns = outputs.columns(EveryType, columns=["task_pk"], order_by="task_pk")
        sizes = [batch.num_rows async for batch in columns.batches()]
        assert sizes == [4] * 7 + [2]
        batches = columns.batches()
        assert (await anext(batches)).num_rows == 4
        await batches.aclose()
        async with asyncio.timeout(60):
            assert len(await outputs.find(EveryType)) == 30


async def test_the_number_of_rows_is_that_of_the_snapshot(outputs: Any, every_type: list[EveryType]) -> None:
    columns = outputs.columns(EveryType, "task_pk > $1", 0, columns=["a_real"])
    async with columns.reading() as answer:
        await outputs.save(
            EveryType.from_spectrum(
                await outputs.get_by_id(astra_outputs.ApogeeCoaddedSpectrumInApStar, 1), v_astra="0.9.0"
            )
        )
        assert await answer.count() == 30
        assert sum([batch.rows async for batch in answer.batches()]) == 30
    assert await columns.count() == 31
    assert await outputs.columns(EveryType, limit=5, order_by="task_pk").count() == 5


# Several connections.


def test_shares_of_pages_cover_each_page_once() -> None:
    for pages in (1, 2, 7, 1000):
        for shares in (1, 2, 3, 8):
            ranges = shares_of(pages, shares)
            assert ranges[0][0] == 0
            assert ranges[-1][1] is None
            assert all(end == start for (_, end), (start, _) in pairwise(ranges))


@pytest.mark.usefixtures("plain_tables")
@pytest.mark.parametrize("connections", [2, 3])
async def test_several_connections_read_each_row_once_all_in_one_snapshot(
    database: str, spectra: Any, connection: asyncpg.Connection, monkeypatch: Any, connections: int
) -> None:
    monkeypatch.setattr("astra_outputs.reading.copying.FEWEST_PAGES", 2)
    async with astra_outputs.connect(database, connections=connections) as outputs:
        stored = await spectra(500)
        for version in range(8):
            await outputs.save_many(
                TheCannon.from_spectrum(s, v_astra=f"0.{version}.0", teff=float(s.spectrum_pk))
                for s in stored
            )
        columns = outputs.columns(
            TheCannon,
            "teff > $1",
            10,
            columns=["task_pk", "teff"],
            source=["sdss_id"],
            connections=connections,
        )
        async with columns.reading() as answer:
            assert len(answer.shares) == connections
            await connection.execute("delete from astra.the_cannon where v_astra_major_minor < 4")
            keys = [key async for batch in answer.batches() for key in batch.numbers["task_pk"].tolist()]
        assert len(keys) == len(set(keys)) == 8 * 490
        assert (await columns.to_arrow()).num_rows == 4 * 490
        one_after_the_other = await asyncio.gather(*(columns.to_arrow() for _ in range(5)))
        assert {table.num_rows for table in one_after_the_other} == {4 * 490}


@pytest.mark.usefixtures("plain_tables")
async def test_one_connection_reads_where_rows_have_an_order_or_a_limit(
    outputs: Any, every_type: Any, monkeypatch: Any
) -> None:
    monkeypatch.setattr("astra_outputs.reading.copying.FEWEST_PAGES", 1)
    for asked, shares in (({}, 2), ({"order_by": "task_pk"}, 1), ({"limit": 3}, 1)):
        columns = outputs.columns(EveryType, connections=2, **asked)
        async with columns.reading() as answer:
            assert len(answer.shares) == shares, asked
    monkeypatch.setattr("astra_outputs.postgres.database.Database.direct", False)
    async with outputs.columns(EveryType, connections=2).reading() as answer:
        assert len(answer.shares) == 1


async def test_an_error_on_one_connection_ends_the_others(
    outputs: Any, every_type: list[EveryType], monkeypatch: Any
) -> None:
    monkeypatch.setattr("astra_outputs.reading.copying.FEWEST_PAGES", 1)
    condition = f"1 / (task_pk - {every_type[-1].task_pk}) < 5"
    columns = outputs.columns(EveryType, condition, connections=2)
    for _ in range(3):
        with pytest.raises(InvalidCondition, match="division by zero"):
            await columns.to_arrow()
    assert len(await outputs.find(EveryType)) == 30
