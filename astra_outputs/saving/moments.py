"""Times as the database returns them: seconds since 1970, for one statement nearly all alike."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from astra_outputs.model.column_types import UNIX_EPOCH


def moment_of(seconds: float) -> datetime:
    """Return a point in time, in UTC."""
    return UNIX_EPOCH + timedelta(microseconds=round(seconds * 1e6))


def moments_of(values: Sequence[float]) -> Sequence[datetime]:
    """Return points in time; in a batch most of them are the same."""
    moments = {seconds: moment_of(seconds) for seconds in set(values)}
    return list(map(moments.__getitem__, values))
