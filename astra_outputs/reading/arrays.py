"""Answers as NumPy arrays and as tables of astropy: masked where a value is missing."""

from __future__ import annotations

import json
import warnings
from typing import TYPE_CHECKING, Any

import numpy as np

from astra_outputs.model.column_types import PG_EPOCH
from astra_outputs.reading.layout import Layout
from astra_outputs.reading.outputs import Output

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from astra_outputs.reading.wire import Batch, Varying

EPOCH = np.datetime64(PG_EPOCH.replace(tzinfo=None), "us")


def masked_arrays(batches: Sequence[Batch], layout: Layout) -> dict[str, Any]:
    """Return the columns by name: plain arrays where no value can be missing, else masked ones."""
    return {output.name: _column(output, batches) for output in layout.outputs}


def _column(output: Output, batches: Sequence[Batch]) -> Any:
    if output.wire:
        numbers = [batch.numbers[output.name] for batch in batches]
        values = np.concatenate(numbers) if numbers else np.empty(0, np.dtype(output.wire).newbyteorder("="))
        gone = [batch.missing.get(output.name) for batch in batches]
        missing = [np.zeros(len(n), bool) if m is None else m for n, m in zip(numbers, gone, strict=True)]
    else:
        varying = [batch.varying[output.name] for batch in batches]
        values = _objects(output, varying)
        missing = [entry.missing for entry in varying]
    mask = np.concatenate(missing) if missing else np.empty(0, bool)
    if output.is_time:
        infinite = (values == np.iinfo(np.int64).max) | (values == np.iinfo(np.int64).min)
        mask, values = mask | infinite, EPOCH + np.where(infinite, 0, values).astype("m8[us]")
    return np.ma.MaskedArray(values, mask) if output.nullable else values


def _objects(output: Output, varying: Sequence[Varying]) -> NDArray[np.object_]:
    found = [value for entry in varying for value in entry.values()]
    values = np.empty(len(found), object)
    for place, value in enumerate(found):
        if value is None:
            values[place] = None
        elif output.is_array:
            values[place] = np.frombuffer(value, np.float32)
        else:
            values[place] = value.decode() if output.is_text else value
    return values


def astropy_table(batches: Sequence[Batch], layout: Layout, name: str) -> Any:
    """Return a table of astropy: units, descriptions, and the meanings of flags in the columns' `meta`."""
    from astropy.table import Table

    table = Table(meta={"table": name})
    for output, values in zip(layout.outputs, masked_arrays(batches, layout).values(), strict=True):
        facts = output.facts
        meta: dict[str, Any] = {word: facts[word] for word in ("table", "category") if word in facts}
        if "flags" in facts:
            meta["flags"] = json.loads(facts["flags"])
        table[output.name] = _times(values) if output.is_time else _astropy_column(output, values)
        table[output.name].info.description = facts.get("description")
        table[output.name].info.meta = meta
    return table


def _times(values: Any) -> Any:
    from astropy.time import Time

    mask = np.ma.getmaskarray(values)
    with warnings.catch_warnings(action="ignore"):  # UTC is dubious before 1960 and in years to come
        time = Time(np.ma.getdata(values), format="datetime64", scale="utc")
    if mask.any():
        time[mask] = np.ma.masked
    return time


def _astropy_column(output: Output, values: Any) -> Any:
    from astropy.table import Column, MaskedColumn
    from astropy.units import Unit

    unit = Unit(output.column.unit, parse_strict="silent") if output.column.unit else None
    data, mask = np.ma.getdata(values), np.ma.getmaskarray(values)
    if output.is_text:
        data = np.where(mask, "", data).astype(str)
    return MaskedColumn(data, mask=mask, unit=unit) if mask.any() else Column(data, unit=unit)
