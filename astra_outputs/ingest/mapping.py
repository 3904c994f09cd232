"""A map: which columns of a file become which columns of the tables. Written as TOML."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from astra_outputs.columns import BOOLEAN
from astra_outputs.errors import InvalidMap, InvalidRecord, MissingFile
from astra_outputs.ingest.files import Options
from astra_outputs.ingest.rules import FileColumn, Rule, check_options, nearest
from astra_outputs.pipelines import class_named
from astra_outputs.records.base import Record
from astra_outputs.records.pipeline import FROM_SPECTRUM, PipelineOutputMixin
from astra_outputs.records.source import Source
from astra_outputs.records.spectrum import SpectrumMixin

SYNTHETIC = "synthetic"
"""`release` of a spectrum whose key was made up, because the file does not say which spectrum it is."""

SETTINGS = {
    "spectra": str,
    "source_key": str,
    "missing": list,
    "require": list,
    "merge": object,
    "synthetic_key": object,
    "file": dict,
    "source": dict,
    "spectrum": dict,
    "result": dict,
}
"""What stands at the top of a map, and as what."""

FILE = {"format": str, "delimiter": str, "hdu": int | str}


@dataclass(frozen=True)
class Section:
    """One table and how its columns are filled.

    Attributes
    ----------
    name : str
        "source", "spectrum" or "result".
    record_class : type[Record]
    rules : tuple[Rule, ...]
    """

    name: str
    record_class: type[Record]
    rules: tuple[Rule, ...]

    @property
    def targets(self) -> dict[str, Rule]:
        """The rules by column or flag."""
        return {rule.target: rule for rule in self.rules}


@dataclass(frozen=True)
class Map:
    """What a map says, checked against the record classes.

    Attributes
    ----------
    source, spectrum, result : Section or None
        What is made of each row; a row of `into` is made last.
    require : tuple[FileColumn, ...]
        Columns of the file without which a row makes no row of the last table.
    missing : tuple
        Markers of the file for "not measured".
    merge : bool
        Whether columns of a stored result that the file has no value for stay as they are.
    synthetic_key : bool
        Whether the key of the spectrum is made up.
    source_key : str or None
        The identifier by which a source is found again.
    options : Options
        How to read the file.
    """

    source: Section | None
    spectrum: Section | None
    result: Section | None
    require: tuple[FileColumn, ...] = ()
    missing: tuple[Any, ...] = ()
    merge: bool = False
    synthetic_key: bool = False
    source_key: str | None = None
    options: Options = field(default_factory=Options)

    @property
    def sections(self) -> tuple[Section, ...]:
        """The tables, in the order in which rows are stored."""
        return tuple(part for part in (self.source, self.spectrum, self.result) if part is not None)

    @property
    def file_columns(self) -> tuple[str, ...]:
        """The columns of the file that are read."""
        names = [rule.source.name for part in self.sections for rule in part.rules if rule.source]
        return tuple(dict.fromkeys([*names, *(column.name for column in self.require)]))

    def check_file(self, path: Path, columns: Sequence[str]) -> None:
        """Refuse a file that lacks a column.

        Raises
        ------
        InvalidMap
            Naming every such column, and the nearest one that is there.
        """
        lines = []
        for part in self.sections:
            for rule in part.rules:
                if rule.source and rule.source.name not in columns:
                    hint = nearest(rule.source.name, columns)
                    lines.append(
                        f"[{part.name}] {rule.target}: {path.name} has no column {rule.source.name}{hint}"
                    )
        for column in self.require:
            if column.name not in columns:
                hint = nearest(column.name, columns)
                lines.append(f"require: {path.name} has no column {column.name}{hint}")
        if lines:
            raise InvalidMap("\n  ".join(lines))


def read_map(path: Path, into: str, modules: Sequence[str] = ()) -> Map:
    """Read a map for one table.

    Parameters
    ----------
    path : Path
    into : str
        Table or record class: one of results, or of spectra, or `source`.
    modules : sequence of str
        Modules with record classes besides the built-in ones.

    Raises
    ------
    MissingFile
        If there is no such file.
    InvalidMap
        If it is no TOML, or names an option, a table, a column or a flag that there is not.
    WrongRecordClass
        If there is no such table.
    """
    if not path.is_file():
        raise MissingFile(f"there is no file {path}")
    try:
        said = tomllib.loads(path.read_text("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InvalidMap(f"{path} is no TOML: {error}") from error
    try:
        return parse_map(said, into, modules)
    except InvalidMap as error:
        raise InvalidMap(f"{path}: {error}") from error


def parse_map(said: Mapping[str, Any], into: str, modules: Sequence[str] = ()) -> Map:
    """Check a map that is read already; as `read_map`."""
    check_options(said, SETTINGS, "at the top")
    for name in ("merge", "synthetic_key"):
        if not isinstance(said.get(name, False), bool):
            raise InvalidMap(f"at the top: {name} is true or false")
    record_class: type[Record] = class_named(into, modules, Record)
    classes = _classes(record_class, said, modules)
    missing = tuple(said.get("missing", ()))
    sections = {
        name: Section(name, kind, tuple(_rules(name, kind, said[name], missing)))
        for name, kind in classes.items()
        if name in said
    }
    for name in ("source", "spectrum", "result"):
        if name in said and name not in classes:
            raise InvalidMap(f"[{name}] has no place in a map for {record_class.table}")
    last = list(classes)[-1]
    if last not in sections:
        raise InvalidMap(f"there is no section [{last}]: it says what becomes of {record_class.table}")
    if last == "result" and "spectrum" not in sections:
        raise InvalidMap("there is no section [spectrum]: it says which spectrum a result belongs to")
    file = said.get("file", {})
    check_options(file, FILE, "[file]")
    parsed = Map(
        **{name: sections.get(name) for name in ("source", "spectrum", "result")},
        require=tuple(FileColumn.of(str(name)) for name in said.get("require", ())),
        missing=missing,
        merge=said.get("merge", False),
        synthetic_key=said.get("synthetic_key", False),
        source_key=said.get("source_key"),
        options=Options(**file),
    )
    _check_keys(parsed)
    return parsed


def _classes(
    record_class: type[Record], said: Mapping[str, Any], modules: Sequence[str]
) -> dict[str, type[Record]]:
    """Return the record class of each section that a map may have, in the order of storing."""
    if issubclass(record_class, Source):
        return {"source": record_class}
    if issubclass(record_class, SpectrumMixin):
        return {"source": Source, "spectrum": record_class}
    if not issubclass(record_class, PipelineOutputMixin):
        raise InvalidMap(f"rows of {record_class.table} are made by saving spectra: name their table")
    if "spectra" not in said:
        raise InvalidMap('at the top: spectra names the table of the spectra, as "boss_visit_spectrum"')
    spectra: type[Record] = class_named(said["spectra"], modules, SpectrumMixin)
    return {"source": Source, "spectrum": spectra, "result": record_class}


def _rules(
    name: str, record_class: type[Record], said: Mapping[str, Any], missing: tuple[Any, ...]
) -> Iterator[Rule]:
    for target, spec in said.items():
        where = f"[{name}] {target}"
        column = record_class._columns.get(target)
        if column is not None and (not column.written or (name == "result" and target in FROM_SPECTRUM)):
            by = "is taken from the spectrum" if column.written else "belongs to the database"
            raise InvalidMap(f"{where}: {by}; leave it out")
        if column is None and not target.startswith("flag_"):
            raise InvalidMap(f"{where}: {_unknown(record_class, target)}")
        if column is None:
            try:
                record_class._flags.find(record_class.table, target, value=True)
            except InvalidRecord as error:
                raise InvalidMap(f"{where}: {error.problems[0].reason}") from error
        yield Rule.of(target, BOOLEAN if column is None else column.type, spec, missing, where)


def _unknown(record_class: type[Record], target: str) -> str:
    return record_class._unknown(target, None).reason


def _check_keys(parsed: Map) -> None:
    """Refuse a map that leaves out what a source or spectrum is found by."""
    if parsed.source_key is not None:
        choices = [name for (name,) in Source.natural_keys]
        if parsed.source_key not in choices:
            raise InvalidMap(f"source_key: no source is found by {parsed.source_key}{nearest('', choices)}")
        if parsed.source is not None and parsed.source_key not in parsed.source.targets:
            raise InvalidMap(f"[source] gives no {parsed.source_key}, by which sources are to be found")
    if parsed.source is not None and not any(
        name in parsed.source.targets for (name,) in Source.natural_keys
    ):
        names = ", ".join(name for (name,) in Source.natural_keys)
        raise InvalidMap(f"[source] gives no identifier; one of {names} is needed")
    if parsed.spectrum is None:
        if parsed.synthetic_key:
            raise InvalidMap("synthetic_key is about spectra, and there is no section [spectrum]")
        return
    targets = parsed.spectrum.targets
    if parsed.synthetic_key and "release" in targets:
        raise InvalidMap(f'[spectrum] release is "{SYNTHETIC}" with synthetic_key; leave it out')
    if "spectrum_pk" in targets:
        return
    (names,) = parsed.spectrum.record_class.natural_keys
    required = [name for name in names if name not in targets and _is_required(parsed.spectrum, name)]
    lacking = [name for name in required if not (parsed.synthetic_key and name == "release")]
    if lacking:
        raise InvalidMap(
            f"[spectrum] gives no {', '.join(lacking)}: a {parsed.spectrum.record_class.table} is found by "
            f"({', '.join(names)}), or by spectrum_pk. Where the file does not say which spectrum it is, "
            "give constants and write synthetic_key = true"
        )


def _is_required(section: Section, name: str) -> bool:
    return section.record_class.model_fields[name].is_required()
