"""Names that a new table or column may have."""

from __future__ import annotations

import keyword
import re

from astra_outputs.errors import InvalidName
from astra_outputs.model.attributes import refuse_hidden
from astra_outputs.model.pipeline import PipelineOutputMixin

LONGEST = 63
"""Bytes that a name may have; PostgreSQL cuts longer ones in silence."""

LONGEST_TABLE = LONGEST - len("_spectrum_version_key")
"""A table's name is also the beginning of the names of its keys."""

RESERVED = frozenset(
    """
    all analyse analyze and any array as asc asymmetric authorization binary both case cast check
    collate collation column concurrently constraint create cross current_catalog current_date
    current_role current_schema current_time current_timestamp current_user default deferrable desc
    distinct do else end except false fetch for foreign freeze from full grant group having ilike in
    initially inner intersect into is isnull join lateral leading left like limit localtime
    localtimestamp natural not notnull null offset on only or order outer overlaps placing primary
    references returning right select session_user similar some symmetric system_user table tablesample
    then to trailing true union unique user using variadic verbose when where window with
    """.split()  # noqa: SIM905 (a list of so many words reads better as text)
)
"""Words that PostgreSQL 15 to 18 do not take as names without quotation marks."""

OUR_TABLES = frozenset({"flag_definition"})

_NAME = re.compile(r"[a-z][a-z0-9_]*")


def check_table_name(name: str, taken: frozenset[str]) -> None:
    """Refuse a name for a new table.

    Raises
    ------
    ValueError
        If it is not a name in lower case, too long, reserved, or one of the tables `taken`.
    """
    _check(name, "table", LONGEST_TABLE)
    if name in taken | OUR_TABLES:
        raise ValueError(f"there is a table {name} already; choose another name")


def check_column_name(name: str) -> None:
    """Refuse a name for a column of a new pipeline.

    Raises
    ------
    ValueError
        If it is not a name in lower case, too long, reserved, a column that every pipeline has, or
        the name of something else that a record has.
    """
    _check(name, "column", LONGEST)
    shared = {column.name for column in PipelineOutputMixin.columns()}
    if name in shared:
        raise ValueError(f"{name} is a column that every pipeline has already")
    try:
        refuse_hidden([name], PipelineOutputMixin.__mro__)
    except InvalidName as error:
        raise ValueError(str(error)) from None


def check_flag_name(name: str) -> None:
    """Refuse a name for a bit of flags.

    Raises
    ------
    ValueError
        If it is not a name in lower case, too long, reserved in Python, or that of the summary of all flags.
    """
    _check(name, "flag", LONGEST)
    if name == "warn":
        raise ValueError("flag_warn says whether any flag is set; choose another name than warn")


def _check(name: str, what: str, longest: int) -> None:
    if not _NAME.fullmatch(name):
        raise ValueError(f"{name!r} is no name for a {what}: use a-z, 0-9 and _, beginning with a letter")
    if len(name) > longest:
        raise ValueError(f"{name} has {len(name)} characters; a {what} may have {longest}")
    if name in RESERVED:
        raise ValueError(f"{name} is a reserved word of SQL, which every query would have to quote")
    if keyword.iskeyword(name):
        raise ValueError(f"{name} is a reserved word of Python")


def check_text(what: str, text: str, longest: int) -> None:
    """Refuse a text that would not stand in Python and SQL as it is, or is too long.

    Raises
    ------
    ValueError
        Naming what it is the text of.
    """
    if len(text) > longest:
        raise ValueError(f"{what} has {len(text)} characters; it may have {longest}")
    if not text.isprintable() or set(text) & {'"', "\\"}:
        raise ValueError(f"{what} contains a quotation mark, a backslash or a control character: {text!r}")
