"""FITS files, streamed: headers first, then rows as they come, and checksums in the end."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import aclosing
from typing import Any

from astra_outputs.errors import NoRows
from astra_outputs.export import fits_header
from astra_outputs.export.casjobs import Written
from astra_outputs.export.checksum import Sum
from astra_outputs.export.facts import Fact
from astra_outputs.export.fits_fields import Field, blocks, fields, measures, refuse_too_many
from astra_outputs.export.selection import INSTRUMENTS, named_tables
from astra_outputs.export.sinks import Sink
from astra_outputs.postgres.database import Database
from astra_outputs.reading.copying import Copying, Opened
from astra_outputs.reading.scope import SOURCE, SPECTRUM

UNIT = 2880
"""Bytes of which a FITS file has a multiple."""

Progress = Callable[[int, int], None]
"""Is told how many rows are written, and how many there will be."""


async def write_fits(
    sink: Sink,
    database: Database,
    readings: Sequence[Copying],
    facts: Sequence[Fact],
    *,
    upper: bool,
    fully: bool,
    progress: Progress | None,
) -> dict[str, Written]:
    """Write a file with a table for each reading; return what was written of each by its name.

    Raises
    ------
    Unforeseen
        If a row has what only full measures foresee.
    """
    for one in readings:
        refuse_too_many(one.layout.outputs)
    tables = named_tables(readings)
    sink.reserve(fits_header.signed(fits_header.primary(facts, _contents(tables))))
    written: dict[str, Written] = {}
    for name, reading in tables.items():
        if reading is None:
            _empty(sink, readings[0], [("EXTNAME", name, "spectra of this instrument"), *facts], upper)
            written[name] = Written(0, ())
            continue
        async with reading.opened(database) as answer:
            written[name] = await _table(sink, answer, reading, name, facts, upper, fully, progress)
    if not any(table.rows for table in written.values()):
        raise NoRows(
            f"no row of {readings[0].question.scope.record_class.table} is as asked for: nothing is written"
        )
    sink.finish()
    return written


def _contents(tables: dict[str, Copying | None]) -> list[str]:
    lines = ["HDU 0: this header"]
    for number, (name, reading) in enumerate(tables.items(), start=1):
        if reading is None:
            lines.append(f"HDU {number}: {name}, no rows: not of the spectra that these are of")
            continue
        scope = reading.question.scope
        joined = [other.table for alias, other in scope.tables.items() if alias in reading.layout.tables]
        lines.append(
            f"HDU {number}: {name}, rows of {scope.record_class.table} with columns of {', '.join(joined)}"
        )
    return lines


def _empty(sink: Sink, reading: Copying, facts: Sequence[Fact], upper: bool) -> None:
    """Write a table without rows: with the columns of results, or of sources where the other has spectra."""
    main = reading.question.scope.main
    shared = SOURCE if main == SPECTRUM else main
    own = [output for output in reading.layout.outputs if output.named.alias == shared]
    members = fields(own or reading.layout.outputs, [None] * 2 * len(reading.layout.outputs))
    sink.reserve(fits_header.signed(fits_header.table(members, 0, facts, upper)))


async def _table(
    sink: Sink,
    answer: Opened,
    reading: Copying,
    name: str,
    facts: Sequence[Fact],
    upper: bool,
    fully: bool,
    progress: Progress | None,
) -> Written:
    wanted, aggregates = measures(reading.layout.outputs, fully=fully)
    rows, *measured = await answer.measured(wanted, aggregates)
    members = fields(reading.layout.outputs, measured, fully=fully)
    says = "spectra of this instrument" if name in INSTRUMENTS else "name of this table"
    header = fits_header.table(members, rows, [("EXTNAME", name, says), *facts], upper)
    number = sink.reserve(fits_header.signed(header))
    total, done, size = Sum(), 0, 0
    async with aclosing(answer.batches()) as batches:
        async for batch in batches:
            size += await asyncio.to_thread(_write, sink, batch, members, total)
            done += batch.rows
            if progress is not None:
                progress(done, rows)
    padding = bytes(-size % UNIT)
    total.add(padding)
    sink.write(padding)
    sink.amend(number, fits_header.signed(header, total.value))
    return Written(int(rows), tuple((field.output, field.repeat) for field in members))


def _write(sink: Sink, batch: Any, members: Sequence[Field], total: Sum) -> int:
    size = 0
    for block in blocks(batch, members):
        total.add(block)
        sink.write(block)
        size += len(block)
    return size
