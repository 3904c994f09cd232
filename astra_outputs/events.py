"""Log lines with facts: readable as `what happened name=value`, and as fields for a log collector."""

from __future__ import annotations

import logging
from typing import Any


def tell(
    log: logging.Logger, level: int, event: str, *, error: BaseException | None = None, **facts: Any
) -> None:
    """Log an event.

    The facts stand in the line as `name=value`, and on the log record as the mapping `facts`.
    """
    if log.isEnabledFor(level):
        text = " ".join(f"{name}={_shown(value)}" for name, value in facts.items())
        log.log(
            level, "%s %s", event, text, extra={"event": event, "facts": facts}, exc_info=error, stacklevel=2
        )


def _shown(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.3f}"
    text = str(value)
    return repr(text) if " " in text or not text else text
