"""Results on their way out: columns as Arrow, and records, beside what else reads a table.

Columns are read by `outputs.columns(...).to_arrow()` on one connection and on two, by ADBC's driver, which makes
Arrow of PostgreSQL's COPY in C (its own batch size made no difference from 1 to 256 MiB), and by asyncpg's `fetch`; *server alone* is the server's own COPY to nowhere. The
columns are the keys, the version, a time and labels, one in twenty of them NULL. Records are read by `outputs.find`,
beside asyncpg's bare `fetch` of the same columns. What each gives as Arrow is compared with what asyncpg reads, value
by value, before anything is timed; and the memory that each takes at its worst is read in a process of its own.
"""

from __future__ import annotations

import asyncio
import multiprocessing
from collections.abc import Awaitable, Callable
from concurrent.futures import ProcessPoolExecutor
from contextlib import AsyncExitStack
from dataclasses import dataclass
from functools import partial
from operator import itemgetter
from typing import Any

import asyncpg

import astra_outputs
from astra_outputs.postgres.sql import templates
from benchmarks.cpu import ServerCpu
from benchmarks.measure import Series, reason, say, status, turns
from benchmarks.server import connected
from benchmarks.tables import SCHEMA, V_ASTRA, Table, create_parents

KEYS = ("task_pk", "source_pk", "spectrum_pk", "v_astra", "created")
"""Columns that are read beside the labels."""
PROOF = 10_000
"""Rows that are compared."""

KEEP_MEMORY = templates("reading")["keep_memory"].text
"""What `outputs.columns` has the server do first, done for all: without it a wide row takes a connection up to three
times as long, or does not, as luck has it."""


@dataclass(frozen=True)
class Size:
    """How much is read.

    Attributes
    ----------
    rows : int
        Rows of the tables, all of which are read as columns.
    found : int
        Rows that are read as records, and by asyncpg: it would take gigabytes for all of them.
    rounds : dict[int, int]
        Rounds by number of columns.
    """

    rows: int
    found: int
    rounds: dict[int, int]


FULL = Size(1_000_000, 100_000, {70: 5, 200: 3})
QUICK = Size(300_000, 50_000, {70: 3, 200: 3})
SMOKE = Size(20_000, 500, {10: 2})


async def run(dsn: str, size: Size) -> dict[str, Any]:
    """Return, by number of columns, rows a second as columns and as records, and the memory taken."""
    found = {}
    for columns, rounds in size.rounds.items():
        async with AsyncExitStack() as stack:
            connection = await stack.enter_async_context(connected(dsn))
            table = Table(columns - len(KEYS))
            say(f"reading: {size.rows:,} rows of {columns} columns")
            await _fill(connection, table, size.rows)
            found[str(columns)] = {
                "columns": await _columns(dsn, connection, table, size, rounds),
                "records": await _records(dsn, connection, table, size, rounds),
                "memory": {way: await _in_own_process(dsn, way, table.width) for way in MEASURED},
            }
            await connection.execute(f"drop table {table.name}, {table.seed}")
    return {"rows": size.rows, "found": size.found, "tables": found}


async def _fill(connection: asyncpg.Connection, table: Table, count: int) -> None:
    """Make the table on the server; no two columns are alike, and one label in twenty is NULL."""
    await create_parents(connection, 1)
    await connection.execute(table.create())
    labels = ", ".join(
        f"case when (k + {number}) % 20 <> 0 then ((k::bigint * {2 * number + 7919}) % 65521)::real / 16 end"
        for number in range(table.width)
    )
    async with connection.transaction():
        await connection.execute("set local session_replication_role = replica")  # its sources are not there
        await connection.execute(
            f"insert into {table.name} ({', '.join(table.columns)}) "
            f"select k, k, {V_ASTRA}, 0.25, 0.125, '', {labels} from generate_series(1, {count}) as k"
        )
    await connection.execute(f"vacuum (freeze, analyze) {table.name} (spectrum_pk, v_astra_major_minor)")
    await connection.execute("checkpoint")


class Reader:
    """The ways to read one table; each opens what it needs and gives all rows, or those up to a key.

    Parameters
    ----------
    dsn : str
        The server.
    table : Table
        What is read.
    """

    def __init__(self, dsn: str, table: Table) -> None:
        self._dsn, self._table, self._stack = dsn, table, AsyncExitStack()
        self.names = (*KEYS, *table.labels)

    async def open(self) -> None:
        """Connect everybody."""
        outputs = astra_outputs.connect(self._dsn, schema=SCHEMA)
        self._outputs = await self._stack.enter_async_context(outputs)
        self._connection = await self._stack.enter_async_context(connected(self._dsn))
        await self._connection.execute(KEEP_MEMORY)

    async def close(self) -> None:
        """Disconnect everybody."""
        await self._stack.aclose()

    def _query(self, names: tuple[str, ...], up_to: int | None) -> str:
        where = "" if up_to is None else f" where spectrum_pk <= {up_to}"
        return f"select {', '.join(names)} from {SCHEMA}.{self._table.name}{where}"

    async def ours(self, up_to: int | None = None, connections: int = 1) -> Any:
        """Read columns by this project."""
        condition = () if up_to is None else ("spectrum_pk <= $1", up_to)
        columns = self._outputs.columns(
            self._table.record_class, *condition, columns=self.names, connections=connections
        )
        return await columns.to_arrow()

    async def adbc(self, up_to: int | None = None) -> Any:
        """Read columns by ADBC, which blocks."""
        from adbc_driver_postgresql import dbapi

        if not hasattr(self, "_adbc"):
            self._adbc = dbapi.connect(self._dsn)
            self._stack.callback(self._adbc.close)
            with self._adbc.cursor() as cursor:
                cursor.execute(KEEP_MEMORY)
                cursor.fetchall()
        with self._adbc.cursor() as cursor:
            cursor.execute(self._query(self.names, up_to))
            table = cursor.fetch_arrow_table()
        self._adbc.rollback()
        return table

    async def asyncpg(self, up_to: int | None = None) -> Any:
        """Read the same columns as rows."""
        return await self._connection.fetch(self._query(self.names, up_to))

    async def server_alone(self) -> Any:
        """Let the server write the columns to nowhere."""
        await self._connection.execute(
            f"copy ({self._query(self.names, None)}) to '/dev/null' (format binary)"
        )

    async def found(self, up_to: int) -> Any:
        """Read records by this project."""
        return await self._outputs.find(self._table.record_class, "spectrum_pk <= $1", up_to)

    async def fetched(self, up_to: int) -> Any:
        """Read all columns of a record as rows, by asyncpg."""
        names = tuple(column.name for column in self._table.record_class.columns())
        return await self._connection.fetch(self._query(names, up_to))


