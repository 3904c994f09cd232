"""`Summary`: one truth about the flags of a column, `flag_bad`, told alike by a record and by the database."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, Self, overload

from astra_outputs.model.column_types import BOOLEAN
from astra_outputs.model.columns import Column
from astra_outputs.model.flags import HIGHEST_BIT

if TYPE_CHECKING:
    from astra_outputs.model.record import Record


ALL_BITS = 2 ** (HIGHEST_BIT + 1) - 1


class Summary(property):
    """Whether flags are set; read as an attribute of a record, and known to conditions and files by its name.

    Parameters
    ----------
    column : str
        The flags column.
    meaning : str
    any_of : int, optional
        Bits of which one is enough; any bit where neither these nor `all_of` are given.
    all_of : int, optional
        Bits that are set, all of them.

    Attributes
    ----------
    mask : int
        The bits that it is about.
    every : bool
        Whether all of them are meant, or one is enough.

    Examples
    --------
    >>> class MyPipeline(PipelineOutputMixin):
    ...     result_flags: Flags = column(description="Quality of the result", bits=MyFlags)
    ...     flag_bad = Summary("result_flags", "Whether the result is bad", any_of=MyFlags.UNCONVERGED)
    """

    def __init__(
        self, column: str, meaning: str, *, any_of: int | None = None, all_of: int | None = None
    ) -> None:
        self.column, self.meaning, self.every = column, meaning, all_of is not None
        given = any_of if all_of is None else all_of
        self.mask = ALL_BITS if given is None else int(given)
        super().__init__(self._of, doc=meaning)

    @overload
    def __get__(self, record: None, owner: type | None = None, /) -> Self: ...

    @overload
    def __get__(self, record: object, owner: type | None = None, /) -> bool: ...

    def __get__(self, record: object, owner: type | None = None, /) -> Self | bool:
        return self if record is None else self._of(record)

    def as_column(self, name: str, record_class: type[Record]) -> Column:
        """Return what it is as a column of an answer."""
        flags = record_class.column(self.column)
        return Column(
            name, BOOLEAN, nullable=flags.nullable, description=self.meaning, category=flags.category
        )

    def _of(self, record: Any) -> bool:
        found = int(getattr(record, self.column) or 0) & self.mask
        return found == self.mask if self.every else found != 0


@cache
def summaries_of(record_class: type[Record]) -> dict[str, Summary]:
    """Return the summaries that a record class has, by name."""
    return {
        name: found
        for parent in reversed(record_class.__mro__)
        for name, found in vars(parent).items()
        if isinstance(found, Summary)
    }
