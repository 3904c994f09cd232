"""How large a campaign is: full in `make soak`, else the share that `make test` has time for."""

from __future__ import annotations

import os

FULL_SIZE = bool(os.environ.get("ASTRA_OUTPUTS_SOAK"))


def at_full_size(number: int, share: int) -> int:
    """Return how many, of rows or of tries: the first in `make soak`, the second elsewhere."""
    return number if FULL_SIZE else share
