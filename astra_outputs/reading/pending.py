"""What is left to do: spectra without a result of one version, or changed since it was made."""

from __future__ import annotations

import itertools
import re
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, Generic, Literal, TypeVar

from astra_outputs.errors import WrongRecordClass, shorten
from astra_outputs.model.pipeline import PipelineOutputMixin
from astra_outputs.model.record import Record
from astra_outputs.model.spectrum import SpectrumMixin
from astra_outputs.model.version import configured_version, major_minor, parse_major_minor, parse_version
from astra_outputs.postgres.database import Database
from astra_outputs.postgres.sql import Statement, listed, qualified, templates
from astra_outputs.reading.partitioned import is_partitioned
from astra_outputs.reading.readable import check_readable

S = TypeVar("S", bound=SpectrumMixin)
Redo = Literal["older", "all"]
"""Which results are made again: those of older patches of the version, or all."""

_PARAMETER = re.compile(r"\$([0-9]+)")
Shard = tuple[int, int]

PAGE = 2_000
"""Spectra read by one statement. Each ends its snapshot, so that none stays open while results are made."""

FIRST = -(2**63)
"""Below every key: where the first page starts."""

GOLDEN = 2_654_435_769
"""The golden ratio's fraction times 2**32."""

SHARE = f"((((spectra.spectrum_pk & 2147483647) * {GOLDEN}) & 4294967295) * ${{shares}}) >> 32 = ${{share}}"
"""The condition of one worker's share, as `share_of` computes it; no step exceeds a bigint."""


def share_of(spectrum_pk: int, shares: int) -> int:
    """Return which of so many shares a spectrum belongs to, counted from 0.

    The key is multiplied by the golden ratio, and the fraction says which share (Knuth, The Art of
    Computer Programming 3, 6.4). Keys in a row, or every second, third, ... one, spread evenly; the
    plain remainder would give half of the workers nothing where two kinds of spectra took turns.
    The database computes the same.
    """
    return ((spectrum_pk & 0x7FFF_FFFF) * GOLDEN & 0xFFFF_FFFF) * shares >> 32


def check_shard(shard: object) -> Shard | None:
    """Return a share of the work as (number, of how many), counted from 0.

    Raises
    ------
    ValueError
        If it is not two whole numbers, or the first is not below the second.
    """
    if shard is None:
        return None
    match shard:
        case (int(share), int(shares)) if 0 <= share < shares <= 2**31:
            return share, shares
    raise ValueError(f"shard must be (i, n) with i from 0 to n - 1, not {shorten(shard)}")


def _since(redo: Redo | None, version: int, v_astra: int | str | None) -> int | None:
    """Return the oldest version of this major.minor that counts as made."""
    if redo is None:
        return None
    if redo == "all":
        return (version + 1) * 1_000
    if redo != "older":
        raise ValueError(f'redo must be "older" or "all", not {shorten(redo)}')
    return configured_version() if v_astra is None else parse_version(v_astra)


