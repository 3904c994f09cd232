"""Columns to the database: a table is checked, encoded and merged as NumPy arrays, without records.

Needs NumPy, which nothing else here does; importing this package imports it.
"""

from __future__ import annotations

from astra_outputs.errors import MissingExtra

try:
    import numpy  # noqa: ICN001, F401
except ImportError as error:
    raise MissingExtra("save_table needs NumPy: pip install 'astra-outputs[tables]'") from error
