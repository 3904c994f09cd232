"""The keys of a spectrum, whatever library its row comes from."""

from __future__ import annotations

from typing import Any

from astra_outputs.errors import WrongRecordClass, shorten
from astra_outputs.model.given import plain


def keys_of(spectrum: Any, table: str) -> tuple[Any, Any]:
    """Return the `spectrum_pk` and `source_pk` of a spectrum.

    Parameters
    ----------
    spectrum : object
        Has them as attributes or items: a record, a mapping, a row of asyncpg, astropy, NumPy, pandas, Django or
        Peewee. `source_id` and `source` stand for `source_pk`, as those two call a key column `source`.
    table : str
        Whose result is made of it, for the error.

    Raises
    ------
    WrongRecordClass
        If it lacks one of them.
    """
    return _key(spectrum, "spectrum", table), _key(spectrum, "source", table)


def _key(spectrum: Any, name: str, table: str) -> Any:
    # `source_id` before `source`: the row of a library would ask the database for the whole source.
    for spelling in (f"{name}_pk", f"{name}_id", name):
        try:
            value = _value(spectrum, spelling)
        except LookupError:
            continue
        return plain(getattr(value, "pk", value))
    raise WrongRecordClass(
        f"{table}: {_what(spectrum)} is not a spectrum: it has no {name}_pk; give the spectrum as it was read "
        'or saved, or {"spectrum_pk": ..., "source_pk": ...}'
    )


def _value(row: Any, name: str) -> Any:
    try:
        return getattr(row, name)
    except AttributeError:
        pass
    try:
        return row[name]
    except Exception as error:
        raise LookupError(name) from error


def _what(spectrum: Any) -> str:
    if isinstance(spectrum, type):
        return f"the class {spectrum.__name__}"
    if isinstance(spectrum, str | bytes | int | float | None):
        return shorten(spectrum)
    return f"a {type(spectrum).__name__}"
