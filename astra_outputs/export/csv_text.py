"""CSV, and ECSV: the same with a header that says units, types and descriptions."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np

from astra_outputs.export.facts import Fact
from astra_outputs.export.wording import unit_and_meaning
from astra_outputs.reading.arrays import masked_arrays
from astra_outputs.reading.layout import Layout
from astra_outputs.reading.outputs import Output

if TYPE_CHECKING:
    from astra_outputs.reading.wire import Batch


class CsvWriter:
    """Rows as text. A value that is missing is empty, and so is an empty text.

    Parameters
    ----------
    file : BinaryIO
    layout : Layout
    names : sequence of str
    facts : sequence, optional
        What the header of an ECSV file says; None for one without a header.
    """

    def __init__(
        self, file: BinaryIO, layout: Layout, names: Sequence[str], facts: Sequence[Fact] | None
    ) -> None:
        self._layout, self._is_ecsv = layout, facts is not None
        self._text = io.TextIOWrapper(file, encoding="utf-8", newline="", write_through=True)
        if facts is not None:
            self._text.writelines(
                f"# {line}\n" for line in ["%ECSV 1.0", *header(layout, names, facts, "delimiter: ','")]
            )
        self._rows = csv.writer(self._text, lineterminator="\n")
        self._rows.writerow(names)

    def write(self, batch: Batch) -> None:
        """Append rows."""
        self._rows.writerows(zip(*texts_of(batch, self._layout, is_ecsv=self._is_ecsv), strict=True))

    def finish(self) -> None:
        """Leave the file open: it is another's to close."""
        self._text.flush()
        self._text.detach()


def header(layout: Layout, names: Sequence[str], facts: Sequence[Fact], *more: str) -> list[str]:
    """Return the lines of YAML that say what columns are; JSON is YAML as well, and needs no library."""
    columns = [
        json.dumps(_described(output, name)) for output, name in zip(layout.outputs, names, strict=True)
    ]
    meta = json.dumps({keyword: value for keyword, value, _ in facts})
    return ["---", *more, "datatype:", *(f"- {column}" for column in columns), f"meta: {meta}", "schema: astropy-2.0"]  # fmt: skip


def texts_of(batch: Batch, layout: Layout, *, is_ecsv: bool) -> list[list[Any]]:
    """Return the columns of rows as they are written: texts or whole numbers, and None where nothing is written."""
    arrays = masked_arrays([batch], layout)
    words = ("False", "True") if is_ecsv else ("false", "true")
    return [_texts(output, arrays[output.name], words) for output in layout.outputs]


def _described(output: Output, name: str) -> dict[str, str]:
    column = output.column
    said = {"name": name, "datatype": column.type.ecsv}
    if output.is_array:
        said["subtype"] = "float32[null]"
    unit, description = unit_and_meaning(output, "generic")
    return said | ({"unit": unit} if unit else {}) | {"description": description}


def _texts(output: Output, values: Any, words: tuple[str, str]) -> list[Any]:
    """Return values as they are written; None is written as nothing."""
    data, mask = np.ma.getdata(values), np.ma.getmaskarray(values)
    texts: list[Any]
    if output.is_time:
        texts = [f"{time}Z" for time in np.datetime_as_string(data, unit="us")]
    elif output.is_float:
        texts = data.astype(str).tolist()  # the fewest digits that give the same number
    elif output.wire == "?":
        texts = [words[value] for value in data.tolist()]
    elif output.wire or output.is_text:
        texts = data.tolist()
    elif output.is_array:
        texts = [None if value is None else _array(value) for value in data]
    else:
        texts = [None if value is None else value.hex() for value in data]
    return [None if missing else text for text, missing in zip(texts, mask.tolist(), strict=True)]


def _array(value: Any) -> str:
    """Return an array as JSON; NaN is null."""
    return json.dumps([None if math.isnan(number) else float(str(number)) for number in value])
