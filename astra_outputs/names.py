"""Names of schemas, tables and columns: what PostgreSQL would cut or cannot hold is refused.

Every name is quoted wherever it becomes part of a statement, so that it may hold any character; this is
about names that would not arrive as they were given.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from astra_outputs.errors import InvalidName, shorten

_WORD = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
"""Where a word of a class name begins; an acronym is one word."""

_FROZEN = re.compile(r"(?P<table>.+)_frozen_(?P<major_minor>\d+)_as_(?P<release>.+)")

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


class Frozen(NamedTuple):
    """A version of a pipeline whose rows the database refuses to change: the release it was published in."""

    table: str
    major_minor: int
    release: str

    @property
    def constraint(self) -> str:
        """Name of the check constraint that refuses; it carries what is frozen."""
        return f"{self.table}_frozen_{self.major_minor}_as_{self.release}"

    @property
    def version(self) -> str:
        """The version without its patch number, as people write it."""
        return f"{self.major_minor // 1000}.{self.major_minor % 1000}"

    @property
    def sentence(self) -> str:
        """What the database says of it."""
        return f"Version {self.version} of {self.table} is published as {self.release} and stays as it is"

    @classmethod
    def named(cls, constraint: str) -> Frozen | None:
        """Return what the check constraint of this name freezes, if it is one of these."""
        found = _FROZEN.fullmatch(constraint)
        return found and cls(found["table"], int(found["major_minor"]), found["release"])


def is_administrators_check(constraint: str) -> bool:
    """Tell whether a table may have a check constraint of this name beyond those of its SQL file."""
    return constraint.endswith("_no_nan_check") or Frozen.named(constraint) is not None
