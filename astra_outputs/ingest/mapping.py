"""Which column of a file becomes which column of a table: a TOML file, checked before any row is read."""

from __future__ import annotations

import codecs
import tomllib
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from astra_outputs.errors import InvalidMapping, InvalidRecord, shorten
from astra_outputs.ingest.files import READERS, Choices
from astra_outputs.ingest.origin import COMPUTING, Origin
from astra_outputs.model.column_types import REAL, REAL_ARRAY, TIMESTAMP
from astra_outputs.model.columns import Column
from astra_outputs.model.record import Record
from astra_outputs.model.spectrum import SpectrumMixin
from astra_outputs.model.version import parse_version
from astra_outputs.records.source import Source


def _known_encoding(name: str) -> str:
    try:
        codecs.lookup(name)
    except LookupError:
        raise ValueError(f"no encoding is called {name!r}; common ones are utf-8, latin-1, utf-16") from None
    return name


def _known_format(name: str) -> str:
    if name not in READERS and not name.startswith("ascii."):
        raise ValueError(f"{name!r} must be one of {', '.join(READERS)}, or one of astropy's, as 'ascii.cds'")
    return name


Columns = dict[str, Origin]


class Mapping(BaseModel):
    """What a mapping file says.

    Attributes
    ----------
    spectra : str
        Table of the spectra that the results belong to.
    v_astra : str, optional
        Version under which the results are stored, unless the call names one.
    missing : list
        Values of the file that stand for "not measured"; an empty field always does.
    require : list[str]
        Columns of the result: a row that has none of them is passed over, not refused.
    merge : str, optional
        Column of the source by which rows of one star, in one file or several, become one result.
    update : {"all", "given"}
        Whether a row replaces all of a stored result, or only the columns that it says something of.
    hdu : int or str, optional
        Which table of a FITS file or VOTable, by number or name, where there are several.
    delimiter : str, optional
        The character between the fields of a text file.
    encoding : str, optional
        How a text file is written, if not in UTF-8.
    format : str, optional
        What the files are, whatever their names end in: one of `files.READERS`, or of astropy's `Table.read`.
    source, spectrum, result : dict[str, Origin]
        Column of the table to its origin.
    """

    model_config = ConfigDict(extra="forbid")

    spectra: str
    v_astra: str | None = None
    missing: list[Any] = []
    require: list[str] = []
    merge: str | None = None
    update: Literal["all", "given"] = "all"
    hdu: Annotated[int, Field(ge=0)] | str | None = None
    delimiter: Annotated[str, Field(min_length=1, max_length=1)] | None = None
    encoding: Annotated[str, AfterValidator(_known_encoding)] | None = None
    format: Annotated[str, AfterValidator(_known_format)] | None = None
    source: Columns
    spectrum: Columns
    result: Columns

    @property
    def choices(self) -> Choices:
        """How the files are to be read."""
        return Choices(self.hdu, self.delimiter, self.encoding, self.format)

    def check(self, spectrum_class: type[Record], result_class: type[Record]) -> None:
        """Refuse names that the tables do not have, and options that their columns have no use for.

        Raises
        ------
        InvalidMapping
            Naming the section and the name, with the nearest column or the option.
        """
        sections: list[tuple[str, type[Record], Columns]] = [
            ("source", Source, self.source),
            ("spectrum", spectrum_class, self.spectrum),
            ("result", result_class, self.result),
        ]
        for section, record_class, columns in sections:
            for name, origin in columns.items():
                if name.startswith("flag_") or origin.bit:
                    _check_flag(section, record_class, name, origin)
                else:
                    _check_name(section, record_class, name)
                    _check_options(section, record_class.column(name), origin)
        for name in self.require:
            if name not in self.result:
                raise InvalidMapping(f"require names {name}, which [result] does not give")
        if self.merge is not None and self.merge not in self.source:
            raise InvalidMapping(f"merge names {self.merge}, which [source] does not give")


