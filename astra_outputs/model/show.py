"""How a record is shown: the values that it has, as they were given, with what their columns say of them."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape
from typing import Any

from astra_outputs.errors import shorten
from astra_outputs.model.columns import Column
from astra_outputs.model.flags import named_bits
from astra_outputs.printable import printable_lines


class Shown(str):
    """A text that is printed without quotation marks."""

    __slots__ = ()

    def __repr__(self) -> str:
        return str(self)


def shown(record: Any) -> Iterator[tuple[Column, Any]]:
    """Yield the columns that have another value than the one for "not given", each with what is printed."""
    for column in record.columns():
        value: Any = getattr(record, column.name)
        if column.bits is not None and value is not None:
            yield column, Shown(" | ".join(named_bits(record.flag_names.bits[column.name], value)) or "0")
        elif value is not None and value != column.default:
            yield column, column.type.show(value)


def record_html(record: Any) -> str:
    """Return a record as a table for a notebook."""
    rows = "".join(
        f"<tr><td>{_safe(column.name)}</td><td>{_safe(value if isinstance(value, str) else shorten(value))}</td>"
        f"<td>{_safe(column.unit or '')}</td><td>{_safe(column.description)}</td></tr>"
        for column, value in shown(record)
    )
    head = "".join(f"<th>{name}</th>" for name in ("column", "value", "unit", "description"))
    outcome = f" ({record.outcome.value})" if record.outcome is not None else ""
    return (
        f"<table><caption>{_safe(type(record).__name__)}{outcome}</caption>"
        f"<thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"
    )


def _safe(text: str) -> str:
    return escape(printable_lines(text))
