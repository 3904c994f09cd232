"""Results on their way into a FITS file: a release's columns of ASPCAP, its spectra and their sources.

The same 250 columns go to Arrow by `outputs.columns`, into a file by `outputs.export`, and into a file as upstream
Astra does it: rows as dictionaries out of Peewee, values appended to a list a column, `fits.Column`, `writeto`.
The last keeps everything in memory, 17 KiB and more a row, and stores fewer rows. An export to .fits.gz stands beside
zlib alone, which compresses the bytes of the same file, at the same level, in as many threads. Memory is that of a
process of its own, and of all that it starts.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import zlib
from collections import deque
from collections.abc import Sequence
from concurrent.futures import Future, ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import asyncpg
import numpy as np

import astra_outputs
from astra_outputs import ASPCAP, ApogeeCoaddedSpectrumInApStar, Record, Source
from astra_outputs.export.sinks import CHUNK, LEVEL, MOST_THREADS
from astra_outputs.postgres import sql_files
from benchmarks.measure import GreatestMemory, reason, say
from benchmarks.race import WrongRows
from benchmarks.reading import Way, race
from benchmarks.server import connected
from benchmarks.tables import SCHEMA, V_ASTRA

JOINED = {"spectrum": ApogeeCoaddedSpectrumInApStar, "source": Source}
OF_EACH = 20
"""Columns of the spectrum, and of the source, beside all of the result's."""
NUMBERS = ("real", "double precision", "integer")


@dataclass(frozen=True)
class Size:
    """How many rows there are, how many of them the upstream way stores, and rounds."""

    rows: int
    upstream: int
    rounds: int


FULL = Size(1_000_000, 20_000, 3)
QUICK = Size(200_000, 10_000, 3)
SMOKE = Size(300, 100, 1)


def chosen() -> dict[str, list[Any]]:
    """Return the columns that are read, by whose they are."""
    own = [column for column in ASPCAP.columns() if column.generated is None or column.name == "task_pk"]
    return {"result": own} | {
        name: [column for column in of.columns() if column.type.sql in NUMBERS][:OF_EACH]
        for name, of in JOINED.items()
    }


def names() -> tuple[str, ...]:
    """Return the same as `columns` takes them."""
    return tuple(
        column.name if whose == "result" else f"{whose}.{column.name}"
        for whose, columns in chosen().items()
        for column in columns
    )


async def run(dsn: str, size: Size) -> dict[str, Any]:
    """Return rows a second of each way, and the memory that a process takes."""
    async with AsyncExitStack() as stack:
        connection = await stack.enter_async_context(connected(dsn))
        folder = Path(stack.enter_context(TemporaryDirectory()))
        say(f"files: {size.rows:,} rows of {len(names())} columns")
        await _fill(connection, size.rows)
        await connection.execute("checkpoint")
        outputs = await stack.enter_async_context(astra_outputs.connect(dsn, schema=SCHEMA))
        ways: dict[str, Way] = {
            "columns": ("columns to Arrow", size.rows, lambda: _to_arrow(outputs)),
            "export": ("export to FITS", size.rows, lambda: _export(outputs, folder / "ours.fits")),
            "gzipped": ("export to FITS.gz", size.rows, lambda: _export(outputs, folder / "ours.fits.gz")),
            "zlib": (
                f"zlib alone, {threads()} threads",
                size.rows,
                lambda: _zlib_alone(folder / "plain.fits", folder / "plain.z"),
            ),
            "upstream": (
                f"as upstream, {size.upstream:,} rows",
                size.upstream,
                lambda: _upstream(dsn, size.upstream, folder / "upstream.fits"),
            ),
        }
        await _export(outputs, folder / "plain.fits")
        found = await race(connection, ways, size.rounds, {})
        memory = {name: await _in_own_process(dsn, name, size) for name in ("export", "gzipped", "upstream")}
        await connection.execute(f"drop schema {SCHEMA} cascade")
    return {"rows": size.rows, "columns": len(names()), "ways": found, "memory": memory}


