"""What the client's time goes into, step by step, where there is no server: CPU time a row.

The steps are those of `save_many`; beside them what one who writes COPY by hand cannot do without, taking the values
out of a dict a row. The rest of what a client takes (see the tables on CPU) is the driver's and the event loop's.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from operator import attrgetter, itemgetter
from statistics import median
from typing import Any, TypeVar

import numpy as np

from astra_outputs.saving.keys import Keys, in_order
from astra_outputs.saving.reader import AT_ONCE, RecordBatch
from astra_outputs.saving.report import INSERTED
from astra_outputs.saving.returned import Part, Stored
from astra_outputs.saving.stream import tell
from benchmarks.measure import say
from benchmarks.tables import WIDTHS, Row, Table, rows_of

T = TypeVar("T")

KEY = ("spectrum_pk", "v_astra_major_minor")


def run(values: int, rounds: int) -> dict[str, Any]:
    """Return microseconds a row of each step, by width.

    Parameters
    ----------
    values : int
        Labels of a batch, all rows together; there are four batches, more than a processor's cache holds.
    rounds : int
    """
    return {"widths": {str(width): _width(width, values // width, rounds) for width in WIDTHS}}


def _width(width: int, batch: int, rounds: int) -> dict[str, float]:
    say(f"steps without a server, {width} columns")
    table = Table(width)
    rows = rows_of(table, 4 * batch)
    records = [table.record_class.model_validate(row) for row in rows]
    found = [_round(table, rows, records, batch) for _ in range(rounds)]
    return {step: round(median(1e6 * one[step] / len(rows) for one in found), 3) for step in found[0]}


def _round(table: Table, rows: list[Row], records: list[Any], size: int) -> dict[str, float]:
    """Return the seconds of each step for all rows."""
    taken: dict[str, float] = {}

    def timed(step: str, work: Callable[[], T]) -> T:
        began = time.process_time()
        made = work()
        taken[step] = time.process_time() - began
        return made

    starts, values_of = range(0, len(rows), size), itemgetter(*table.columns)
    timed(
        "by hand: values out of dicts",
        lambda: [list(map(values_of, rows[start : start + size])) for start in starts],
    )
    batches = timed("values into columns", lambda: [_read(records[start : start + size]) for start in starts])
    parts = timed("keys and their order", lambda: list(map(_part, batches)))
    timed(
        "columns into COPY's form",
        lambda: [sum(map(len, one.columns.encoder.blocks(slice(0, one.count)))) for one in batches],
    )
    timed("records told what is stored", lambda: list(map(_tell, batches, parts)))
    return taken


def _read(records: list[Any]) -> RecordBatch:
    batch = RecordBatch(type(records[0]), 0)
    for start in range(0, len(records), AT_ONCE):
        batch.read(records[start : start + AT_ONCE], only_given=False)
    return batch


def _part(batch: RecordBatch) -> Part:
    rows = np.arange(batch.count)
    keys = batch.columns.keys(KEY, rows)
    assert isinstance(keys, Keys)  # every row has one
    order = in_order(keys, rows, keep_last=False)
    return Part(batch.columns, order.rows, keys.take(order.rows))


def _tell(batch: RecordBatch, part: Part) -> None:
    now = [time.time()] * batch.count
    numbers = range(batch.count)
    columns = {"task_pk": numbers, "created": now, "modified": now, "source_pk": numbers}
    stored = Stored(part, bytes([INSERTED]) * batch.count, columns)
    tell(stored, list(map(attrgetter("__dict__"), batch.records)), bytearray(batch.count))
