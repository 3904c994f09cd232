"""A private PostgreSQL for demonstrations, tests and laptops."""

from __future__ import annotations

from astra_outputs.embedded.instance import (
    SETTINGS,
    UNSAFE,
    USER,
    EmbeddedServer,
    server,
)
from astra_outputs.embedded.programs import bin_dir, psql_program

__all__ = ["SETTINGS", "UNSAFE", "USER", "EmbeddedServer", "bin_dir", "psql_program", "server"]
