"""The statements that store the rows of a table, each with what it is for, as a DBA reads them."""

from __future__ import annotations

from astra_outputs.model.record import Record
from astra_outputs.postgres.sql import Statement, templates
from astra_outputs.saving.expressions import spectra_of_others
from astra_outputs.saving.statements import Statements


def statements_of(record_class: type[Record], schema: str) -> list[Statement]:
    """Return the statements by which rows of a table are stored, for each of its natural keys."""
    found = []
    for key in record_class.natural_keys:
        texts = Statements(record_class, schema, key)
        found += [
            Statement("save_one", "Stores one row: a parameter for each column.", texts.upsert_row),
            Statement("create_row_type", _says("create_row_type"), texts.create_row_type),
            Statement(
                "save_few", "Stores a small batch: one parameter, an array of rows.", texts.upsert_rows
            ),
            Statement("create_stage", _says("create_stage"), texts.create_stage),
            Statement("save_many", _says("upsert") + " " + _says("from_stage"), texts.upsert_stage),
            *(
                [Statement("save_again", _says("update_stored"), texts.update_stored)]
                if texts.may_update
                else []
            ),
            Statement("empty_stage", _says("empty_stage"), texts.empty_stage),
            Statement("kept", _says("stored_rows"), texts.stored_rows),
            *(
                [Statement("other_sources", _says("other_sources"), spectra_of_others(schema))]
                if texts.fills_source
                else []
            ),
            *(
                Statement(f"missing_{name}", _says("missing_references"), text)
                for name, text in texts.missing_references.items()
            ),
        ]
    return found


def _says(name: str) -> str:
    return templates("saving")[name].says
