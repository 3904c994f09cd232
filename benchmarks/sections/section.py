"""What a table of results is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Section:
    """One table of results."""

    part: str
    title: str
    head: Sequence[str]
    rows: Sequence[Sequence[str]]
