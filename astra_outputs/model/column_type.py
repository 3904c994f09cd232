"""`ColumnType`: all that is known of one type of columns; and how the types of numbers are made."""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, get_args

from pydantic import GetCoreSchemaHandler
from pydantic_core import CoreSchema, core_schema

from astra_outputs.model.given import MISSING, floating, integral
from astra_outputs.model.harmless import guarded


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class ColumnType:
    """One PostgreSQL type and the values that it holds.

    Attributes
    ----------
    sql : str
        The type's name, as PostgreSQL prints it.
    spellings : tuple of str
        Other names that DDL gives it; the first is the one that is written here, if there is any.
    name : str
        What the command line calls it; empty for one that authors do not ask for there.
    schema : CoreSchema
        What Pydantic runs in native code; a value that passes it is stored as it is.
    convert : Callable
        Asked about every other value: returns what to store (None for "not measured"), or raises
        ValueError with the reason.
    bounds : tuple, optional
        Least and greatest number that is stored.
    arrays : str
        The kinds of NumPy arrays (`dtype.kind`) of which a value within the bounds is stored as it
        is; NaN is None, and an integer column takes whole numbers only. `convert` is asked about
        every value of another array.
    dtype : str
        The NumPy type that holds values that were checked; empty where they differ in length.
    wire : str
        The NumPy type of the binary form, where all values have one width; else empty.
    payload : Callable
        Returns what a value that is not missing is encoded as: a number for `wire`, else the bytes of
        its binary form. A value that may have changed since it was checked (a list) is checked again:
        ValueError.
    nothing : object
        Stands for the payload where a value is missing.
    padded : bool
        Whether NumPy may hold the payloads in one rectangle: none of them ends with a zero byte.
    parameter, from_server : Callable, optional
        To what asyncpg takes as a parameter of a statement, and from what it returns; None where that is
        the value as it is.
    to_json, from_json : Callable, optional
        To what JSON has, and back; None where JSON has the value as it is.
    show : Callable
        Returns what is printed of a value.
    content : str
        What its values are once they are read: "number", "truth", "time", "text", "bytes" or "reals". A type
        of which nothing else is said is read as text.
    absent : str
        The SQL that is sent for a value that is missing, where all values have one width.
    arrow, fits, ecsv, votable, sql_server : str
        What Arrow, FITS (the letter of `TFORM`), ECSV, VOTable and SQL Server call it; `{}` is the longest value.
    literal : str
        A value as Python code, which comes back from the database as it was.
    example : Callable
        Returns a value that tells numbers apart (multiples of 1/8, up to 100) and comes back as well.
    """

    sql: str
    schema: CoreSchema
    convert: Callable[[Any], Any]
    payload: Callable[[Any], Any]
    literal: str
    example: Callable[[float], Any]
    name: str = ""
    spellings: tuple[str, ...] = ()
    bounds: tuple[float, float] | None = None
    arrays: str = ""
    dtype: str = ""
    wire: str = ""
    nothing: Any = b""
    padded: bool = False
    show: Callable[[Any], Any] = lambda value: value
    parameter: Callable[[Any], Any] | None = None
    from_server: Callable[[Any], Any] | None = None
    to_json: Callable[[Any], Any] | None = None
    from_json: Callable[[Any], Any] | None = None
    content: str = "text"
    absent: str = ""
    arrow: str = "large_string"
    fits: str = "A"
    ecsv: str = "string"
    votable: str = "char"
    sql_server: str = "varchar({})"

    def __repr__(self) -> str:
        return f"ColumnType({self.sql})"

    def __get_pydantic_core_schema__(self, source: Any, _: GetCoreSchemaHandler) -> CoreSchema:
        if type(None) not in get_args(source):
            return self._with_rule(self.require)
        return core_schema.nullable_schema(self._with_rule(self.convert))

    def _with_rule(self, rule: Callable[[Any], Any]) -> CoreSchema:
        slow = core_schema.no_info_plain_validator_function(rule)
        return core_schema.union_schema([self.schema, slow], mode="left_to_right")

    def require(self, value: Any) -> Any:
        """Do as `convert` for a column that is NOT NULL: None is refused too."""
        value = self.convert(value)
        if value is MISSING:
            raise ValueError("must have a value: the column is NOT NULL")
        return value

    @property
    def ddl(self) -> str:
        """The type's name in the SQL files."""
        return self.spellings[0] if self.spellings else self.sql


def type_of(annotation: Any) -> ColumnType:
    """Return the type that an annotation such as `Real` stands for."""
    (kind,) = (entry for entry in get_args(annotation)[1:] if isinstance(entry, ColumnType))
    return kind


def shortest_real(number: float) -> float:
    """Return the shortest number that single precision holds as the same: 0.162, not 0.16200000047683716."""
    single = struct.pack("f", number)
    if struct.unpack("f", single)[0] != number:
        return number  # as it was given, not as it is stored
    for digits in range(6, 9):
        shorter = float(f"{number:.{digits}g}")
        if struct.pack("f", shorter) == single:
            return shorter
    return number


NUMBERS: dict[str, dict[str, Any]] = {
    ">f4": {"arrow": "float32", "ecsv": "float32", "fits": "E", "sql_server": "real", "votable": "float"},
    ">f8": {"arrow": "float64", "ecsv": "float64", "fits": "D", "sql_server": "float", "votable": "double"},
    ">i4": {"arrow": "int32", "ecsv": "int32", "fits": "J", "sql_server": "int", "votable": "int"},
    ">i8": {"arrow": "int64", "ecsv": "int64", "fits": "K", "sql_server": "bigint", "votable": "long"},
}
"""What others call numbers, by their form on the wire."""


def floating_type(sql: str, largest: float, wire: str, **known: Any) -> ColumnType:
    """Return a type of floating-point numbers up to the largest."""
    return ColumnType(
        sql=sql,
        schema=guarded(core_schema.float_schema(strict=True, allow_inf_nan=False, ge=-largest, le=largest)),
        convert=floating(largest, sql),
        bounds=(-largest, largest),
        arrays="fiu",
        dtype="f8",
        wire=wire,
        payload=float,
        nothing=0.0,
        content="number",
        absent="'NaN'",
        **NUMBERS[wire],
        literal="0.5",
        example=float,
        **known,
    )


def integral_type(sql: str, lowest: int, highest: int, wire: str, said: str = "", **known: Any) -> ColumnType:
    """Return a type of whole numbers between two; `said` names it where it refuses one."""
    return ColumnType(
        sql=sql,
        schema=core_schema.int_schema(strict=True, ge=lowest, le=highest),
        bounds=(lowest, highest),
        dtype="i8",
        wire=wire,
        payload=int,
        nothing=0,
        content="number",
        absent="0",
        **NUMBERS[wire],
        literal="1",
        example=lambda number: int(number * 8),
        **{"convert": integral(lowest, highest, said or sql), "arrays": "fiu", **known},
    )