def _check_flag(section: str, record_class: type[Record], name: str, origin: Origin) -> None:
    try:
        record_class.flag_names.find(name, True)
    except InvalidRecord as error:
        raise InvalidMapping(f"[{section}] {error}") from error
    if any(not isinstance(value, bool) for value in origin.values.values()):
        raise InvalidMapping(f"[{section}] {name} is a flag: its values are true or false")
    if not (origin.bit or origin.values) and not isinstance(origin.value, bool):
        raise InvalidMapping(f"[{section}] {name} is a flag: say by which bit of the file it is set")


def _check_name(section: str, record_class: type[Record], name: str) -> None:
    if name in ("spectrum_pk", "source_pk", "v_astra"):
        raise InvalidMapping(f"[{section}] {name}: keys and versions are set by ingest itself; leave it out")
    written = [column.name for column in record_class.columns() if column.written]
    if name not in written:
        nearest = get_close_matches(name, written, n=1)
        hint = f"; did you mean {nearest[0]}?" if nearest else ""
        raise InvalidMapping(f"[{section}] {name} is not a column of {record_class.table}{hint}")


def _check_options(section: str, column: Column, origin: Origin) -> None:
    """Refuse what would be passed over in silence, or refused in every row."""
    given = origin.model_fields_set
    kind, computing = column.type, sorted(given & COMPUTING)
    if computing and kind.bounds is None and kind is not REAL_ARRAY:
        raise InvalidMapping(
            f"[{section}] {column.name} is {kind.ddl}: {', '.join(computing)} is for numbers"
        )
    if "mask" in given and not (kind.bounds is not None and isinstance(kind.bounds[0], int)):
        raise InvalidMapping(f"[{section}] {column.name} is {kind.ddl}: mask is for whole numbers")
    if "zone" in given and kind is not TIMESTAMP:
        raise InvalidMapping(f"[{section}] {column.name} is {kind.ddl}: zone is for times")
    rule = REAL.convert if kind is REAL_ARRAY else kind.convert
    for value in origin.values.values():
        try:
            rule(value)
        except ValueError as error:
            raise InvalidMapping(
                f"[{section}] {column.name}: values has {shorten(value)}, which {error}"
            ) from error
    if origin.value is not None:
        try:
            kind.convert(origin.value)
        except ValueError as error:
            raise InvalidMapping(f"[{section}] {column.name} = {shorten(origin.value)} {error}") from error


def read_mapping(path: Path) -> Mapping:
    """Return what a mapping file says.

    Raises
    ------
    InvalidMapping
        If the file is not there or not TOML, or a section, an option or a value of it is not one of a mapping.
    """
    try:
        mapping = Mapping.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
        if mapping.v_astra is not None:
            parse_version(mapping.v_astra)
    except ValidationError as error:
        problems = [f"{'.'.join(map(str, entry['loc']))}: {entry['msg']}" for entry in error.errors()]
        raise InvalidMapping(f"{path}: " + "; ".join(problems)) from error
    except OSError as error:
        reason = "there is no such map" if isinstance(error, FileNotFoundError) else error.strerror
        raise InvalidMapping(f"{path}: {reason}; a map is a TOML file, as docs/ingest.md shows") from error
    except ValueError as error:  # not TOML, not UTF-8, no version
        raise InvalidMapping(f"{path}: {error}") from error
    return mapping


def spectrum_class_of(mapping: Mapping, classes: list[type[Record]]) -> type[SpectrumMixin]:
    """Return the class of the spectra that a mapping names.

    Raises
    ------
    InvalidMapping
        If there is no such table, or it holds no spectra.
    """
    found = {one.table: one for one in classes if issubclass(one, SpectrumMixin)}
    if mapping.spectra not in found:
        raise InvalidMapping(f"spectra = {mapping.spectra!r} must be one of: {', '.join(sorted(found))}")
    return found[mapping.spectra]
