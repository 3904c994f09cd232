"""Log lines with facts: readable as `what happened name=value`, and as fields for a log collector."""

from __future__ import annotations

import logging
import traceback
from typing import Any

from astra_outputs.printable import printable, printable_lines


def tell(
    log: logging.Logger, level: int, event: str, *, error: BaseException | None = None, **facts: Any
) -> None:
    """Log an event.

    The facts stand in the line as `name=value`, and on the log record as the mapping `facts`.
    """
    if log.isEnabledFor(level):
        text = " ".join(f"{name}={_shown(value)}" for name, value in facts.items())
        file, number, function, _ = log.findCaller(stacklevel=2)
        trace = None if error is None else (type(error), error, error.__traceback__)
        extra = {"event": event, "facts": facts}
        record = log.makeRecord(log.name, level, file, number, "%s %s", (event, text), trace, function, extra)
        if error is not None:
            # Formatters take the text that is there, and what an error quotes may hold anything.
            record.exc_text = printable_lines("".join(traceback.format_exception(error))).rstrip()
        log.handle(record)


def _shown(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.3f}"
    text = printable(value)
    return repr(text) if " " in text or not text else text
