"""The SQL that brings the tables of a database to their files: printed for a DBA, never run here."""

from __future__ import annotations

from astra_outputs.amend.schema import script_for

__all__ = ["script_for"]