async def _fill(connection: asyncpg.Connection, count: int) -> None:
    """Make the tables anew, with rows that agree in their keys."""
    await connection.execute(f"drop schema if exists {SCHEMA} cascade")
    await sql_files.apply(connection, SCHEMA)
    await connection.execute(f"set search_path to {SCHEMA}")
    keys = {"spectrum_pk": "k", "source_pk": "k", "pk": "k", "obj": "'2M' || k", "v_astra": str(V_ASTRA)}
    texts = dict.fromkeys(("release", "apred", "telescope"), "'dr19'")
    async with connection.transaction():
        await connection.execute("set local session_replication_role = replica")
        await connection.execute(f"insert into spectrum (pk) select generate_series(1, {count})")
        for of in (Source, ApogeeCoaddedSpectrumInApStar, ASPCAP):
            names = {column.name for column in of.columns()}
            values = {name: value for name, value in (keys | texts).items() if name in names}
            values = _numbers(of) | values
            await connection.execute(
                f"insert into {of.table} ({', '.join(values)}) "
                f"select {', '.join(values.values())} from generate_series(1, {count}) as k"
            )
    for of in (Source, ApogeeCoaddedSpectrumInApStar, ASPCAP):
        await connection.execute(f"vacuum (freeze, analyze) {of.table}")


def _numbers(of: type[Record]) -> dict[str, str]:
    """Return an expression of `k` for each column of numbers that has no meaning as a key."""
    columns = [column for column in of.columns() if column.type.sql in NUMBERS and column.generated is None]
    return {
        column.name: f"((k::bigint * {2 * number + 7919}) % 65521)::{column.type.sql}"
        for number, column in enumerate(columns)
        if not column.name.endswith("_pk")
    }


async def _to_arrow(outputs: Any) -> Any:
    return await outputs.columns(ASPCAP, columns=names()).to_arrow()


async def _export(outputs: Any, file: Path) -> None:
    await outputs.export(ASPCAP, file, columns=names(), overwrite=True)


async def _zlib_alone(file: Path, into: Path) -> None:
    """Compress a file as an export does, without reading a database; it blocks."""
    with file.open("rb") as plain, into.open("wb") as packed, ThreadPoolExecutor(threads()) as pool:
        waiting: deque[Future[bytes]] = deque()
        while chunk := plain.read(CHUNK):
            waiting.append(pool.submit(_deflated, chunk))
            while len(waiting) > 2 * threads():
                packed.write(waiting.popleft().result())
        for rest in waiting:
            packed.write(rest.result())


def _deflated(chunk: bytes) -> bytes:
    zlib.crc32(chunk)  # which gzip wants, too
    return zlib.compress(chunk, LEVEL)


def threads() -> int:
    """Return in how many threads an export compresses."""
    return min(MOST_THREADS, os.cpu_count() or 1)


FORMATS = {"real": "E", "double precision": "D", "integer": "J", "bigint": "K"}
FILLS = {"real": np.nan, "double precision": np.nan, "integer": -1, "bigint": -1}


async def _upstream(dsn: str, rows: int, file: Path) -> None:
    """Write a file as upstream's products are written; it blocks."""
    import peewee
    from astropy.io import fits

    database = peewee.PostgresqlDatabase(dsn)
    with database.connection_context():
        query = _query(peewee, database).where(peewee.SQL(f"t1.spectrum_pk <= {rows}"))
        columns = [(f"{whose}_{one.name}", one) for whose, ones in chosen().items() for one in ones]
        values: dict[str, list[Any]] = {name: [] for name, _ in columns}
        for row in query.dicts():
            for name, column in columns:
                value = row[name]
                values[name].append(FILLS.get(column.type.sql, "") if value is None else value)
    made = [_column(fits, name, column.type.sql, values[name]) for name, column in columns]
    table = fits.BinTableHDU.from_columns(made)
    fits.HDUList([fits.PrimaryHDU(), table]).writeto(file, overwrite=True)


