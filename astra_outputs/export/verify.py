"""`verify`: whether an exported file still says what the database says, value by value."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager, aclosing
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from astra_outputs.discover import record_classes
from astra_outputs.errors import InvalidFile, UnreadableFile
from astra_outputs.export.libraries import ending_of
from astra_outputs.export.products import Product, product_named
from astra_outputs.export.selection import named_tables, selected, summaries_in
from astra_outputs.model.record import Record
from astra_outputs.postgres.database import Database
from astra_outputs.reading.copying import Copying
from astra_outputs.reading.layout import Layout
from astra_outputs.reading.outputs import Output, chosen, everything
from astra_outputs.reading.question import Asked, Question
from astra_outputs.reading.scope import SOURCE, SPECTRUM, Scope

if TYPE_CHECKING:
    from numpy.typing import NDArray

ROWS = 20_000
"""Rows that are compared at once."""

KEYS = {SPECTRUM: "spectrum_pk", SOURCE: "sdss_id"}
"""What tells spectra and sources apart in files, which have no `pk`."""

SHOWN = 20


@dataclass
class Verified:
    """What a comparison of a file with the database has found; rows are named by their keys.

    Attributes
    ----------
    rows : int
        Rows of the file that were compared.
    created : str
        When the file was written, as its header says.
    version : str
        The version that it is of, as its header says; empty if it is of none.
    release : str
        The release that publishes its rows, as its header says; empty if none did when it was written.
    changed : dict[int, list of str]
        Of each row that differs the columns that do.
    gone : list of int
        Rows of the file that the database does not have.
    left : list of int
        Rows that the database has, and that the file's question no longer finds.
    added : list of int
        Rows that its question finds now, and that the file does not have.
    searched : bool
        Whether rows were looked for by the file's question; not where the file does not say it.
    unkeyed : int
        Rows that have no key, and were not compared.
    """

    rows: int = 0
    created: str = ""
    version: str = ""
    release: str = ""
    changed: dict[int, list[str]] = field(default_factory=dict)
    gone: list[int] = field(default_factory=list)
    left: list[int] = field(default_factory=list)
    added: list[int] = field(default_factory=list)
    searched: bool = False
    unkeyed: int = 0

    @property
    def same(self) -> bool:
        """Whether all rows are as they were."""
        return not (self.gone or self.changed or self.left or self.added)

    def __str__(self) -> str:
        published = f", published as {self.release}" * bool(self.release)
        version = f" of version {self.version}{published}" * bool(self.version)
        of = f"{self.rows:,} rows{version}, written {self.created}"
        if self.unkeyed:
            of += f" ({self.unkeyed:,} more have no key)"
        if self.same:
            known = "" if self.searched else "; rows that came later were not looked for"
            return f"{of}: all are as in the database{known}"
        words = {
            "differ": [f"{key}: {', '.join(names)}" for key, names in self.changed.items()],
            "are gone": [f"{key}: not in the database" for key in self.gone],
            "are no longer asked for": [f"{key}: no longer asked for" for key in self.left],
            "came later": [f"{key}: not in the file" for key in self.added],
        }
        said = ", ".join(f"{len(lines):,} {word}" for word, lines in words.items() if lines)
        return "\n".join(
            [f"{of}: {said}", *(f"  {line}" for lines in words.values() for line in lines[:SHOWN])]
        )


async def verify(
    database: Database,
    record_class: type[Record] | None,
    file: Path,
    asked: Asked,
    classes: Iterable[type[Record]] = (),
) -> Verified:
    """Compare a file with the database; see `Outputs.verify`."""
    found = Verified()
    with _opened(file) as tables:
        facts = tables[0].facts
        found.created = str(facts.get("CREATED", "at an unknown time"))
        found.version = str(facts.get("V_ASTRA", ""))
        found.release = str(facts.get("RELEASE", ""))
        question = _question(facts)
        readings = _readings(record_class, question, asked, classes, file)
        by_name = named_tables(readings)
        found.searched = question is not None and not question.keys() & {"limit", "incomplete"}
        several = len(readings) > 1 or len(tables) > 1
        known = [(by_name.get(table.name) if several else readings[0], table) for table in tables]
        if not any(reading for reading, _ in known):
            raise UnreadableFile(
                f"{file} cannot be compared: it has tables {', '.join(table.name or 'without a name' for table in tables)}, "
                f"and rows of {readings[0].question.scope.record_class.table} are in {', '.join(by_name)}"
            )
        for reading, table in known:
            if reading is not None:
                await _compare_table(database, reading, table, file, found)
    if found.unkeyed and not found.rows:
        raise UnreadableFile(f"{file} cannot be compared: its rows have no key, as sdss_id is of sources")
    return found


def _opened(file: Path) -> AbstractContextManager[list[Any]]:
    """Open a file of a kind that can be compared.

    Raises
    ------
    UnreadableFile
        If it is of another.
    MissingExtra
        If the library that reads it is not installed.
    """
    try:
        ending = ending_of(file)
    except InvalidFile:
        ending = ""
    if ending.startswith(".fits"):
        from astra_outputs.export.read_fits import fits_tables

        return fits_tables(file)
    if ending == ".parquet":
        from astra_outputs.export.read_parquet import parquet_tables

        return parquet_tables(file)
    if ending:
        from astra_outputs.export.read_text import text_tables

        return text_tables(file)
    raise UnreadableFile(
        f"{file} cannot be compared: that is for .fits, .fits.gz, .parquet, .csv and .ecsv files"
    )


def _question(facts: dict[str, Any]) -> dict[str, Any] | None:
    """Return what a file was asked for, as its header says."""
    try:
        said = json.loads(facts["QUESTION"])
    except (KeyError, TypeError, ValueError):
        return None
    return said if isinstance(said, dict) and isinstance(said.get("of"), str) else None


def _readings(
    record_class: type[Record] | None,
    question: dict[str, Any] | None,
    asked: Asked,
    classes: Iterable[type[Record]],
    file: Path,
) -> list[Copying]:
    known = {kind.table: kind for kind in [*record_classes(), *classes]}
    if question is None:
        if record_class is None:
            raise UnreadableFile(
                f"{file} does not say of which table its rows are: name the table, or it is not a file of ours"
            )
        return selected(record_class, None, (), asked, None, 1)
    what = record_class or product_named(question["of"], known.values()) or known.get(question["of"])
    if what is None:
        raise UnreadableFile(
            f"{file} has rows of {question['of']}, which is not known here: --records names modules of your own"
        )
    options: Any = {name: question[name] for name in ("v_astra", "newest", "near", "on") if name in question}
    if names := question.get("spectra"):
        if strange := [name for name in names if name not in known]:
            raise UnreadableFile(f"{file} has columns of {strange[0]}, which is not known here")
        kinds = tuple(known[name] for name in names)
        if isinstance(what, Product):
            what = what.of_spectra(kinds)
        else:
            options["spectrum_class"] = kinds if len(kinds) > 1 else kinds[0]
    return selected(
        what, question.get("condition"), tuple(question.get("parameters", ())), {**options, **asked}, None, 1
    )


async def _compare_table(
    database: Database, reading: Copying, table: Any, file: Path, found: Verified
) -> None:
    scope = reading.question.scope
    outputs = _outputs(scope, table.names, file)
    key = _key(scope, table.names, file)
    keys = [np.empty(0, np.int64)]
    gone: set[int] = set()
    if table.rows:
        for rows in table.chunks(outputs, ROWS):
            gone.update(await _compare(database, scope, rows, key, outputs, found))
            keys.append(rows.keys(key))
    found.gone += sorted(gone)
    if found.searched:
        here, there = np.concatenate(keys), await _keys(database, reading, key)
        found.added += np.setdiff1d(there, here).tolist()
        found.left += [one for one in np.setdiff1d(here[here >= 0], there).tolist() if one not in gone]


def _outputs(scope: Scope, names: Sequence[str], file: Path) -> list[Output]:
    """Return the columns of the tables that the columns of a file are of."""
    known = {output.name: output for output in (*everything(scope), *summaries_in(scope))}
    strange = [name for name in names if name not in known]
    if strange:
        raise UnreadableFile(
            f"{file} cannot be compared: {strange[0]} is no column of {scope.record_class.table}"
        )
    return [known[name] for name in names]


def _key(scope: Scope, names: Sequence[str], file: Path) -> str:
    wanted = [scope.record_class.primary_key, *([KEYS[scope.main]] if scope.main in KEYS else [])]
    found = next((name for name in wanted if name in names), None)
    if found is None:
        raise UnreadableFile(f"{file} cannot be compared: it has no {' or '.join(wanted)}")
    return found


async def _keys(database: Database, reading: Copying, key: str) -> NDArray[np.int64]:
    """Return the keys of the rows that a question finds now."""
    question = reading.question
    copying = Copying(question, Layout.of(chosen(question.scope, [key])))
    parts = [np.empty(0, np.int64)]
    async with copying.opened(database) as answer, aclosing(answer.batches()) as batches:
        async for batch in batches:
            missing = batch.missing.get(key)
            values = batch.numbers[key].astype(np.int64)
            parts.append(values if missing is None else values[~missing])
    return np.concatenate(parts)


async def _compare(
    database: Database, scope: Scope, rows: Any, key: str, outputs: Sequence[Output], found: Verified
) -> list[int]:
    """Compare rows with those of the database that have their keys; return which it does not have."""
    keys = rows.keys(key)
    wanted = keys[keys >= 0]
    asked: Asked = {"spectrum_class": scope.tables.get(SPECTRUM) if scope.main == "result" else None}  # type: ignore[typeddict-item]
    question = Question.of(scope.record_class, f"{key} = any($1)", (wanted.tolist(),), asked)
    async with Copying(question, Layout.of(outputs)).opened(database) as answer:
        stored = await rows.stored(answer)
    known = stored.keys(key)
    same, here, there = np.intersect1d(keys, known, return_indices=True)
    here, there = here[same >= 0], there[same >= 0]
    found.rows += len(wanted)
    found.unkeyed += len(keys) - len(wanted)
    for output in outputs:
        differ = rows.differ(stored, output.name, here, there)
        for number in keys[here][differ].tolist():
            found.changed.setdefault(number, []).append(output.name)
    gone: list[int] = np.setdiff1d(wanted, known).tolist()
    return gone
