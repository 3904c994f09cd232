"""Times as the database returns them: seconds since 1970, for one statement nearly all alike."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime


def moment_of(seconds: float) -> datetime:
    """Return a point in time, in UTC."""
    return datetime.fromtimestamp(seconds, UTC)


def moments_of(values: Sequence[float]) -> Sequence[datetime]:
    """Return points in time; in a batch most of them are the same."""
    moments = {seconds: moment_of(seconds) for seconds in set(values)}
    return list(map(moments.__getitem__, values))
