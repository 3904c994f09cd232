"""Names of schemas, tables and columns: what PostgreSQL would cut or cannot hold is refused.

Every name is quoted wherever it becomes part of a statement, so that it may hold any character; this is
about names that would not arrive as they were given.
"""

from __future__ import annotations

import re

from astra_outputs.errors import InvalidName, shorten

_WORD = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
"""Where a word of a class name begins; an acronym is one word."""

LONGEST = 63
"""Bytes that PostgreSQL keeps of a name, unless it was compiled otherwise; it cuts the rest off."""


def check_name(name: str, of: str) -> str:
    """Return the name of something in the database, if it is one.

    Parameters
    ----------
    name : str
    of : str
        What it names ("schema", "table of MyPipeline"), for the error.

    Raises
    ------
    InvalidName
        If it is empty, is longer than 63 bytes of UTF-8, or holds a NUL or half a surrogate pair.
    """
    if not isinstance(name, str):
        raise InvalidName(f"name of a {of}: must be a text, not {shorten(name)}")
    if not name:
        raise InvalidName(f"name of a {of}: must not be empty")
    if "\0" in name:
        raise InvalidName(f"name of a {of}: {shorten(name)} holds a NUL, which PostgreSQL cannot store")
    try:
        length = len(name.encode())
    except UnicodeEncodeError:
        raise InvalidName(f"name of a {of}: {shorten(name)} is not Unicode text") from None
    if length > LONGEST:
        raise InvalidName(
            f"name of a {of}: {shorten(name)} has {length} bytes, and PostgreSQL would cut it after {LONGEST}; "
            "give a shorter one"
        )
    return name


def check_table(name: str, class_name: str) -> str:
    """Return the name of a record class's table, if it can be one.

    Raises
    ------
    InvalidName
        As `check_name`; and for `excluded`, by which an upsert calls the row that it brings.
    """
    of = f"table (class {class_name})"
    if check_name(name, of) == "excluded":
        raise InvalidName(
            f"name of a {of}: excluded is what PostgreSQL calls the row of an upsert; give another"
        )
    return name


def table_of(class_name: str) -> str:
    """Return the table that a record class of this name has unless it says otherwise.

    Examples
    --------
    >>> [table_of(name) for name in ("ApogeeCoaddedSpectrumInApStar", "MDwarfType", "NMFRectify", "ASPCAP")]
    ['apogee_coadded_spectrum_in_ap_star', 'm_dwarf_type', 'nmf_rectify', 'aspcap']
    """
    return _WORD.sub("_", class_name).lower()
