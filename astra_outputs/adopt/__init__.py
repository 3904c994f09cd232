"""Takes over the rows of a schema of upstream Astra's: copied, compared value by value, again where they differ."""

from __future__ import annotations

from astra_outputs.adopt.adopt import Adoption, adopt
from astra_outputs.adopt.aside import Aside
from astra_outputs.adopt.report import AdoptionReport

__all__ = ["Adoption", "AdoptionReport", "Aside", "adopt"]
