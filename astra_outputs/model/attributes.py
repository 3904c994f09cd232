"""What records have besides their columns: names that no column may hide, and names that other libraries have."""

from __future__ import annotations

from collections.abc import Iterable
from inspect import Signature
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic.errors import PydanticUserError

from astra_outputs.errors import InvalidColumn, InvalidName, InvalidRecord, NotHere, Problem
from astra_outputs.model.from_json import values_of_json
from astra_outputs.model.refusals import refusal
from astra_outputs.model.signature import signature_of

SPELLINGS = {
    "save": "await outputs.save(record)",
    "create": "await outputs.save({name}(...))",
    "insert": "await outputs.save({name}(...))",
    "insert_many": "await outputs.save_many(records)",
    "bulk_create": "await outputs.save_many(records)",
    "get_by_id": "await outputs.get_by_id({name}, 1)",
    "get": "await outputs.get_result({name}, spectrum)",
    "get_or_none": "await outputs.get_result({name}, spectrum)",
    "select": "await outputs.find({name}, ...)",
    "objects": "await outputs.find({name}, ...)",
    "query": "await outputs.find({name}, ...)",
    "delete_instance": "nothing: results are replaced, never deleted",
}
"""What users of Peewee, Django and SQLAlchemy write, and how it is written here."""

FIELDS = {
    "FloatField": "Real",
    "DoubleField": "Double",
    "IntegerField": "Integer",
    "SmallIntegerField": "Integer",
    "BigIntegerField": "BigInt",
    "TextField": "Text",
    "CharField": "Text",
    "BooleanField": "Boolean",
    "DateTimeField": "Timestamp",
    "BlobField": "Bytes",
    "BinaryField": "Bytes",
    "ArrayField": "RealArray",
    "JSONField": "Json",
    "BitField": "Flags",
}
"""What they write for a column, and the type that it is here."""


def refuse_of_others(record_class: type[Any], name: str) -> None:
    """Say how something is written here, if other libraries have it under this name.

    Raises
    ------
    NotHere
        With the spelling.
    """
    if name in SPELLINGS:
        here = SPELLINGS[name].format(name=record_class.__name__)
        raise NotHere(
            f"{record_class.__name__} has no {name}: a record does not know the database; write {here}"
        )


class RecordClass(type(BaseModel)):  # type: ignore[misc]  # (the metaclass has no public name)
    """The class of record classes: says how things are written here that look otherwise elsewhere."""

    def __new__(cls, name: str, bases: tuple[type, ...], namespace: dict[str, Any], **options: Any) -> Any:
        """Make a record class."""
        try:
            return super().__new__(cls, name, bases, namespace, **options)
        except PydanticUserError as error:
            if error.code != "model-field-missing-annotation":
                raise
            raise _without_type(name, namespace) from error

    @property
    def __signature__(cls) -> Signature:
        """What a record is made of, for `help` and editors: names, types, units and descriptions."""
        return signature_of(cls)

    @__signature__.setter
    def __signature__(cls, _: Any) -> None:
        """Pydantic's own is written over 80 columns and more."""

    def __getattr__(cls, name: str) -> Any:
        refuse_of_others(cls, name)
        return super().__getattr__(name)


if TYPE_CHECKING:

    class RecordBase(BaseModel):
        """Pydantic's base; type checkers take what is no column for a flag, which each class has by its own names."""

        def __getattr__(self, name: str) -> bool: ...

else:

    class RecordBase(BaseModel, metaclass=RecordClass):
        """Pydantic's base, of a class that has words for what is written otherwise elsewhere."""

        model_config = ConfigDict(defer_build=True, ser_json_bytes="base64", val_json_bytes="base64")

        def __getattr__(self, name: str) -> Any:
            refuse_of_others(type(self), name)
            return super().__getattr__(name)

        def copy(self, **options: Any) -> Any:
            """Return a copy by Pydantic's old name, which validated nothing; see `model_copy`."""
            return self.model_copy(**options)

        @classmethod
        def model_validate_json(cls, json_data: str | bytes | bytearray, **options: Any) -> Any:
            """Return a record built from JSON, as `model_dump_json` writes it; see `model_validate`."""
            return cls.model_validate(values_of_json(cls, json_data), **options)

        @classmethod
        def model_validate_strings(cls, obj: Any, **options: Any) -> Any:
            """Return a record built from texts, as Pydantic reads them."""
            try:
                return super().model_validate_strings(obj, **options)
            except ValidationError as error:
                raise refusal(cls, error) from error

        def __delattr__(self, name: str) -> None:
            if name in type(self).model_fields:
                raise InvalidRecord(self.table, (Problem(name, None, "cannot be taken away; assign None"),))
            super().__delattr__(name)


def _without_type(class_name: str, namespace: dict[str, Any]) -> InvalidColumn:
    annotated = namespace.get("__annotations__", {})
    for name, value in namespace.items():
        kind = FIELDS.get(type(value).__name__)
        if name not in annotated and (kind or type(value).__name__ == "FieldInfo"):
            return InvalidColumn(class_name, name, kind or "Real")
    return InvalidColumn(class_name, "teff", "Real")


def refuse_hidden(names: Iterable[str], bases: tuple[type[Any], ...]) -> None:
    """Refuse names for columns of a class of records that would hide what these call so.

    Parameters
    ----------
    names : iterable of str
    bases : tuple of type
        The class's bases, in the order in which Python looks them through.

    Raises
    ------
    InvalidName
        If one of them has such an attribute that is no column, or it begins like those of flags and of Pydantic.
    """
    taken: set[str] = set()
    for base in bases:
        known = {*vars(base), *getattr(base, "__class_vars__", ())}
        taken |= known - getattr(base, "model_fields", {}).keys()
    for name in names:
        if name.startswith("flag_"):
            raise InvalidName(f"{name} would hide a flag: records offer their flags as flag_<name>")
        if name in taken or name.startswith("model_"):
            raise InvalidName(f"{name} would hide what a record calls so; choose another name")
