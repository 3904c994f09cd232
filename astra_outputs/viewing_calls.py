"""`ViewingCalls`: the calls of `Outputs` whose answers are looked at."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Unpack

from astra_outputs.model.record import Record
from astra_outputs.reading.question import Asked
from astra_outputs.saving.store import Store

if TYPE_CHECKING:
    from astra_outputs.plots.picture import Picture


class ViewingCalls:
    """Pictures of the results in one schema."""

    store: Store

    async def plot(
        self,
        record_class: type[Record],
        kind: str,
        condition: str | None = None,
        *parameters: Any,
        columns: str | Sequence[str] = (),
        colour: str | None = None,
        style: str | Path | None = None,
        title: str | None = None,
        connections: int = 1,
        **asked: Unpack[Asked],
    ) -> Picture:
        """Return a picture of an answer: a notebook shows it, `picture.save("kiel.png")` writes it to a file.

        Dots where results are few, a density where they are many. Of each spectrum the newest result is
        drawn where no version is asked for.

        Parameters
        ----------
        record_class, condition, *parameters, **asked
            As in `find`.
        kind : str
            `"kiel"`: log g against Teff; `"hr"`: absolute magnitude in Gaia's G, of stars with a precise
            parallax, against Teff, or against BP - RP where there is none; `"xy"`: one column against
            another; `"hist"`: how a column is distributed; `"sky"`: positions; `"timing"`: the time that
            results took; `"coverage"`: how many spectra of each version have a result, and how many wait.
        columns : str or sequence of str
            Two for `"xy"`, one for `"hist"`; also of the spectrum (`"spectrum.snr"`) and of the source.
        colour, style, title
            As in `Columns.plot`.
        connections : int
            Connections to read on; see `columns`.

        Raises
        ------
        InvalidPicture
            If there is no such kind or style, or nothing to draw.
        UnknownColumn
            If the table has no column of those that it is made of; the nearest is suggested.
        InvalidCondition, AmbiguousFlag, WrongRecordClass
            As in `find`.
        MissingExtra
            If matplotlib is not installed.

        Examples
        --------
        >>> picture = await outputs.plot(ASPCAP, "kiel", "spectrum.snr > $1", 100, v_astra="0.8")
        >>> picture.save("kiel.pdf")
        """
        from astra_outputs.reading.plot import plot

        return await plot(
            self.store.reading,
            record_class,
            kind,
            condition,
            parameters,
            asked,
            columns=columns,
            colour=colour,
            style=style,
            title=title,
            connections=connections,
        )
