"""`SeenRows`: rows that a call has stored, told apart by their primary keys."""

from __future__ import annotations

from astra_outputs.errors import DuplicateKey
from astra_outputs.saving.returned import Stored
from astra_outputs.saving.seen_keys import SeenKeys, bitmap, unsigned


class SeenRows:
    """The rows that a call has stored under keys that are texts, or several to choose from.

    The same star may come under another identifier; which row it is, only the database knows.
    """

    def __init__(self) -> None:
        self._seen = SeenKeys()

    def refuse_again(self, stored: list[Stored], start: int) -> None:
        """Refuse to store a row that this call has stored before, under whatever key.

        Raises
        ------
        DuplicateKey
            If there is one, or the batch itself has a row twice.
        """
        numbers = bitmap(_primary_keys(stored))
        seen: dict[int, int | range] = {
            number: self._seen.where(family, number) for family, number in self._seen.again({(): numbers})
        }
        if not seen and len(numbers) == sum(len(one.part) for one in stored):
            return
        for one in stored:
            for index, key in enumerate(_primary_keys([one])):
                position = start + int(one.part.rows[index])
                earlier = seen.setdefault(unsigned(key), position)
                if earlier != position:
                    table = one.part.columns.record_class.table
                    raise DuplicateKey(table, one.part.keys.named(index), (earlier, position))

    def add(self, stored: list[Stored], positions: range) -> None:
        """Remember the rows of a batch that is stored."""
        self._seen.add({(): bitmap(_primary_keys(stored))}, positions)


def _primary_keys(stored: list[Stored]) -> list[int]:
    return [key for one in stored for key in one.columns[one.part.columns.record_class.primary_key]]
