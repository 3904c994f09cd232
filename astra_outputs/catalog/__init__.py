"""Compares what record classes, SQL files and a live database say of the same tables."""

from __future__ import annotations

from astra_outputs.catalog.check import Checked, check_files, check_with_database, differences_with_database
from astra_outputs.catalog.difference import Difference, Says

__all__ = [
    "Checked",
    "Difference",
    "Says",
    "check_files",
    "check_with_database",
    "differences_with_database",
]
