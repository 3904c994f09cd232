"""Answers as Arrow's record batches: the columns as they were decoded, none of them copied."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from astra_outputs.model.column_types import PG_EPOCH, UNIX_EPOCH

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from astra_outputs.reading.layout import Layout
    from astra_outputs.reading.outputs import Output
    from astra_outputs.reading.wire import Batch, Varying

EPOCHS_APART = (PG_EPOCH - UNIX_EPOCH) // timedelta(microseconds=1)


def schema(layout: Layout) -> pa.Schema:
    """Return the schema of an answer: units, descriptions and flags are in the metadata of the fields."""
    return pa.schema(
        [
            pa.field(output.name, _type(output), output.nullable, metadata=output.facts)
            for output in layout.outputs
        ]
    )


def record_batch(batch: Batch, layout: Layout, known: pa.Schema) -> pa.RecordBatch:
    """Return decoded rows as a record batch; the batch is used up."""
    arrays = [_array(output, batch) for output in layout.outputs]
    return pa.RecordBatch.from_arrays(arrays, schema=known)


def _type(output: Output) -> Any:
    # Large: texts and bytes of more than 2 GiB in a batch if need be.
    kind = pa.type_for_alias(output.column.type.arrow)
    if output.is_time:
        return pa.timestamp(kind.unit, tz="UTC")
    return pa.large_list(kind) if output.is_array else kind


def _array(output: Output, batch: Batch) -> pa.Array:
    kind = _type(output)
    if not output.wire:
        return _varying(kind, batch.varying[output.name])
    values, missing = batch.numbers[output.name], batch.missing.get(output.name)
    if output.is_time:
        infinite = (values == np.iinfo(np.int64).max) | (values == np.iinfo(np.int64).min)
        missing = infinite if missing is None else missing | infinite
        values = np.where(infinite, 0, values) + EPOCHS_APART
    elif output.wire == "?":
        values = np.packbits(values, bitorder="little")
    return pa.Array.from_buffers(kind, batch.rows, [_validity(missing), pa.py_buffer(values)])


def _varying(kind: Any, given: Varying) -> pa.Array:
    rows = len(given.lengths)
    validity = _validity(given.missing)
    if pa.types.is_large_list(kind):
        elements = np.frombuffer(given.data, np.float32)
        values = pa.Array.from_buffers(
            kind.value_type, len(elements), [_validity(np.isnan(elements)), pa.py_buffer(given.data)]
        )
        return pa.Array.from_buffers(kind, rows, [validity, _offsets(given.lengths // 4)], children=[values])
    return pa.Array.from_buffers(kind, rows, [validity, _offsets(given.lengths), pa.py_buffer(given.data)])


def _offsets(lengths: NDArray[np.int64]) -> pa.Buffer:
    offsets = np.zeros(len(lengths) + 1, np.int64)
    np.cumsum(lengths, out=offsets[1:])
    return pa.py_buffer(offsets)


def _validity(missing: NDArray[np.bool_] | None) -> pa.Buffer | None:
    if missing is None or not missing.any():
        return None
    return pa.py_buffer(np.packbits(~missing, bitorder="little"))
