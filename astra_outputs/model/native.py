"""Records from values that need no conversion: validated in native code alone, and light to keep."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import CoreSchema, SchemaValidator, core_schema

from astra_outputs.model.harmless import are_harmless, unguarded

PAUSE = 8
"""Records that are not tried after one that needed conversion; the next ones likely need it, too."""

SETS = 256
"""Different sets of names that are remembered for a class; a pipeline gives one or a few."""

_new: Any = object.__new__
_set_values = BaseModel.__dict__["__dict__"].__set__
_set_given = BaseModel.__dict__["__pydantic_fields_set__"].__set__
_set_extra = BaseModel.__dict__["__pydantic_extra__"].__set__
_set_private = BaseModel.__dict__["__pydantic_private__"].__set__


@dataclass(frozen=True)
class GivenNames:
    """What is known of the names that a record was given, in their order.

    Attributes
    ----------
    columns : set of str
        Those of columns, and the columns of the flags among them. All records that were given these
        names share the one set: it must never be changed.
    others : tuple of str
        Those that are no columns: flags, or mistakes.
    """

    columns: set[str]
    others: tuple[str, ...]


class NativeValidator:
    """Builds records of one class from values that are what the table stores: plain and in range.

    It is the class's own schema with three things left out, so that the rules stand in one place: what a
    column does with a value that its native rule refuses (NaN, a wrong one); the look at each value's type, since
    all of them are looked at together (`harmless`); and the search for unknown names, which are compared with
    those of the record before. Whatever it does not take is for the class's own validator, which converts it or
    says what is wrong.

    Pydantic gives each record a set of the names that it was given: at 171 columns more than half of its
    memory, and of the work of the garbage collector. Here all records with the same names share one.
    """

    def __init__(self, record_class: type[Any]) -> None:
        self._class = record_class
        self._known = frozenset(record_class.model_fields)
        # One object, which threads replace as a whole.
        self._last: tuple[tuple[str, ...], GivenNames] = ((), GivenNames(set(), ()))
        self._seen: dict[tuple[str, ...], GivenNames] = {}
        schema = _of_columns(record_class, _without_conversion)
        self._validate = None if schema is None else SchemaValidator(schema).validate_python
        self._ready = self._validate
        self._converting: Callable[[Any], dict[str, Any]] | None = None
        self._pause = 0

    def names(self, values: dict[str, Any]) -> GivenNames:
        """Return what is known of the names of some values."""
        names = tuple(values)
        last, given_last = self._last
        if names == last:
            return given_last
        given = self._seen.get(names)
        if given is None:
            others = tuple(name for name in names if name not in self._known)
            columns = self._known.intersection(names)
            if len(self._seen) >= SETS:
                self._seen.clear()
            given = self._seen[names] = GivenNames(set(columns), others)
        self._last = (names, given)
        return given

    def build(self, values: dict[str, Any], record: Any = None) -> Any:
        """Return a record, or None if some value or name is not for here; an empty one may be given."""
        validate = self._ready
        if validate is None:
            self._pause -= 1
            if self._pause < 0:
                self._ready = self._validate
            return None
        last, given = self._last
        if tuple(values) != last:
            given = self.names(values)
        if given.others or not are_harmless(values.values()):
            return None
        try:
            columns = validate(values)
        except ValidationError:
            self._ready, self._pause = None, PAUSE
            return None
        return self._filled(record, columns, given)

    def convert(self, values: dict[str, Any], record: Any = None) -> Any:
        """Return the record of values of which some need conversion, or are wrong; an empty one may be given.

        Raises
        ------
        ValidationError
            If a column does not take its value.
        """
        given = self.names(values)
        if self._validate is None or given.others or not are_harmless(values.values()):
            record = self._class.__pydantic_validator__.validate_python(values, self_instance=record)
            if given.columns == record.__pydantic_fields_set__:
                _set_given(record, given.columns)
            return record
        if self._converting is None:
            schema: Any = _of_columns(self._class, _without_guard)
            self._converting = SchemaValidator(schema).validate_python
        return self._filled(record, self._converting(values), given)

    def _filled(self, record: Any, columns: dict[str, Any], given: GivenNames) -> Any:
        if record is None:
            record = _new(self._class)
        _set_values(record, columns)
        _set_given(record, given.columns)
        _set_extra(record, None)
        _set_private(record, None)
        return record


def assembled(record_class: type[Any], columns: dict[str, Any], given: set[str]) -> Any:
    """Return a record of values that are known to be right, as those of a stored row are.

    Parameters
    ----------
    record_class : type[Record]
    columns : dict[str, Any]
        A value for each column; the record takes it over.
    given : set of str
        Their names, shared by all records that are made with it.
    """
    record = _new(record_class)
    _set_values(record, columns)
    _set_given(record, given)
    _set_extra(record, None)
    _set_private(record, None)
    return record


def unshare(record: BaseModel, name: str) -> None:
    """Make ready for a value to be given to a column: a set that others share is not changed."""
    given = record.__pydantic_fields_set__
    if name not in given:
        _set_given(record, set(given))


def _of_columns(record_class: type[Any], change: Callable[[Any], Any]) -> CoreSchema | None:
    """Return a schema of the class's columns as a dictionary; None if more belongs to its records."""
    schema: Any = record_class.__pydantic_core_schema__
    if schema["type"] == "definitions":
        schema = schema["schema"]
    if schema["type"] != "model" or schema["schema"]["type"] != "model-fields" or schema.get("post_init"):
        return None
    fields = schema["schema"]["fields"]
    if any("validation_alias" in field for field in fields.values()):
        return None
    config: Any = {**schema["config"], "extra_fields_behavior": "ignore"}
    return core_schema.typed_dict_schema(
        {
            name: core_schema.typed_dict_field(
                _changed(field["schema"], change), required=field["schema"]["type"] != "default"
            )
            for name, field in fields.items()
        },
        extra_behavior="ignore",
        config=config,
    )


def _changed(node: Any, change: Callable[[Any], Any]) -> Any:
    """Return a schema in which the union of the rules of each column is another."""
    if isinstance(node, list | tuple):
        return type(node)(_changed(one, change) for one in node)
    if not isinstance(node, dict):
        return node
    if node.get("type") == "union" and node["choices"][-1]["type"] == "function-plain":
        return change(node)
    return {name: _changed(value, change) for name, value in node.items()}


def _without_conversion(union: Any) -> Any:
    """Return the native rule of a column alone."""
    return unguarded(union["choices"][0])


def _without_guard(union: Any) -> Any:
    """Return the rules of a column, of which the native one looks at no type."""
    native, *others = union["choices"]
    return {**union, "choices": [unguarded(native), *others]}
