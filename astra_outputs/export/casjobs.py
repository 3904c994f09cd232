"""The definition of a file's tables for SDSS's CasJobs: SQL Server's types, units and meanings in its comments."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from astra_outputs.export.facts import Fact
from astra_outputs.export.wording import meaning
from astra_outputs.reading.outputs import Output

WIDEST = 8000
"""Characters, or bytes, that SQL Server keeps in a row; a longer value has no limit of its own."""


@dataclass(frozen=True)
class Written:
    """A table of a file that was written.

    Attributes
    ----------
    rows : int
    columns : tuple of (Output, int or None)
        Each with its longest value, where that is known.
    """

    rows: int
    columns: tuple[tuple[Output, int | None], ...]


def definition_path(file: Path) -> Path:
    """Return where the definition of a file's tables stands: beside it, with the ending .sql."""
    name = file.name
    for ending in (".gz", ".fits", ".parquet", ".csv", ".ecsv"):
        if name.lower().endswith(ending):
            name = name[: -len(ending)]
    return file.with_name(f"{name}.sql")


def definitions(file: Path, tables: dict[str, Written], facts: Sequence[Fact], *, upper: bool) -> str:
    """Return the definitions of the tables of a file.

    Parameters
    ----------
    file : Path
    tables : dict[str, Written]
        By the names that they have in the file; one without rows is left out.
    facts : sequence
        What is said of the file as a whole.
    upper : bool
        Whether the names of columns are in upper case.
    """
    stem = re.sub(r"\W+", "_", definition_path(file).stem)
    said = [f"-- {keyword} {value}" for keyword, value, _ in facts]
    written = [
        _definition(stem if len(tables) == 1 else f"{stem}_{name}", table, upper=upper)
        for name, table in tables.items()
        if table.rows
    ]
    return "\n".join([f"-- {file.name}", *map(_one_line, said), "", *written])


def _definition(table: str, written: Written, *, upper: bool) -> str:
    lines = [f"create table [{table}] (", f"    --/H {written.rows} rows"]
    last = len(written.columns) - 1
    for number, (output, longest) in enumerate(written.columns):
        name = output.name.upper() if upper else output.name
        column = output.column
        null = "null" if output.nullable else "not null"
        unit = f" --/U {_one_line(column.unit)}" if column.unit else ""
        comma = "," if number < last else ""
        lines.append(
            f"    [{name}] {_type(output, longest)} {null}{comma}{unit} --/D {_one_line(meaning(output))}"
        )
    return "\n".join([*lines, ");", ""])


def _type(output: Output, longest: int | None) -> str:
    width = str(longest) if longest is not None and longest <= WIDEST else "max"
    return output.column.type.sql_server.format(width)


def _one_line(text: str) -> str:
    return " ".join(text.split())