def _column(fits: Any, name: str, kind: str, values: Sequence[Any]) -> Any:
    if kind in FORMATS:
        return fits.Column(name=name, format=FORMATS[kind], array=np.array(values))
    texts = [value if isinstance(value, str) else value.isoformat() for value in values]
    longest = max([1, *map(len, texts)])
    return fits.Column(name=name, format=f"{longest}A", array=np.array(texts))


def _query(peewee: Any, database: Any) -> Any:
    """Return upstream's query: models of three tables, joined, their fields by name."""
    fields = {
        "real": peewee.FloatField,
        "double precision": peewee.DoubleField,
        "integer": peewee.IntegerField,
        "bigint": peewee.BigIntegerField,
        "text": peewee.TextField,
        "timestamp with time zone": peewee.DateTimeField,
    }

    def model(of: type[Record], columns: Sequence[Any], *keys: str) -> Any:
        kinds = {column.name: fields[column.type.sql] for column in columns}
        kinds |= dict.fromkeys(keys, peewee.BigIntegerField)
        meta = type(
            "Meta",
            (),
            {"database": database, "table_name": of.table, "schema": SCHEMA, "primary_key": False},
        )
        return type(
            of.__name__, (peewee.Model,), {**{n: kind(null=True) for n, kind in kinds.items()}, "Meta": meta}
        )

    given = chosen()
    result = model(ASPCAP, given["result"])
    spectrum = model(JOINED["spectrum"], given["spectrum"], "spectrum_pk")
    source = model(Source, given["source"], "pk")
    models = {"result": result, "spectrum": spectrum, "source": source}
    selected = [
        getattr(models[whose], one.name).alias(f"{whose}_{one.name}")
        for whose, ones in given.items()
        for one in ones
    ]
    return (
        result.select(*selected)
        .join(spectrum, on=(spectrum.spectrum_pk == result.spectrum_pk))
        .switch(result)
        .join(source, on=(source.pk == result.source_pk))
    )


async def _in_own_process(dsn: str, way: str, size: Size) -> dict[str, Any]:
    """Return the greatest memory of a process, and of those that it starts, while it writes one file."""
    say(f"memory of {way}")
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as processes:
        try:
            return await asyncio.wrap_future(processes.submit(_memory, dsn, way, size))
        except Exception as error:  # noqa: BLE001 (it is reported)
            return {"error": reason(error)}


def _memory(dsn: str, way: str, size: Size) -> dict[str, Any]:
    return asyncio.run(_write_once(dsn, way, size))


def _rows_in(file: Path) -> int:
    from astropy.io import fits

    with fits.open(file) as units:
        return sum(unit.header["NAXIS2"] for unit in units if unit.header.get("XTENSION") == "BINTABLE")


async def _write_once(dsn: str, way: str, size: Size) -> dict[str, Any]:
    rows = size.upstream if way == "upstream" else size.rows
    with TemporaryDirectory() as folder:
        file = Path(folder) / ("file.fits.gz" if way == "gzipped" else "file.fits")
        if way == "upstream":
            await _upstream(dsn, 10, file)  # libraries are there
            with GreatestMemory() as memory:
                await _upstream(dsn, rows, file)
        else:
            async with astra_outputs.connect(dsn, schema=SCHEMA) as outputs:
                with GreatestMemory() as memory:
                    await _export(outputs, file)
        before, peak = memory.before, memory.greatest
        if (stored := _rows_in(file)) != rows:
            raise WrongRows(f"{stored} of {rows} rows are in the file")
        return {
            "rows": rows,
            "peak_mib": round(peak / 2**20, 1),
            "kib_a_row": round((peak - before) / rows / 1024, 2),
            "file_mib": round(file.stat().st_size / 2**20, 1),
        }
