"""Files of one table, batch by batch: Parquet, CSV and ECSV."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import aclosing
from typing import TYPE_CHECKING, BinaryIO, Protocol

from astra_outputs.errors import InvalidCondition, NoRows
from astra_outputs.export.casjobs import Written
from astra_outputs.export.csv_text import CsvWriter
from astra_outputs.export.facts import Fact
from astra_outputs.postgres.database import Database
from astra_outputs.reading.copying import Copying
from astra_outputs.reading.layout import Layout

if TYPE_CHECKING:
    from astra_outputs.reading.wire import Batch


class Writer(Protocol):
    """Takes batches of rows."""

    def write(self, batch: Batch) -> None:
        """Append rows."""

    def finish(self) -> None:
        """End the file."""


def _writer(
    ending: str, file: BinaryIO, layout: Layout, names: Sequence[str], facts: Sequence[Fact], table: str
) -> Writer:
    if ending == ".parquet":
        from astra_outputs.export.parquet_file import ParquetWriter

        return ParquetWriter(file, layout, names, facts, table)
    return CsvWriter(file, layout, names, facts if ending == ".ecsv" else None)


async def write_one_table(
    ending: str,
    file: BinaryIO,
    database: Database,
    readings: Sequence[Copying],
    facts: Sequence[Fact],
    *,
    upper: bool,
    progress: Callable[[int, int], None] | None,
) -> dict[str, Written]:
    """Write a file; return what was written by the name of the table.

    Raises
    ------
    InvalidCondition
        If several tables are asked for.
    NoRows
        If there is no row.
    """
    if len(readings) > 1:
        raise InvalidCondition(
            f"a {ending} file holds one table: pass one spectrum_class (--spectra), or write a .fits file"
        )
    (reading,) = readings
    layout, table = reading.layout, reading.question.scope.record_class.table
    names = [output.name.upper() if upper else output.name for output in layout.outputs]
    done = 0
    async with reading.opened(database) as answer:
        rows = await answer.count()
        if not rows:
            raise NoRows(f"no row of {table} is as asked for: nothing is written")
        writer = _writer(ending, file, layout, names, facts, table)
        async with aclosing(answer.batches()) as batches:
            async for batch in batches:
                await asyncio.to_thread(writer.write, batch)
                done += batch.rows
                if progress is not None:
                    progress(done, rows)
        await asyncio.to_thread(writer.finish)
    return {table: Written(done, tuple((output, None) for output in layout.outputs))}
