"""Versions as integers: major * 10**6 + minor * 10**3 + patch, so that 0.6.2 is 6002."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import Context, ContextVar, copy_context
from typing import Any, Self, overload

from astra_outputs.errors import MissingVersion
from astra_outputs.model.inherited_version import inherited, inherited_version

MAXIMUM = 2_147_483_647
"""Greatest version that the `v_astra` column (a PostgreSQL integer) holds: 2147.483.647."""

LEAST = 1_000
"""Least integer that is taken for a version; 0 stands for none, and between are patch numbers alone."""

_PATTERN = re.compile(r"(\d{1,4})\.(\d{1,3})\.(\d{1,3})", re.ASCII)
chosen: ContextVar[int | None] = ContextVar("v_astra", default=None)
"""What `using_version` set; None outside of it."""


def parse_version(version: int | str) -> int:
    """Return a version as an integer: `"0.6.2"` and `6002` both give 6002.

    Raises
    ------
    ValueError
        If the text is not `major.minor.patch`, a part is above 999 (major: 2147), or the integer
        is negative or does not fit a PostgreSQL integer. A number from 1 to 999 is refused as well:
        who writes 8 does not mean 0.0.8.
    """
    if isinstance(version, str):
        text = version.strip()
        match = _PATTERN.fullmatch(text)
        if match is not None:
            major, minor, patch = map(int, match.groups())
            version = major * 1_000_000 + minor * 1_000 + patch
        elif text.isdecimal() and text.isascii():
            version = _whole(int(text))
        else:
            raise ValueError(_what_is_wrong(text))
    elif type(version) is not int:
        raise ValueError(f'version {version!r} must be an integer (6002) or a text ("0.6.2")')
    else:
        version = _whole(version)
    if not 0 <= version <= MAXIMUM:
        raise ValueError(f"version {version} is outside 0 to {MAXIMUM} ({format_version(MAXIMUM)})")
    return version


def _whole(number: int) -> int:
    if 0 < number < LEAST:
        raise ValueError(
            f'version {number} would be {format_version(number)}: write it as "major.minor.patch", '
            f'"0.{number}.0" if you mean that'
        )
    return number


def _what_is_wrong(text: str) -> str:
    if re.fullmatch(r"\d+\.\d+", text, re.ASCII):
        return f'version {text!r} has no patch number: write it as "major.minor.patch", as in "{text}.0"'
    if found := re.match(r"v?(\d+\.\d+\.\d+)\W?[a-zA-Z]", text, re.ASCII):
        return (
            f"version {text!r} cannot be told from {found[1]} in the column v_astra, which holds three numbers: "
            f'"major.minor.patch"; store a release candidate under a version of its own'
        )
    return f'version {text!r} is not of the form "major.minor.patch", as in "0.6.2"'


def parse_major_minor(version: int | str) -> int:
    """Return the part of a version that makes a result unique: `"0.8"`, `"0.8.1"` and 8001 all give 8.

    Raises
    ------
    ValueError
        If it is no version.
    """
    if isinstance(version, str) and re.fullmatch(r"\d{1,4}\.\d{1,3}", version.strip(), re.ASCII):
        version = f"{version.strip()}.0"
    return major_minor(parse_version(version))


def format_version(v_astra: int) -> str:
    """Return a version as text: 6002 gives "0.6.2"."""
    return f"{v_astra // 1_000_000}.{v_astra // 1_000 % 1_000}.{v_astra % 1_000}"


def format_major_minor(number: int) -> str:
    """Return a major.minor as it is written: 8 is 0.8."""
    return f"{number // 1_000}.{number % 1_000}"


def major_minor(v_astra: int) -> int:
    """Return the part of a version that makes a result unique: 6002 gives 6.

    The table computes the same value as `v_astra / 1000`; SQL's division truncates and Python's
    rounds down, so the two agree because versions are never negative.
    """
    return v_astra // 1_000


@contextmanager
def using_version(version: int | str) -> Iterator[int]:
    """Give `from_spectrum` this version wherever none is passed, inside the `with` block.

    Threads and processes that are begun inside have it, too.
    """
    v_astra = parse_version(version)
    token = chosen.set(v_astra)
    try:
        with inherited(v_astra):
            yield v_astra
    finally:
        chosen.reset(token)


def context_with(v_astra: int | None) -> Context:
    """Return a copy of this context, in which `from_spectrum` has this version; the same one if None."""
    context = copy_context()
    if v_astra is not None:
        context.run(chosen.set, v_astra)
    return context


def configured_version() -> int:
    """Return the version set by `using_version`, else by `ASTRA_OUTPUTS_V_ASTRA`.

    Raises
    ------
    MissingVersion
        If neither is set: a result is never stored under a version that nobody chose.
    """
    v_astra = chosen.get()
    if v_astra is None:
        v_astra = inherited_version()
    if v_astra is not None:
        return v_astra
    text = os.environ.get("ASTRA_OUTPUTS_V_ASTRA")
    if not text:
        raise MissingVersion(
            'no v_astra: pass v_astra="0.8.1", wrap the work in using_version("0.8.1"), '
            "or set ASTRA_OUTPUTS_V_ASTRA"
        )
    return parse_version(text)


class VersionColumn:
    """What type checkers know of a column of versions: an integer, which may be given as a text."""

    @overload
    def __get__(self, record: None, owner: type[Any]) -> Self: ...
    @overload
    def __get__(self, record: object, owner: type[Any]) -> int: ...
    def __get__(self, record: object, owner: type[Any]) -> Any:
        """Return the integer."""
        raise NotImplementedError

    def __set__(self, record: object, version: int | str) -> None:
        """Take an integer or a text as "0.8.1"."""
        raise NotImplementedError
