"""Save a stream of records: it is read in batches, and each record is told its outcome."""

from __future__ import annotations

from collections.abc import Iterator
from operator import attrgetter
from typing import Any

from astra_outputs.saving.batch import Done
from astra_outputs.saving.lanes import Lanes
from astra_outputs.saving.moments import moments_of
from astra_outputs.saving.options import SaveOptions
from astra_outputs.saving.reader import Reader, RecordBatch, Records
from astra_outputs.saving.report import KEPT, NAMES, REJECTED, Rejected, SaveReport
from astra_outputs.saving.returned import Stored
from astra_outputs.saving.statements import TIMES
from astra_outputs.saving.store import Store

RESULT = ("task_pk", "created", "modified", "source_pk")
"""The columns of a pipeline's result that the database decides, or fills in."""


async def save_records(store: Store, records: Records, options: SaveOptions) -> SaveReport:
    """Save records; see `Outputs.save_many`."""
    report = SaveReport()
    lanes = Lanes(store, options, lambda done: _settle(done, report), _what_was_stored)
    reader = Reader(options, lanes.turn)
    await lanes.run(reader.batches(records))
    report.rejected.sort(key=lambda rejected: rejected.position)
    return report


def _settle(done: Done, report: SaveReport) -> None:
    """Tell the records of one batch, and the report, what happened to them."""
    batch = done.batch
    assert isinstance(batch, RecordBatch)  # noqa: S101 (the reader makes no other)
    records = list(map(attrgetter("__dict__"), batch.records))
    outcomes = bytearray([REJECTED]) * batch.count
    for stored in done.stored:
        tell(stored, records, outcomes)
    keys = {rejected.position: rejected.key for rejected in done.rejected}
    for rejected in done.rejected:
        records[rejected.position - batch.start]["outcome"] = NAMES[REJECTED]
    for earlier in reversed(batch.left_out):
        later = batch.left_out[earlier]
        record, winner = records[earlier - batch.start], records[later - batch.start]
        if outcomes[later - batch.start] == REJECTED:
            reason = f"gave way to record {later}, which was refused"
            done.rejected.append(Rejected(earlier, keys[later], reason))
            record["outcome"] = NAMES[REJECTED]
        else:
            outcomes[earlier - batch.start] = KEPT
            record |= {name: winner[name] for name in done.stored[0].columns} | {"outcome": NAMES[KEPT]}
    report.put(batch.start, outcomes)
    report.rejected += done.rejected


def tell(stored: Stored, records: list[dict[str, Any]], outcomes: bytearray) -> None:
    """Tell the records of one part what is stored."""
    rows = stored.part.rows.tolist()
    mine = (
        records
        if len(rows) == len(records) and rows == list(range(len(rows)))
        else [records[row] for row in rows]
    )
    columns = {
        name: moments_of(values) if name in TIMES else values for name, values in stored.columns.items()
    }
    names = tuple(columns)
    codes = map(NAMES.__getitem__, stored.codes)
    if names == RESULT:  # spelt out, since a loop over the names takes as long again
        for record, pk, created, modified, source, code in zip(mine, *columns.values(), codes, strict=True):
            record["task_pk"], record["created"], record["modified"] = pk, created, modified
            record["source_pk"], record["outcome"] = source, code
    else:
        for record, *values, code in zip(mine, *columns.values(), codes, strict=True):
            record.update(zip(names, values, strict=True), outcome=code)
    if mine is records:
        outcomes[:] = stored.codes
    else:
        for row, code in zip(rows, stored.codes, strict=True):
            outcomes[row] = code


def _what_was_stored(done: list[range]) -> str:
    """Say which records are stored where not all of them are."""
    where = ", ".join(f"{start} to {stop - 1}" for start, stop in _joined(done))
    return f"{sum(map(len, done)):,} records of this call were stored" + (f": {where}" if where else "")


def _joined(done: list[range]) -> Iterator[tuple[int, int]]:
    ends: list[list[int]] = []
    for positions in sorted(done, key=lambda positions: positions.start):
        if ends and ends[-1][1] == positions.start:
            ends[-1][1] = positions.stop
        else:
            ends.append([positions.start, positions.stop])
    yield from ((start, stop) for start, stop in ends)
