"""The text of every statement, built once for a record class from a syntax tree.

Identifiers come from record classes alone and are always quoted; values are always parameters.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from zlib import crc32

from sqlglot import exp

from astra_outputs.model.column_types import TEXT
from astra_outputs.model.pipeline import PipelineOutputMixin
from astra_outputs.model.record import Record
from astra_outputs.model.spectrum import SpectrumMixin

TIMINGS = ("t_elapsed", "t_overhead")
"""A run that took longer is still the same result: not compared by `skip_unchanged`."""

NOT_AFTER = "astra_outputs.not_after"
"""Setting of a transaction that the guard `not_after` reads."""


@dataclass(frozen=True)
class Guards:
    """What holds a replacement back.

    Attributes
    ----------
    keep_newer : bool
        A stored result of a newer patch version stays.
    skip_unchanged : bool
        A stored row that is the same, times aside, is not written again.
    not_after : bool
        A row stored later than the time in the setting `astra_outputs.not_after` of the transaction
        stays: results out of a spool never replace newer ones.
    """

    keep_newer: bool = False
    skip_unchanged: bool = False
    not_after: bool = False

    def __bool__(self) -> bool:
        return self.keep_newer or self.skip_unchanged or self.not_after


UNGUARDED = Guards()


@lru_cache(maxsize=1024)
def statements(
    record_class: type[Record],
    schema: str,
    key: tuple[str, ...],
    guards: Guards = UNGUARDED,
    *,
    short_texts: bool = False,
) -> Statements:
    """Return the statements that store one record class by one of its natural keys."""
    return Statements(record_class, schema, key, guards, short_texts=short_texts)


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
    short_texts : bool
        Whether the texts of each row fit into a page of the temporary table, with all else. PostgreSQL
        stores long ones in a table beside it, which takes a commit 0.25 ms to empty, used or not (measured).
    """

    def __init__(
        self,
        record_class: type[Record],
        schema: str,
        key: tuple[str, ...],
        guards: Guards = UNGUARDED,
        *,
        short_texts: bool = False,
    ) -> None:
        self.record_class, self.schema, self.key, self.guards = record_class, schema, key, guards
        self._short_texts = short_texts
        self.columns = tuple(column.name for column in record_class.columns() if column.written)
        """The columns that a save sends, in the order of the statement's parameters."""
        mark = crc32(repr((schema, record_class.table, self.columns)).encode())
        table = record_class.table.encode()[:40].decode(errors="ignore")
        self.stage = f"stage_{table}_{mark:08x}" + ("_short" if short_texts else "")
        """Name of the temporary table through which a batch is copied; its columns are part of it."""
        self.row_type = f"row_{table}_{mark:08x}"
        """Name of the temporary type of a row in a batch that is sent at once."""
        self.has_times = "modified" in record_class.model_fields
        self.makes_spectra = issubclass(record_class, SpectrumMixin)
        stored = [record_class.primary_key]
        stored += ["created", "modified"] if self.has_times else []
        stored += ["spectrum_pk"] if self.makes_spectra else []
        self.stored = tuple(stored)
        """The columns that the database decides, which a record takes over after a save."""

    @cached_property
    def upsert_row(self) -> str:
        """Store one row, given as one parameter a column; returns the columns `returned`."""
        values = [exp.Parameter(this=exp.Literal.number(place)) for place in range(1, len(self.columns) + 1)]
        return _sql(
            self._upsert(exp.Values(expressions=[exp.Tuple(expressions=self._with_spectrum(values))]))
        )

    @cached_property
    def create_row_type(self) -> str:
        """Make the temporary type of one row, of which `upsert_rows` takes an array."""
        columns = [f"{_quoted(name)} {self.record_class.column(name).type.sql}" for name in self.columns]
        return f"CREATE TYPE pg_temp.{_quoted(self.row_type)} AS ({', '.join(columns)})"

    @cached_property
    def upsert_rows(self) -> str:
        """Store rows given as one array of the temporary type; returns the columns `returned`."""
        array = exp.Cast(
            this=exp.Parameter(this=exp.Literal.number(1)),
            to=exp.DataType.build(f"pg_temp.{_quoted(self.row_type)}[]", dialect="postgres", udt=True),
        )
        rows = exp.Unnest(expressions=[array], alias=exp.TableAlias(this=_name("sent")))
        values = self._with_spectrum([_column(name, "sent") for name in self.columns])
        return _sql(self._upsert(exp.select(*values).from_(rows)))

    @cached_property
    def returned(self) -> tuple[str, ...]:
        """What a save returns: the key, the stored columns, and whether the row is a new one.

        Times are seconds since 1970: such a number takes the driver 0.02 microseconds, a `datetime` 0.56.
        """
        return (*dict.fromkeys((*self.key, *self.stored)), "inserted")

    @cached_property
    def create_stage(self) -> str:
        """Make the temporary table through which batches are copied, unless it is there."""
        texts = [name for name in self.columns if self.record_class.column(name).type is TEXT]
        later = texts if self._short_texts else []
        rows = exp.select(*(_column(name) for name in self.columns if name not in later))
        properties = exp.Properties(expressions=[exp.TemporaryProperty(), exp.OnCommitProperty(delete=True)])
        stage = exp.Table(this=_name(self.stage))
        rows = rows.from_(self._table).limit(0)
        create = exp.Create(this=stage, kind="TABLE", exists=True, expression=rows, properties=properties)
        # A table that has its first text column when it is made gets a table beside it, for good.
        return "; ".join([_sql(create), *(self._add_short_text(name) for name in later)])

    def _add_short_text(self, name: str) -> str:
        table, column = f"pg_temp.{_quoted(self.stage)}", _quoted(name)
        return (
            f"ALTER TABLE {table} ADD COLUMN IF NOT EXISTS {column} TEXT, "
            f"ALTER COLUMN {column} SET STORAGE PLAIN"
        )

    @cached_property
    def empty_stage(self) -> str:
        """Empty the temporary table, which otherwise happens when a transaction ends."""
        return _sql(exp.TruncateTable(expressions=[exp.Table(this=_name(self.stage), db=_name("pg_temp"))]))

    @cached_property
    def stored_rows(self) -> str:
        """What the database decided under given keys: one array a key column is the parameter."""
        v_astra = ["v_astra"] if self.is_result else []
        return self._under_keys(list(dict.fromkeys([*self.key, *self.stored, *v_astra])))

    def _under_keys(self, names: Sequence[str]) -> str:
        wanted = self._arrays("wanted", self.key)
        matches = exp.and_(*(_column(name, "stored").eq(_column(name, "wanted")) for name in self.key))
        rows = exp.alias_(self._table, "stored", table=True, quoted=True)
        query = exp.select(*(_column(name, "stored") for name in names)).from_(rows)
        return _sql(query.join(wanted, on=matches))

    def _arrays(self, alias: str, names: Sequence[str]) -> exp.Unnest:
        """Rows of these columns, each given as an array: the parameters of the statement."""
        arrays = [
            exp.Cast(
                this=exp.Parameter(this=exp.Literal.number(place)),
                to=exp.DataType.build(f"{self.record_class.column(name).type.sql}[]", dialect="postgres"),
            )
            for place, name in enumerate(names, start=1)
        ]
        columns = [_name(name) for name in names]
        return exp.Unnest(expressions=arrays, alias=exp.TableAlias(this=_name(alias), columns=columns))

    @property
    def is_result(self) -> bool:
        """Whether the rows are results: their key is a spectrum and a version."""
        return issubclass(self.record_class, PipelineOutputMixin)

    @property
    def _table(self) -> exp.Table:
        return exp.Table(this=_name(self.record_class.table), db=_name(self.schema))

    def _with_spectrum(self, values: Sequence[exp.Expression]) -> list[exp.Expression]:
        """Give a new spectrum its key where the row brings none."""
        if not self.makes_spectra:
            return list(values)
        sequence = exp.Literal.string(f'{_quoted(self.schema)}."spectrum_pk_seq"')
        fresh = exp.Anonymous(
            this="nextval", expressions=[exp.Cast(this=sequence, to=exp.DataType.build("regclass", udt=True))]
        )
        place = self.columns.index("spectrum_pk")
        given: list[exp.Expression] = [value.copy() for value in values]
        given[place] = exp.Coalesce(this=given[place], expressions=[fresh])
        return given

    @cached_property
    def missing_references(self) -> dict[str, str]:
        """By column, which of the keys given as an array the table that it refers to does not have."""
        queries = {}
        for column in self.record_class.columns():
            if column.references is None or (self.makes_spectra and column.name == "spectrum_pk"):
                continue
            table, key = column.references.split(".")
            array = exp.Cast(
                this=exp.Parameter(this=exp.Literal.number(1)),
                to=exp.DataType.build(f"{column.type.sql}[]", dialect="postgres"),
            )
            wanted = exp.Unnest(
                expressions=[array], alias=exp.TableAlias(this=_name("wanted"), columns=[_name("key")])
            )
            there = exp.select("1").from_(exp.Table(this=_name(table), db=_name(self.schema)))
            there = there.where(_column(key, table).eq(_column("key", "wanted")))
            query = exp.select(_column("key", "wanted")).from_(wanted)
            queries[column.name] = _sql(query.where(exp.not_(exp.Exists(this=there))))
        return queries

    def _upsert(self, rows: exp.Expression, *, seconds: bool = True) -> exp.Expression:
        excluded = [
            exp.EQ(this=_column(name), expression=_column(name, "excluded"))
            for name in (*self._replaced, *(["modified"] if self.has_times else []))
        ]
        returned = [_returned(name, seconds=seconds) for name in self.returned[:-1]]
        inserted = exp.EQ(this=_column("created"), expression=_column("modified"))
        upsert = exp.Insert(
            this=exp.Schema(this=self._table, expressions=[_name(name) for name in self.columns]),
            expression=rows,
            conflict=exp.OnConflict(
                conflict_keys=[_name(name) for name in self.key],
                action=exp.var("DO UPDATE"),
                expressions=excluded,
                where=self._guard,
            ),
            returning=exp.Returning(expressions=[*returned, exp.alias_(inserted, "inserted", quoted=True)]),
        )
        return self._with_parent(upsert) if self.makes_spectra else upsert

    @property
    def _replaced(self) -> list[str]:
        """Every column but the key; a spectrum keeps the number by which results refer to it."""
        kept = {*self.key, *(["spectrum_pk"] if self.makes_spectra else [])}
        return [name for name in self.columns if name not in kept]

    def _with_parent(self, upsert: exp.Expression) -> exp.Expression:
        """Insert the row of `spectrum` in the same statement: foreign keys are checked at its end.

        A number that another spectrum has is refused: the results of the two would be one.
        """
        saved = exp.select(_column("spectrum_pk")).from_("saved").where(_column("inserted"))
        parent = exp.Insert(
            this=exp.Schema(
                this=exp.Table(this=_name("spectrum"), db=_name(self.schema)), expressions=[_name("pk")]
            ),
            expression=saved,
        )
        return exp.select("*").from_("saved").with_("saved", as_=upsert).with_("parent", as_=parent)

    @property
    def _guard(self) -> exp.Where | None:
        table = self.record_class.table
        conditions: list[exp.Expression] = []
        if self.guards.keep_newer:
            conditions.append(
                exp.LTE(this=_column("v_astra", table), expression=_column("v_astra", "excluded"))
            )
        if self.guards.not_after:
            time: exp.Expression = exp.Anonymous(
                this="current_setting", expressions=[exp.Literal.string(NOT_AFTER)]
            )
            time = exp.Cast(this=time, to=exp.DataType.build("timestamptz", dialect="postgres"))
            conditions.append(exp.LTE(this=_column("modified", table), expression=time))
        if self.guards.skip_unchanged:
            compared = [name for name in self._replaced if name not in TIMINGS]
            conditions.append(
                exp.NullSafeNEQ(
                    this=exp.Tuple(expressions=[_column(name, table) for name in compared]),
                    expression=exp.Tuple(expressions=[_column(name, "excluded") for name in compared]),
                )
            )
        return exp.Where(this=exp.and_(*conditions)) if conditions else None


def _returned(name: str, table: str | None = None, *, seconds: bool) -> exp.Expr:
    column = _column(name, table)
    if not seconds or name not in ("created", "modified"):
        return column
    epoch = exp.Anonymous(this="date_part", expressions=[exp.Literal.string("epoch"), column])
    return exp.alias_(epoch, name, quoted=True)


def _name(name: str) -> exp.Identifier:
    return exp.to_identifier(name, quoted=True)


def _quoted(name: str) -> str:
    return _sql(_name(name))


def _column(name: str, table: str | None = None) -> exp.Column:
    return exp.column(_name(name), table=_name(table) if table else None)


def _sql(tree: exp.Expression) -> str:
    return tree.sql("postgres")