@dataclass(frozen=True)
class Pending(Generic[S]):
    """The spectra of one kind that wait for one pipeline.

    Attributes
    ----------
    record_class : type[PipelineOutputMixin]
    spectrum_class : type[SpectrumMixin]
    major_minor : int
        The version of which a result is wanted, without its patch number.
    shard : tuple[int, int] or None
        Which share of them, of how many; all of them where None.
    limit : int or None
        Most spectra to return.
    since : int or None
        The oldest version that counts as made; any patch where None.
    sdss_ids : tuple[int, ...] or None
        Stars whose spectra are meant; all where None.
    """

    record_class: type[PipelineOutputMixin]
    spectrum_class: type[S]
    major_minor: int
    shard: Shard | None = None
    limit: int | None = None
    since: int | None = None
    sdss_ids: tuple[int, ...] | None = None

    @classmethod
    def of(
        cls,
        record_class: type[PipelineOutputMixin],
        spectrum_class: type[S],
        v_astra: int | str | None = None,
        shard: Shard | None = None,
        limit: int | None = None,
        redo: Redo | None = None,
        sdss_ids: Iterable[int] | None = None,
    ) -> Pending[S]:
        """Return what is asked for, checked."""
        classes: list[tuple[object, type[Record]]] = [
            (record_class, PipelineOutputMixin),
            (spectrum_class, SpectrumMixin),
        ]
        for given, wanted in classes:
            if not (isinstance(given, type) and issubclass(given, wanted)):
                what = "a pipeline's record class" if wanted is PipelineOutputMixin else "a class of spectra"
                raise WrongRecordClass(f"{shorten(given)} is not {what}")
        version = major_minor(configured_version()) if v_astra is None else parse_major_minor(v_astra)
        if limit is not None and limit < 0:
            raise ValueError(f"limit must not be negative: {limit}")
        since = _since(redo, version, v_astra)
        stars = None if sdss_ids is None else tuple(sdss_ids)
        return cls(record_class, spectrum_class, version, check_shard(shard), limit, since, stars)

    async def count(self, database: Database) -> int:
        """Return how many there are; the server counts, no row is sent."""
        text = pending_count(*self._asked(database))
        values = (self.major_minor, *self._more())
        found: int = await self._run(database, "fetchval", text, values)
        return found if self.limit is None else min(found, self.limit)

    async def stream(self, database: Database, page: int = PAGE) -> AsyncIterator[S]:
        """Yield them in the order of their keys, a page at a time."""
        await check_readable(database, self.spectrum_class)
        text = pending_page(*self._asked(database), await is_partitioned(database, self.record_class))
        last, left = FIRST, self.limit
        while left is None or left > 0:
            size = page if left is None else min(page, left)
            values = (self.major_minor, last, size, *self._more())
            rows = await self._run(database, "fetch", text, values)
            for row in rows:
                yield self.spectrum_class.from_row(row)
            if len(rows) < size:
                return
            last = rows[-1]["spectrum_pk"]
            left = None if left is None else left - size

    async def any(self, database: Database) -> bool:
        """Tell whether there is one."""
        return bool([spectrum async for spectrum in replace(self, limit=1).stream(database)])

    def _asked(self, database: Database) -> tuple[Any, ...]:
        """Return what the text of a statement depends on."""
        more = self.since is not None, self.sdss_ids is not None
        return self.record_class, self.spectrum_class, database.schema, self.shard is not None, *more

    def _more(self) -> list[Any]:
        """Return the last parameters, those of what is asked besides."""
        return [*(self.shard or ()), *(value for value in (self.since, self.sdss_ids) if value is not None)]

    async def _run(self, database: Database, method: str, text: str, values: tuple[Any, ...]) -> Any:
        return await database.run(
            lambda connection: getattr(connection, method)(text, *values), where=self.spectrum_class.table
        )


@lru_cache(maxsize=256)
def pending_page(
    record_class: type[PipelineOutputMixin],
    spectrum_class: type[SpectrumMixin],
    schema: str,
    shared: bool,
    redo: bool = False,
    of_stars: bool = False,
    partitioned: bool = False,
) -> str:
    """Return the statement that reads the next page; it is another one where the results are `partitioned`.

    Its parameters: major.minor, the last key of the page before, and the size of the page; then the share
    and of how many (if `shared`), the oldest version that counts (if `redo`), and the numbers of the stars
    (if `of_stars`).
    """
    name = "pending_page" + "_of_partitions" * partitioned
    return _filled(name, record_class, spectrum_class, schema, shared, redo, of_stars).text


@lru_cache(maxsize=256)
def pending_count(
    record_class: type[PipelineOutputMixin],
    spectrum_class: type[SpectrumMixin],
    schema: str,
    shared: bool,
    redo: bool = False,
    of_stars: bool = False,
) -> str:
    """Return the statement that counts; its parameters: major.minor, and the last ones as above."""
    return _filled("pending_count", record_class, spectrum_class, schema, shared, redo, of_stars).text


def statements_of(
    record_class: type[Record], schema: str, spectrum_class: type[SpectrumMixin]
) -> list[Statement]:
    """Return the statements that find what a pipeline has left to do; none for another table."""
    if not issubclass(record_class, PipelineOutputMixin):
        return []
    return [
        _filled(name, record_class, spectrum_class, schema, shared)
        for name in ("pending_page", "pending_page_of_partitions", "pending_count")
        for shared in (False, True)
    ]


def _filled(
    name: str,
    record_class: type[PipelineOutputMixin],
    spectrum_class: type[SpectrumMixin],
    schema: str,
    shared: bool,
    redo: bool = False,
    of_stars: bool = False,
) -> Statement:
    template = templates("pending")[name]
    columns = listed((column.name for column in spectrum_class.columns()), "spectra")
    marks = {
        "spectra": qualified(schema, spectrum_class.table),
        "results": qualified(schema, record_class.table),
        "counts": "true",
    }
    says, among = template.says, []
    number = itertools.count(1 + max(map(int, _PARAMETER.findall(template.text))))
    if shared:
        share, shares = next(number), next(number)
        says += f" Of one worker's share: ${share}, counted from 0, of ${shares}."
        among.append(SHARE.format(share=share, shares=shares))
    if redo:
        marks["counts"] = f"results.v_astra >= ${next(number)}"
    if of_stars:
        among.append(
            f"spectra.source_pk in (select source.pk from {qualified(schema, 'source')} as source "
            f"where source.sdss_id = any(${next(number)}))"
        )
    marks["among"] = " and ".join(among) or "true"
    text = template.fill(**marks, **({"columns": columns} if "columns" in template.marks else {}))
    return Statement(name + "_of_share" * shared, says, text)
