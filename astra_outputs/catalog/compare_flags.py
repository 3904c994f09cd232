"""What differs between the named bits of the flags columns of one table."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from astra_outputs.catalog.difference import MISSING, NONE, Difference, Says, differ, union
from astra_outputs.catalog.model import TableFacts
from astra_outputs.model.flags import Bit

_ASPECTS: Mapping[str, Callable[[Bit], str]] = {
    "bit": lambda bit: str(bit.bit),
    "name": lambda bit: bit.name,
    "meaning": lambda bit: f'"{bit.meaning}"' if bit.meaning else NONE,
}


def differences_of_flags(name: str, facts: Mapping[Says, TableFacts]) -> Iterator[Difference]:
    """Yield how those who were asked differ in the bits of the flags columns of a table."""
    flags = {who: table.flags for who, table in facts.items() if table.flags is not None}
    for column in union(flags.values()):
        bits = {who: known.get(column, ()) for who, known in flags.items()}
        for row in _side_by_side(bits):
            yield from _of_flag(name, column, row, list(bits))


def _side_by_side(bits: Mapping[Says, tuple[Bit, ...]]) -> list[dict[Says, Bit]]:
    """Put together what is said of the same flag: of one name, or of one bit that was renamed."""
    by_name: dict[str, dict[Says, Bit]] = {}
    for who, known in bits.items():
        for bit in known:
            by_name.setdefault(bit.name, {})[who] = bit
    rows: list[dict[Says, Bit]] = []
    incomplete: dict[int, dict[Says, Bit]] = {}
    for row in by_name.values():
        number = next(iter(row.values())).bit
        other = incomplete.get(number)
        if other is not None and other.keys().isdisjoint(row):
            other.update(row)
            continue
        if len(row) < len(bits):
            incomplete[number] = row
        rows.append(row)
    return rows


def _of_flag(name: str, column: str, row: Mapping[Says, Bit], asked: list[Says]) -> Iterator[Difference]:
    flag = next(iter(row.values())).name
    if len(row) < len(asked):
        says = {who: f"bit {row[who].bit}" if who in row else MISSING for who in asked}
        yield Difference(name, column, f"flag {flag}", says)
    for aspect, say in _ASPECTS.items():
        says = {who: say(row[who]) for who in asked if who in row}
        if differ(says):
            yield Difference(name, column, f"{aspect} of flag {flag}", says)
