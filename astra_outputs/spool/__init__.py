"""Results that wait on the worker's disk while the database is away."""

from __future__ import annotations

from astra_outputs.spool.folder import Spool

__all__ = ["Spool"]
