"""`Record`: one row of one table, validated at the door and on every assignment."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from threading import Lock
from typing import Any, ClassVar, Self

from pydantic import ConfigDict, ValidationError

from astra_outputs.errors import (
    InvalidRecord,
    NotRead,
    Problem,
    ReadOnlyColumn,
    UnknownColumn,
)
from astra_outputs.model.attributes import RecordBase, refuse_hidden
from astra_outputs.model.columns import Column, category, resolve
from astra_outputs.model.flag_names import Flag, FlagNames
from astra_outputs.model.native import NativeValidator, unshare
from astra_outputs.model.outcome import Outcome
from astra_outputs.model.refusals import did_you_mean, refusal
from astra_outputs.model.show import record_html, shown
from astra_outputs.names import check_name, check_table, table_of

_building = Lock()


class Record(RecordBase):
    """Base of every record class: a class is a table, its fields are the columns.

    Class variables
    ---------------
    table : str
        Name of the table; the class name in snake_case unless set.
    title : str
        One line that says what the table holds; the comment of the SQL table.
    primary_key : str
        The identity column that the database fills.
    natural_keys : tuple[tuple[str, ...], ...]
        Column sets that identify a row, best first. A save uses the first whose columns all have
        values.
    may_be_left_out : bool
        Whether a database may do without the table: `check` then says so and finds no fault.
    """

    # Which names are taken, `refuse_hidden` knows better than Pydantic.
    model_config = ConfigDict(
        extra="forbid", validate_assignment=True, protected_namespaces=(), defer_build=True
    )

    table: ClassVar[str]
    title: ClassVar[str]
    primary_key: ClassVar[str] = "pk"
    natural_keys: ClassVar[tuple[tuple[str, ...], ...]] = ()
    may_be_left_out: ClassVar[bool] = False
    generated: ClassVar[dict[str, Column]] = {}
    """Columns that the database computes; a record class offers them as properties."""

    flag_names: ClassVar[FlagNames]
    """The attributes that stand for bits of the flags columns."""

    _columns: ClassVar[dict[str, Column]]
    _native: ClassVar[NativeValidator | None]
    """Made when the first record is."""

    _from_server: ClassVar[dict[str, Callable[[Any], Any]]]

    def __init__(self, **values: Any) -> None:
        self._of(values, self)

    # Without this mark Pydantic would call `__init__` for each row that `model_validate` reads.
    __init__.__pydantic_base_init__ = True  # type: ignore[attr-defined]

    @classmethod
    def __pydantic_init_subclass__(cls, **_: Any) -> None:
        category(None)  # what the class body said last does not reach the next class
        if "table" not in cls.__dict__:
            cls.table = table_of(cls.__name__)
        if "title" not in cls.__dict__:
            cls.title = (cls.__doc__ or cls.__name__).strip().splitlines()[0].rstrip(".")
        check_table(cls.table, cls.__name__)
        for name in (*cls.model_fields, *cls.generated):
            check_name(name, f"column of {cls.table}")
        refuse_hidden(cls.model_fields, cls.__mro__[1:])
        columns = {name: resolve(name, info, cls.__name__) for name, info in cls.model_fields.items()}
        cls._columns = {**columns, **cls.generated}
        conversions = {name: column.type.from_server for name, column in columns.items()}
        cls._from_server = {name: convert for name, convert in conversions.items() if convert is not None}
        cls.flag_names = FlagNames.of(cls.table, columns.values())
        cls._native = None
        for attribute in cls.flag_names.names:
            if attribute not in cls.__dict__:
                setattr(cls, attribute, Flag(attribute, cls.flag_names))

    @classmethod
    def columns(cls) -> tuple[Column, ...]:
        """Every column of the table, the generated ones included, in the order declared."""
        return tuple(cls._columns.values())

    @classmethod
    def column(cls, name: str) -> Column:
        """Return one column by name.

        Raises
        ------
        UnknownColumn
            If the table has no such column; the nearest name is suggested.
        """
        try:
            return cls._columns[name]
        except KeyError:
            raise UnknownColumn(cls.table, (cls.no_column(name),)) from None

    @classmethod
    def model_validate(cls, obj: Any, **options: Any) -> Self:
        """Return a record built from a mapping of column names to values.

        Raises
        ------
        InvalidRecord
            If a value does not fit its column, a required one is missing, or a name is unknown.
        """
        if isinstance(obj, dict) and not options:
            return cls._of(obj)
        if not isinstance(obj, Record) and isinstance(obj, Mapping):
            obj = cls._with_flags(dict(obj))
        try:
            return super().model_validate(obj, **options)
        except ValidationError as error:
            raise refusal(cls, error) from error

    @classmethod
    def _of(cls, values: dict[str, Any], record: Self | None = None) -> Self:
        """Return the record of these values, which are not changed; an empty one may be given."""
        native = cls._native or cls._make_native()
        built: Self | None = native.build(values, record)
        return cls._converted(values, record) if built is None else built

    @classmethod
    def _converted(cls, values: dict[str, Any], record: Self | None = None) -> Self:
        """Return the record of values that are not as they are stored, or flags."""
        native = cls._native or cls._make_native()
        folded = cls._with_flags(values)
        built: Self | None = None if folded is values else native.build(folded, record)
        if built is not None:
            return built
        try:
            converted: Self = native.convert(folded, record)
        except ValidationError as error:
            raise refusal(cls, error) from error
        return converted

    @classmethod
    def _make_native(cls) -> NativeValidator:
        """Build what the class was declared without: half of the classes of an import make no record."""
        with _building:  # the threads of a pipeline may all make their first record
            if cls._native is None:
                cls.model_rebuild()
                cls._native = NativeValidator(cls)
            return cls._native

    @classmethod
    def from_row(cls, row: Mapping[str, Any]) -> Self:
        """Return the record that a row read from the table stands for."""
        values = {name: value for name, value in row.items() if name not in cls.generated}
        for name, convert in cls._from_server.items():
            if name in values:
                values[name] = convert(values[name])
        return cls._of(values)

    @property
    def outcome(self) -> Outcome | None:
        """What the last save did to this record; None if it was not saved."""
        name = self.__dict__.get("outcome")
        return None if name is None else Outcome(name)

    def _brought(self, name: str) -> Any:
        """Return the row of another table that a question brought along with this one."""
        try:
            return self.__dict__[name]
        except KeyError:
            raise NotRead(
                f"the {name} of this {type(self).__name__} was not read: ask for it, as in find(..., {name}=True)"
            ) from None

    def key(self) -> dict[str, Any]:
        """Return the natural key by which this record is stored, by column name.

        Raises
        ------
        InvalidRecord
            If no natural key of the table has all its values.
        """
        for names in self.natural_keys:
            values = {name: getattr(self, name) for name in names}
            if None not in values.values():
                return values
        raise self.without_key()

    @classmethod
    def without_key(cls) -> InvalidRecord:
        """Return the error of a record that has no natural key."""
        choices = " or ".join("(" + ", ".join(names) + ")" for names in cls.natural_keys)
        problem = Problem(cls.natural_keys[0][0], None, f"the row has no key: give values to {choices}")
        return InvalidRecord(cls.table, (problem,))

    def __setattr__(self, name: str, value: Any) -> None:
        column = self._columns.get(name)
        if column is not None and not column.written:
            raise self._read_only(name, value)
        if column is None and name.startswith("flag_"):
            self._set_flag(name, value)
            return
        unshare(self, name)
        try:
            super().__setattr__(name, value)
        except ValidationError as error:
            raise refusal(type(self), error) from error

    @property
    def model_fields_set(self) -> set[str]:
        """Names of the columns that were given a value; a set of the caller's own."""
        return set(self.__pydantic_fields_set__)

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """Return a copy; with `update`, of a record that was not saved, with these values assigned.

        Raises
        ------
        InvalidRecord
            If a value cannot be assigned: as for an assignment.
        """
        copied = super().model_copy(deep=deep)
        if not update:
            return copied
        for name in update:
            if name not in self._columns and not name.startswith("flag_"):
                raise UnknownColumn(self.table, (self.no_column(name, update[name]),))
        copied.__dict__.pop("outcome", None)
        for column in self._columns.values():
            if column.server_default is not None:
                copied.__dict__[column.name] = None
        for name, value in update.items():
            setattr(copied, name, value)
        return copied

    @classmethod
    def model_construct(cls, _fields_set: set[str] | None = None, **values: Any) -> Self:
        """Return a record, validated as any other: there is no way around it."""
        return cls._of(values)

    def _set_flag(self, name: str, value: bool) -> None:
        flag = self.flag_names.find(name, value)
        stored: int = getattr(self, flag.column) or 0
        setattr(self, flag.column, stored | flag.mask if value else stored & ~flag.mask)

    @classmethod
    def _with_flags(cls, values: dict[str, Any]) -> dict[str, Any]:
        """Return the values with each `flag_low_snr=True` as a bit of its column; they stay as they are."""
        native = cls._native or cls._make_native()
        names = [name for name in native.names(values).others if str(name).startswith("flag_")]
        return cls.flag_names.folded(values, names) if names else values

    @classmethod
    def _read_only(cls, name: str, value: Any) -> ReadOnlyColumn:
        return ReadOnlyColumn(cls.table, (Problem(name, value, "belongs to the database; it is read-only"),))

    @classmethod
    def no_column(cls, name: str, value: Any = ...) -> Problem:
        """Say that this table has no such column, and which one has a name like it."""
        if name in cls._columns:
            return Problem(name, value, "is computed by the database; leave it out")
        hint = did_you_mean(name, [*cls._columns, *cls.flag_names.names])
        return Problem(name, value, f"is not a column of {cls.table}{hint}")

    def keys(self) -> list[str]:
        """Return the names of the columns: with it `dict(record)`, data frames and astropy's tables read records."""
        return list(self._columns)

    def __getitem__(self, name: str) -> Any:
        if name not in self._columns:
            raise KeyError(name)
        return getattr(self, name)

    def __repr_args__(self) -> Iterator[tuple[str | None, Any]]:
        for column, value in shown(self):
            yield column.name, value

    def _repr_html_(self) -> str:
        return record_html(self)


Mapping.register(Record)  # by which libraries know what has names and values
