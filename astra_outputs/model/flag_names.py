"""The attributes by which a record class offers the bits of its flags columns."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any, NamedTuple

from astra_outputs.errors import AmbiguousFlag, InvalidRecord, Problem, UnknownColumn
from astra_outputs.model.column_types import FLAGS
from astra_outputs.model.columns import Column
from astra_outputs.model.flags import Bit


class FlagBit(NamedTuple):
    """Where a flag attribute points: a column and the mask of one bit."""

    column: str
    mask: int


@dataclass
class FlagNames:
    """Every flag attribute of one record class.

    Attributes
    ----------
    table : str
        Named in errors.
    bits : dict[str, tuple[Bit, ...]]
        The named bits of each flags column.
    names : dict[str, list[FlagBit]]
        `flag_low_snr` to the bit it means; more than one where the name occurs in several columns.
        Each bit has a qualified name too, which names its column: `flag_result_low_snr`.
    """

    table: str
    bits: dict[str, tuple[Bit, ...]] = field(default_factory=dict)
    names: dict[str, list[FlagBit]] = field(default_factory=dict)
    qualified: dict[FlagBit, str] = field(default_factory=dict)

    @classmethod
    def of(cls, table: str, columns: Iterable[Column]) -> FlagNames:
        """Collect the flag names that these columns of a table declare."""
        flags = cls(table)
        for column in columns:
            if column.bits is None:
                continue
            prefix = column.bit_prefix
            bits = tuple(Bit(number, prefix + name, meaning) for number, name, meaning in column.bits.bits())
            flags.bits[column.name] = bits
            for bit in bits:
                target = FlagBit(column.name, bit.mask)
                flags.names.setdefault(f"flag_{bit.name}", []).append(target)
                qualified = f"flag_{column.name.removesuffix('_flags')}_{bit.name.removeprefix(prefix)}"
                flags.qualified.setdefault(target, qualified)
        for target, qualified in flags.qualified.items():
            flags.names.setdefault(qualified, [target])
        return flags

    def find(self, name: str, value: Any) -> FlagBit:
        """Return the bit that a flag attribute means, for a value that is to be given to it.

        Raises
        ------
        UnknownColumn
            If the table has no such flag.
        AmbiguousFlag
            If several columns have it.
        InvalidRecord
            If the value is not True or False.
        """
        targets = self.names.get(name, [])
        if not targets:
            nearest = get_close_matches(name, self.names, n=1)
            hint = f"; did you mean {nearest[0]}?" if nearest else ""
            raise UnknownColumn(self.table, (Problem(name, value, f"is not a flag of {self.table}{hint}"),))
        if len(targets) > 1:
            choices = " or ".join(self.qualified[target] for target in targets)
            raise AmbiguousFlag(
                self.table, (Problem(name, value, f"occurs in several columns; write {choices}"),)
            )
        if type(value) is not bool and type(value).__name__ not in ("bool_", "bool"):
            raise InvalidRecord(self.table, (Problem(name, value, "must be True or False"),))
        return targets[0]

    def folded(self, values: dict[str, Any], names: Iterable[str]) -> dict[str, Any]:
        """Return values with each of these flags as a bit of its column."""
        folded = dict(values)
        for name in names:
            wanted = folded.pop(name)
            flag = self.find(name, wanted)
            try:
                stored = FLAGS.convert(folded.get(flag.column)) or 0
            except ValueError:
                continue  # the column's own rule says what is wrong
            folded[flag.column] = stored | flag.mask if wanted else stored & ~flag.mask
        return folded


class Flag:
    """A flag of a record, read as True or False; `Record.__setattr__` writes it."""

    def __init__(self, name: str, names: FlagNames) -> None:
        self.name, self._names = name, names

    def __get__(self, record: Any, owner: type) -> Any:
        if record is None:
            return self
        flag = self._names.find(self.name, True)
        return bool((getattr(record, flag.column) or 0) & flag.mask)