Way = tuple[str, int, Callable[[], Awaitable[Any]]]
"""A label, how many rows it reads, and how."""


async def _columns(
    dsn: str, connection: asyncpg.Connection, table: Table, size: Size, rounds: int
) -> dict[str, Any]:
    reader = Reader(dsn, table)
    await reader.open()
    ways: dict[str, Way] = {
        "adbc": ("ADBC fetch_arrow_table", size.rows, reader.adbc),
        "asyncpg": ("asyncpg fetch", size.found, lambda: reader.asyncpg(size.found)),
        "server_alone": ("limit: server alone, COPY to nowhere", size.rows, reader.server_alone),
        "columns": ("columns to Arrow", size.rows, reader.ours),
        "columns_2": ("columns to Arrow, 2 connections", size.rows, lambda: reader.ours(connections=2)),
    }
    try:
        some = {"adbc": reader.adbc, "columns": reader.ours, "columns_2": partial(reader.ours, connections=2)}
        return await race(connection, ways, rounds, await _proved(reader, some))
    finally:
        await reader.close()


async def _records(
    dsn: str, connection: asyncpg.Connection, table: Table, size: Size, rounds: int
) -> dict[str, Any]:
    reader = Reader(dsn, table)
    await reader.open()
    ways: dict[str, Way] = {
        "fetch": ("asyncpg fetch", size.found, lambda: reader.fetched(size.found)),
        "find": ("find", size.found, lambda: reader.found(size.found)),
    }
    try:
        return await race(connection, ways, rounds, {})
    finally:
        await reader.close()


async def race(
    connection: asyncpg.Connection, ways: dict[str, Way], rounds: int, errors: dict[str, str]
) -> dict[str, Any]:
    """Let all take turns, after a first time that is not counted; one that fails is reported."""
    server_cpu = ServerCpu(connection).seconds
    series = {name: Series(server_cpu=server_cpu, error=errors.get(name)) for name in ways}
    for number, name in turns(list(ways), rounds + 1):
        label, rows, read = ways[name]
        if series[name].error is not None:
            continue
        try:
            await (series[name].add(read, rows) if number else read())
        except Exception as error:  # noqa: BLE001 (the others go on)
            series[name].error = reason(error)
            say(f"[red]{label} left out:[/] {reason(error)}")
    return {name: {"label": ways[name][0], **found.summary()} for name, found in series.items()}


class WrongColumns(AssertionError):
    """What a way reads is not what is stored: its speed means nothing."""


async def _proved(reader: Reader, ways: dict[str, Callable[[int], Awaitable[Any]]]) -> dict[str, str]:
    """Return why the columns of some ways are not to be trusted: asyncpg reads other values."""
    rows = sorted(await reader.asyncpg(PROOF), key=itemgetter("spectrum_pk"))
    stored = {name: [row[name] for row in rows] for name in reader.names}
    errors = {}
    for way, read in ways.items():
        try:
            _compare(await read(PROOF), stored)
        except Exception as error:  # noqa: BLE001 (it is reported)
            errors[way] = reason(error)
            say(f"[red]{way} left out:[/] {errors[way]}")
    return errors


def _compare(arrow: Any, stored: dict[str, list[Any]]) -> None:
    arrow = arrow.sort_by("spectrum_pk")
    for name, values in stored.items():
        if arrow.column(name).to_pylist() != values:
            raise WrongColumns(f"{name} is not what is stored")


MEASURED = ("columns", "columns_2", "adbc")
"""Ways whose memory is measured."""


async def _in_own_process(dsn: str, way: str, width: int) -> dict[str, Any]:
    say(f"memory of {way}")
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as processes:
        try:
            return await asyncio.wrap_future(processes.submit(_memory, dsn, way, width))
        except Exception as error:  # noqa: BLE001
            return {"error": reason(error)}


def _memory(dsn: str, way: str, width: int) -> dict[str, Any]:
    """Return the size of the Arrow table, and what the process took beyond what it had before."""
    return asyncio.run(_read_once(dsn, way, width))


async def _read_once(dsn: str, way: str, width: int) -> dict[str, Any]:
    reader = Reader(dsn, Table(width))
    await reader.open()
    read = {
        "columns": reader.ours,
        "columns_2": lambda up_to=None: reader.ours(up_to, connections=2),
        "adbc": reader.adbc,
    }[way]
    await read(1_000)  # libraries and connections are there
    before = status("VmRSS")
    arrow = await read()
    peak, size = status("VmHWM") - before, arrow.nbytes
    await reader.close()
    return {
        "arrow_mib": round(size / 2**20, 1),
        "peak_mib": round(peak / 2**20, 1),
        "ratio": round(peak / size, 3),
    }
