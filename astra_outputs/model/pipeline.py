"""`PipelineOutputMixin`: the metadata that every pipeline's result carries, and `from_spectrum`."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any, ClassVar, Self

from astra_outputs.errors import InvalidRecord, KeyMismatch, Problem, shorten
from astra_outputs.model.column_types import (
    BIGINT,
    INTEGER,
    BigInt,
    Real,
    RequiredBigInt,
    RequiredText,
    Timestamp,
    Version,
)
from astra_outputs.model.columns import Column, category, column
from astra_outputs.model.given import is_missing
from astra_outputs.model.record import Record
from astra_outputs.model.spectrum import SpectrumMixin
from astra_outputs.model.spectrum_keys import keys_of
from astra_outputs.model.version import LEAST, configured_version, major_minor, parse_version

if TYPE_CHECKING:
    from astra_outputs.records.source import Source

FROM_SPECTRUM = ("spectrum_pk", "source_pk")
"""The keys that a result takes from its spectrum."""


class PipelineOutputMixin(Record):
    """One result of one pipeline for one spectrum.

    A spectrum has at most one result in each major.minor version: storing another replaces it.

    Examples
    --------
    >>> class MyPipeline(PipelineOutputMixin):
    ...     teff: Real = column(unit="K", description="Effective temperature")
    >>> result = MyPipeline.from_spectrum(spectrum, v_astra="0.8.1", teff=5777.0)
    """

    primary_key: ClassVar[str] = "task_pk"
    natural_keys: ClassVar[tuple[tuple[str, ...], ...]] = (("spectrum_pk", "v_astra_major_minor"),)
    spectrum_class: ClassVar[type[SpectrumMixin] | None] = None
    """The kind of spectra that results are made from: whose columns `spectrum.snr` in a condition means."""
    generated: ClassVar[dict[str, Column]] = {
        "v_astra_major_minor": Column(
            "v_astra_major_minor",
            INTEGER,
            nullable=False,
            generated="v_astra / 1000",
            description="Version of Astra without its patch number",
            category="Astra Metadata",
        )
    }

    category("Identifiers")
    task_pk: BigInt = column(description="Key of this result", server_default="identity")
    source_pk: BigInt = column(description="Key of the source", references="source.pk")
    spectrum_pk: RequiredBigInt = column(description="Key of the spectrum", references="spectrum.pk")

    category("Astra Metadata")
    v_astra: Version = column(description="Version of Astra: 6002 is 0.6.2")
    created: Timestamp = column(
        description="Time when the row was first stored",
        server_default="statement_timestamp()",
    )
    modified: Timestamp = column(
        description="Time when the row was last stored",
        server_default="statement_timestamp()",
    )
    t_elapsed: Real = column(unit="s", description="Time spent on this result")
    t_overhead: Real = column(unit="s", description="Share of the time spent on overheads")
    tag: RequiredText = column(description="Label of the run, free text", default="")

    @property
    def pk(self) -> int | None:
        """`task_pk`, under the name that the key of a source or spectrum has."""
        return self.task_pk

    @property
    def spectrum(self) -> SpectrumMixin | None:
        """The spectrum, where `find(..., spectrum=True)` brought it along.

        Raises
        ------
        NotRead
            If it did not.
        """
        found: SpectrumMixin | None = self._brought("spectrum")
        return found

    @property
    def source(self) -> Source | None:
        """The source, where `find(..., source=True)` brought it along.

        Raises
        ------
        NotRead
            If it did not.
        """
        found: Source | None = self._brought("source")
        return found

    @property
    def v_astra_major_minor(self) -> int:
        """Version without its patch number; the database computes the same."""
        return major_minor(self.v_astra)

    @classmethod
    def from_spectrum(cls, spectrum: Any, columns: Mapping[str, Any] | None = None, /, **values: Any) -> Self:
        """Return the result of this pipeline for one spectrum.

        Parameters
        ----------
        spectrum : object
            Anything with the attributes or items `spectrum_pk` and `source_pk`, which the result takes over: a
            record, a mapping, a row of asyncpg, astropy or a data frame; a row of Peewee or Django whose key
            column is named `source` as well.
        columns : mapping, optional
            Columns by name that are in a mapping already: to spread 60 of them into keyword arguments
            takes half the time of checking them.
        **values
            The other columns by name (they go before those of the mapping), and flags by name (`flag_low_snr=True`). `v_astra`, an integer
            or a text as "0.8.1", comes from here, else from `using_version`, else from the variable
            `ASTRA_OUTPUTS_V_ASTRA`.

        Raises
        ------
        KeyMismatch
            If `source_pk` or `spectrum_pk` is given here and differs from the spectrum's.
        UnknownColumn
            If a name is neither a column nor a flag of this table.
        MissingVersion
            If no version is given or configured.
        InvalidRecord
            If a value does not fit its column, or the spectrum was not stored and has no key.
        """
        try:
            spectrum_pk, source_pk = spectrum.spectrum_pk, spectrum.source_pk
        except AttributeError:
            spectrum_pk, source_pk = keys_of(spectrum, cls.table)
        if columns is not None:
            # `{**columns}` takes six times as long as its copy.
            joined = columns.copy() if type(columns) is dict else cls._copied(columns)
            if values:
                joined.update(values)
            values = joined
        if "spectrum_pk" in values or "source_pk" in values:
            cls._refuse_other_keys(values, spectrum_pk, source_pk)
        if "task_pk" in values or "created" in values or "modified" in values:
            cls._refuse_owned(values)
        if spectrum_pk is None:
            problem = Problem("spectrum_pk", None, "the spectrum has no key yet: save it first")
            raise InvalidRecord(cls.table, (problem,))
        values["spectrum_pk"], values["source_pk"] = spectrum_pk, source_pk
        v_astra = values.get("v_astra")
        if v_astra is None:
            values["v_astra"] = configured_version()
        elif type(v_astra) is str:
            with suppress(ValueError):  # what is no version, the column's rule refuses
                if (number := parse_version(v_astra)) >= LEAST:
                    values["v_astra"] = number
        native = cls._native or cls._make_native()
        record: Self | None = native.build(values)
        return cls._converted(values) if record is None else record

    @classmethod
    def _copied(cls, columns: Any) -> dict[str, Any]:
        if not isinstance(columns, Mapping):
            raise TypeError(
                f"{cls.table}: columns are given by keyword or as a mapping, not as {shorten(columns)}"
            )
        return dict(columns)

    @classmethod
    def _refuse_owned(cls, values: dict[str, Any]) -> None:
        """Refuse values of columns that belong to the database; what is missing counts as not given."""
        for name in ("task_pk", "created", "modified"):
            if (given := values.pop(name, None)) is not None and not is_missing(given):
                raise cls._read_only(name, given)

    @classmethod
    def _refuse_other_keys(cls, values: dict[str, Any], *keys: Any) -> None:
        """Refuse keys among the values that are not the spectrum's; what is missing counts as not given."""
        for name, key in zip(FROM_SPECTRUM, keys, strict=True):
            given = values.get(name)
            if given is not None and not is_missing(given) and not _is_key(given, key):
                raise _mismatch(cls.table, name, given, f"the spectrum says {shorten(key)}")

    def __setattr__(self, name: str, value: Any) -> None:
        if name in FROM_SPECTRUM:
            key = getattr(self, name)
            if key is not None and not _is_key(value, key):
                raise _mismatch(self.table, name, value, f"the result belongs to {name} {key}")
        super().__setattr__(name, value)


def _is_key(given: Any, key: Any) -> bool:
    """Tell whether a value is a key, as the column takes it; of some libraries' values that cannot be asked by ==."""
    try:
        return bool(BIGINT.convert(given) == BIGINT.convert(key))
    except ValueError:
        return False


def _mismatch(table: str, name: str, given: Any, stands: str) -> KeyMismatch:
    return KeyMismatch(table, (Problem(name, given, f"{stands}; leave {name} out, or mend the spectrum"),))
