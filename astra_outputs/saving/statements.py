"""The statements that store one record class, filled in once; the templates stand in sql/saving.sql."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cached_property, lru_cache
from zlib import crc32

from astra_outputs.model.column_types import TEXT
from astra_outputs.model.pipeline import PipelineOutputMixin
from astra_outputs.model.record import Record
from astra_outputs.model.spectrum import SpectrumMixin
from astra_outputs.postgres.sql import listed, literal, qualified, quote, templates
from astra_outputs.saving.expressions import (
    arrays_of,
    as_known,
    held_back,
    missing_references,
    temporary,
    with_number,
    with_source,
)
from astra_outputs.saving.options import UNGUARDED, Guards
from astra_outputs.saving.traits import PLAIN_TABLE, Traits

TIMINGS = ("t_elapsed", "t_overhead")
"""A run that took longer is still the same result: not compared by `skip_unchanged`."""

TIMES = ("created", "modified")
"""Returned as seconds since 1970: such a number takes the driver 0.02 microseconds, a `datetime` 0.56."""

SECONDS = "date_part('epoch', {} - '1970-01-01 00:00:00+00'::timestamptz) as {}"


@lru_cache(maxsize=1024)
def statements(
    record_class: type[Record],
    schema: str,
    key: tuple[str, ...],
    guards: Guards = UNGUARDED,
    traits: Traits = PLAIN_TABLE,
    *,
    given: frozenset[str] | None = None,
    short_texts: bool = False,
) -> Statements:
    """Return the statements that store one record class by one of its natural keys."""
    return Statements(record_class, schema, key, guards, traits, given=given, short_texts=short_texts)


class Statements:
    """The statements that store one record class by one natural key.

    Parameters
    ----------
    record_class : type[Record]
    schema : str
        The database schema that holds the table.
    key : tuple[str, ...]
        Columns of the unique constraint by which a row is found again.
    guards : Guards
        What holds a replacement back.
    traits : Traits
        What the table in the database is like.
    given : frozenset of str, optional
        The columns that are replaced where a row is there; all of them if not given.
    short_texts : bool
        Whether the texts of each row fit into a page of the temporary table, with all else.
    """

    def __init__(
        self,
        record_class: type[Record],
        schema: str,
        key: tuple[str, ...],
        guards: Guards = UNGUARDED,
        traits: Traits = PLAIN_TABLE,
        *,
        given: frozenset[str] | None = None,
        short_texts: bool = False,
    ) -> None:
        self.record_class, self.schema, self.key = record_class, schema, key
        self.guards, self.traits, self._only = guards, traits, given
        self._columns = [column for column in record_class.columns() if column.written]
        self.columns = tuple(column.name for column in self._columns)
        """The columns that a save sends, in the order of the statement's parameters."""
        types = [(column.name, column.type.sql) for column in self._columns]
        # What a connection remembers is named by columns and types: of other types it is another one.
        mark = crc32(repr((schema, record_class.table, types)).encode())
        name = record_class.table.encode()[:40].decode(errors="ignore")
        self._later = [one.name for one in self._columns if short_texts and one.type is TEXT]
        self.stage = f"stage_{name}_{mark:08x}" + ("_short" if short_texts else "")
        """Name of the temporary table through which a batch is copied."""
        self.row_type = f"row_{name}_{mark:08x}"
        """Name of the temporary type of a row in a batch that is sent at once."""
        self.makes_spectra = issubclass(record_class, SpectrumMixin)
        self.has_times = "modified" in record_class.model_fields
        times = TIMES if self.has_times else ()
        spectrum = ("spectrum_pk",) if self.makes_spectra else ()
        source = ("source_pk",) if self.fills_source or self.makes_spectra else ()
        self.stored = (record_class.primary_key, *times, *spectrum, *source)
        """The columns that the database decides, which a record takes over after a save."""
        self.returned = (*dict.fromkeys((*key, *self.stored)), "inserted")
        """What a save returns: the key, the stored columns, and whether the row is a new one."""

    @property
    def is_result(self) -> bool:
        """Whether the rows are results: their key is a spectrum and a version."""
        return issubclass(self.record_class, PipelineOutputMixin)

    @property
    def fills_source(self) -> bool:
        """Whether a row gets the source of its spectrum, and is refused with another one."""
        return self.is_result and self.traits.sources

    @property
    def may_update(self) -> bool:
        """Whether `update_stored` does what an upsert does where all rows are there."""
        return self.is_result and not self.guards and not self.traits.spread

    @cached_property
    def upsert_row(self) -> str:
        """Store one row, given as one parameter a column; returns the columns `returned`."""
        return self._storing(self._of_parameters(several=False))

    @cached_property
    def upsert_each(self) -> str:
        """The same for one of several that go at once."""
        return self._storing(self._of_parameters(several=True))

    @cached_property
    def upsert_rows(self) -> str:
        """Store rows given as one array of the temporary type; returns the columns `returned`."""
        return self._storing(
            self._rows("from_array", self._sent(), several=True, row_type=temporary(self.row_type))
        )

    @cached_property
    def upsert_stage(self) -> str:
        """Store the rows of the temporary table; returns one row, of an array for each of `returned`."""
        rows = self._rows("from_stage", self._sent(), stage=temporary(self.stage))
        if self.makes_spectra:
            return self._storing(rows, arrays_of(self.returned))
        return self._fill("gathered", storing=self._upsert(rows), returned=arrays_of(self.returned))

    @cached_property
    def update_stored(self) -> str:
        """Replace the stored rows that have the key of a row of the temporary table; returns as `upsert_stage`."""
        sent = dict(zip(self.columns, self._sent(), strict=True))
        replaced = [f"{quote(name)} = {self._known(name, sent[name], 'kept')}" for name in self._replaced]
        replaced.append("modified = greatest(kept.modified, statement_timestamp())")
        update = self._fill(
            "update_stored",
            table=self._table,
            relation=literal(self._table),
            stage=temporary(self.stage),
            replaced=", ".join(replaced),
            known=" and ".join(["", *as_known(self._table, self.traits)]),
            returned=", ".join([*self._read("kept", self.returned[:-1]), "false as inserted"]),
        )
        return self._fill("gathered", storing=update, returned=arrays_of(self.returned))

    @cached_property
    def create_stage(self) -> str:
        """Make the temporary table through which batches are copied, unless it is there."""
        first = ", ".join(self._typed(self._later))
        create = self._fill("create_stage", stage=quote(self.stage), columns=first)
        if not self._later:
            return create
        texts = [
            f"add column if not exists {quote(name)} text, alter column {quote(name)} set storage plain"
            for name in self._later
        ]
        add = self._fill("add_short_texts", stage=temporary(self.stage), columns=", ".join(texts))
        return f"{create};\n{add}"

    @cached_property
    def empty_stage(self) -> str:
        """Empty the temporary table, which otherwise happens when a transaction ends."""
        return self._fill("empty_stage", stage=temporary(self.stage))

    @cached_property
    def create_row_type(self) -> str:
        """Make the temporary type of one row, of which `upsert_rows` takes an array."""
        return self._fill(
            "create_row_type", row_type=temporary(self.row_type), columns=", ".join(self._typed())
        )

    @cached_property
    def stored_rows(self) -> str:
        """What the database decided under given keys: one array a key column is the parameter."""
        version = ("v_astra",) if self.is_result else ()
        names = dict.fromkeys((*self.key, *self.stored, *version))
        types = [self.record_class.column(name).type.sql for name in self.key]
        return self._fill(
            "stored_rows",
            table=self._table,
            returned=", ".join(self._read("stored", names)),
            arrays=", ".join(f"${number}::{sql}[]" for number, sql in enumerate(types, start=1)),
            key=listed(self.key),
            same=" and ".join(f"stored.{quote(name)} = wanted.{quote(name)}" for name in self.key),
            known=self._where_known(),
        ).rstrip()

    @cached_property
    def missing_references(self) -> dict[str, str]:
        """By column, which of the keys given as an array the table that it refers to does not have."""
        made = {"spectrum_pk"} if self.makes_spectra else set()
        return missing_references(self.schema, [one for one in self._columns if one.name not in made])

    @property
    def _table(self) -> str:
        return qualified(self.schema, self.record_class.table)

    @property
    def _replaced(self) -> list[str]:
        """Every column that is given but the key; a spectrum keeps the number by which results refer to it."""
        kept = {*self.key, *(["spectrum_pk"] if self.makes_spectra else [])}
        given = {
            *(self.columns if self._only is None else self._only),
            *(["source_pk"] if self.fills_source else []),
        }
        return [name for name in self.columns if name not in kept and name in given]

    def _fill(self, name: str, **values: str) -> str:
        return templates("saving")[name].fill(**values)

    def _storing(self, rows: str, returned: str | None = None) -> str:
        """Store rows, and of spectra the rows of `spectrum` as well."""
        if not self.makes_spectra:
            return self._upsert(rows)
        return self._fill(
            "with_spectrum",
            upsert=self._upsert(rows),
            spectrum=qualified(self.schema, "spectrum"),
            returned=returned or listed(self.returned),
        )

    def _upsert(self, rows: str) -> str:
        replaced = [f"{quote(name)} = {self._given(name)}" for name in self._replaced]
        if self.has_times:
            replaced.append(
                f"modified = greatest({quote(self.record_class.table)}.modified, excluded.modified)"
            )
        inserted = "created = modified" if self.traits.spread else "xmax = 0"
        return self._fill(
            "upsert",
            table=self._table,
            columns=listed(self.columns),
            rows=rows,
            key=listed(self.key),
            replaced=", ".join(replaced),
            guard=self._guard,
            returned=", ".join([*self._read(None, self.returned[:-1]), f"{inserted} as inserted"]),
        )

    def _of_parameters(self, *, several: bool) -> str:
        values = [f"${number}::{one.type.sql}" for number, one in enumerate(self._columns, start=1)]
        row = self._completed(values, called=self.traits.distributed)
        if self.traits.distributed:  # Citus sends values to one shard, and what is selected to each
            return f"values ({', '.join(row)})"
        return self._rows("from_parameters", row, several=several)

    def _rows(self, name: str, values: Iterable[str], *, several: bool = False, **given: str) -> str:
        """Return the rows to store, as one of the templates takes them."""
        known = self._where_known(several=several)
        return self._fill(name, values=", ".join(values), known=known, **given).rstrip()

    def _where_known(self, *, several: bool = False) -> str:
        """Let rows go only into the table as it is known; `several` where they may go without a transaction."""
        conditions = as_known(self._table, self.traits, several=several and not self.guards)
        return f"where {' and '.join(conditions)}" if conditions else ""

    @property
    def _guard(self) -> str:
        compared = {name: self._given(name) for name in self._replaced if name not in TIMINGS}
        conditions = held_back(self.record_class.table, self.guards, compared)
        return f"where {' and '.join(conditions)}" if conditions else ""

    def _given(self, name: str) -> str:
        return self._known(name, f"excluded.{quote(name)}", quote(self.record_class.table))

    def _known(self, name: str, given: str, stored: str) -> str:
        """Return what a column is replaced by: an identifier stays where a row that has another one does not say it."""
        identifiers = {one for names in self.record_class.natural_keys for one in names}
        several = len(self.record_class.natural_keys) > 1 and name in identifiers
        if several or (self.fills_source and name == "source_pk"):
            return f"coalesce({given}, {stored}.{quote(name)})"
        return given

    def _completed(self, values: Sequence[str], *, called: bool = False) -> list[str]:
        """Give a new spectrum its key where the row brings none, and a result the source of its spectrum."""
        if self.makes_spectra:
            return with_number(self.schema, self.columns, values)
        if not self.fills_source:
            return list(values)
        return with_source(self.schema, self.columns, values, called=called)

    def _sent(self) -> list[str]:
        return self._completed([f"sent.{quote(name)}" for name in self.columns])

    def _typed(self, but: Sequence[str] = ()) -> list[str]:
        return [f"{quote(one.name)} {one.type.sql}" for one in self._columns if one.name not in but]

    def _read(self, table: str | None, names: Iterable[str]) -> list[str]:
        """Return columns as they are returned: times as numbers."""
        prefix = f"{table}." if table else ""
        return [
            SECONDS.format(f"{prefix}{name}", name)
            if name in TIMES and self.has_times
            else f"{prefix}{quote(name)}"
            for name in names
        ]
