"""Parquet files: types and metadata of Arrow, and what astronomers' programs look for in the file's own metadata."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, BinaryIO

import pyarrow as pa
from pyarrow import compute, parquet

from astra_outputs.export import votable
from astra_outputs.export.csv_text import header
from astra_outputs.export.facts import Fact
from astra_outputs.export.votable import Longest
from astra_outputs.reading.arrow import record_batch, schema
from astra_outputs.reading.layout import Layout

if TYPE_CHECKING:
    from astra_outputs.reading.wire import Batch


GROUP = 65_536
"""Fewest rows of a row group, but for the last: a reader looks into each group's description of every column."""

SMALL = {pa.large_string(): pa.string(), pa.large_binary(): pa.binary()}


class ParquetWriter:
    """Rows as Parquet: units, descriptions and the meanings of flags are in the metadata of the fields.

    Units and descriptions stand once more where astronomers' programs look for them: in a VOTable (VOParquet),
    and in the header of ECSV, which `astropy.table.Table.read` finds.

    Parameters
    ----------
    file : BinaryIO
    layout : Layout
    names : sequence of str
    facts : sequence
        What is said of the file as a whole.
    table : str
    """

    def __init__(
        self, file: BinaryIO, layout: Layout, names: Sequence[str], facts: Sequence[Fact], table: str
    ) -> None:
        self._layout, self._names, self._facts, self._table = layout, names, facts, table
        self._known = schema(layout)
        fields = [
            field.with_name(name).with_type(_of_a_file(field.type))
            for field, name in zip(self._known, names, strict=True)
        ]
        said = {keyword: str(value) for keyword, value, _ in facts}
        said["table_meta_yaml"] = "\n".join(header(layout, names, facts))
        self._schema = pa.schema(fields, metadata=said)
        self._texts = {output.name: Longest() for output in layout.outputs if output.is_text}
        self._writer = parquet.ParquetWriter(file, self._schema, compression="zstd")
        self._group: list[pa.RecordBatch] = []

    def write(self, batch: Batch) -> None:
        """Append rows."""
        rows = record_batch(batch, self._layout, self._known)
        for name, longest in self._texts.items():
            _look(rows[name], longest)
        columns = [column.cast(field.type) for column, field in zip(rows.columns, self._schema, strict=True)]
        self._group.append(pa.RecordBatch.from_arrays(columns, schema=self._schema))
        if sum(map(len, self._group)) >= GROUP:
            self._write_group()

    def _write_group(self) -> None:
        group, self._group = pa.Table.from_batches(self._group, self._schema), []
        self._writer.write_table(group, row_group_size=len(group))

    def finish(self) -> None:
        """Write the last rows, what the columns are, and the end of the file, which tells where all is."""
        if self._group:
            self._write_group()
        described = [
            (name, output, self._texts.get(output.name))
            for name, output in zip(self._names, self._layout.outputs, strict=True)
        ]
        said = {
            "IVOA.VOTable-Parquet.version": votable.VERSION,
            "IVOA.VOTable-Parquet.content": votable.votable(self._table, described, self._facts),
        }
        self._writer.add_key_value_metadata(said)
        self._writer.close()


def _of_a_file(kind: pa.DataType) -> pa.DataType:
    """Return the type that a column has in a file: astropy 7 reads no large ones, and a batch needs none."""
    if pa.types.is_large_list(kind):
        return pa.list_(kind.value_type)
    return SMALL.get(kind, kind)


def _look(texts: pa.Array, longest: Longest) -> None:
    most = compute.max(compute.utf8_length(texts)).as_py()
    longest.characters = max(longest.characters, most or 0)
    longest.is_ascii = longest.is_ascii and compute.all(compute.string_is_ascii(texts)).as_py() is not False
