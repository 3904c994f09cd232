"""What was written when, as bars: one colour a version, and below the line what failed. Drawn as SVG."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from astra_outputs.report.markup import Html, element

WIDTH, HEIGHT, BELOW = 360, 120, 36
"""The bars' field, and the room below their line for failures and labels; a pixel each on a phone."""

LEFT, TOP = 44, 12
"""Room for the labels of the highest bar."""

COLOURS = 5
"""Colours of versions, in the page's style; older versions share the last."""

_MINUTE, _HOUR, _DAY = 60, 3_600, 86_400
STEPS = tuple(
    timedelta(seconds=seconds)
    for seconds in (
        *(1, 5, 15, _MINUTE, 5 * _MINUTE, 15 * _MINUTE, _HOUR, 6 * _HOUR),
        *(_DAY, 7 * _DAY, 28 * _DAY, 364 * _DAY),
    )
)
MOST_STEPS = 60


@dataclass(frozen=True)
class Span:
    """The time that all charts of a page show, in steps of equal length."""

    begins: datetime
    step: timedelta
    steps: int

    @classmethod
    def of(cls, first: datetime, last: datetime) -> Span:
        """Return the span from one time to another, in as short steps as there is room for."""
        step = next((step for step in STEPS if (last - first) / step < MOST_STEPS - 1), STEPS[-1])
        day = first.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
        begins = day + (first - day) // step * step
        return cls(begins, step, int((last - begins) / step) + 1)

    def place(self, at: datetime) -> int | None:
        """Return the step that a time is in."""
        place = int((at - self.begins) // self.step)
        return place if 0 <= place < self.steps else None

    def label(self, place: int) -> str:
        """Return when a step begins, in UTC."""
        at = self.begins + place * self.step
        day, time = at.strftime("%Y-%m-%d"), "%H:%M:%S" if self.step < timedelta(minutes=1) else "%H:%M"
        return day if self.step >= timedelta(days=1) else f"{day} {at.strftime(time)}"

    def __str__(self) -> str:
        seconds = int(self.step.total_seconds())
        for length, name in ((_DAY, "day"), (_HOUR, "hour"), (_MINUTE, "minute"), (1, "second")):
            if seconds % length == 0:
                number = seconds // length
                return name if number == 1 else f"{number} {name}s"
        raise AssertionError  # the last divides all


def bars(
    title: str,
    span: Span,
    written: Mapping[str, Mapping[int, int]],
    failed: Mapping[int, int],
    waits: Mapping[int, int],
) -> Html:
    """Return a chart of one pipeline.

    Parameters
    ----------
    title : str
    span : Span
    written : mapping of str to mapping
        By version, the newest first, how many results were written in each step.
    failed : mapping of int to int
        On how many spectra the pipeline failed in each step.
    waits : mapping of int to int
        How many results were finished in each step, and wait on a disk.
    """
    places = range(span.steps)
    totals = [sum(counts.get(place, 0) for counts in written.values()) for place in places]
    highest = max(1, *(total + waits.get(place, 0) for place, total in enumerate(totals)))
    most_failed = max(failed.values(), default=0)
    width = WIDTH / span.steps
    drawn: list[Html] = []
    for place in places:
        x, floor = LEFT + place * width, float(TOP + HEIGHT)
        for number, counts in enumerate(reversed(list(written.values()))):
            if amount := counts.get(place, 0):
                colour = min(len(written) - 1 - number, COLOURS - 1)
                floor -= HEIGHT * amount / highest
                drawn.append(_bar(x, floor, width, HEIGHT * amount / highest, f"v{colour}"))
        if amount := waits.get(place, 0):
            floor -= HEIGHT * amount / highest
            drawn.append(_bar(x, floor, width, HEIGHT * amount / highest, "waits"))
        if amount := failed.get(place, 0):
            drawn.append(_bar(x, TOP + HEIGHT + 1, width, 2 + 13 * amount / most_failed, "failed"))
        if totals[place] or failed.get(place) or waits.get(place):
            told = [f"{span.label(place)}: {totals[place]:,} written"]
            told += [f"{waits[place]:,} on disk"] if waits.get(place) else []
            told += [f"{failed[place]:,} failed"] if failed.get(place) else []
            drawn.append(_told(x, width, ", ".join(told)))
    total = WIDTH + LEFT + 8
    picture = element(
        "svg",
        element("title", title),
        element("line", class_="axis", x1=LEFT, x2=LEFT + WIDTH, y1=TOP + HEIGHT, y2=TOP + HEIGHT),
        *drawn,
        _label(LEFT - 4, TOP + 9, f"{highest:,}", "end"),
        _label(LEFT - 4, TOP + HEIGHT, "0", "end"),
        _label(LEFT, TOP + HEIGHT + BELOW - 4, span.label(0), "start"),
        _label(LEFT + WIDTH, TOP + HEIGHT + BELOW - 4, span.label(span.steps - 1), "end")
        if span.steps > 1
        else None,
        viewBox=f"0 0 {total} {TOP + HEIGHT + BELOW}",
        role="img",
        aria_label=title,
    )
    return element(
        "figure",
        picture,
        element("figcaption", title, _legend(list(written), sum(waits.values()), most_failed)),
    )


def _bar(x: float, y: float, width: float, height: float, colour: str) -> Html:
    gap = width * 0.1
    return element(
        "rect",
        class_=colour,
        x=f"{x + gap:.2f}",
        y=f"{y:.2f}",
        width=f"{width - 2 * gap:.2f}",
        height=f"{height:.2f}",
    )


def _told(x: float, width: float, words: str) -> Html:
    """Return what is told of a step where a pointer rests on it."""
    return element(
        "rect",
        element("title", words),
        class_="told",
        x=f"{x:.2f}",
        y=TOP,
        width=f"{width:.2f}",
        height=HEIGHT + 18,
    )


def _label(x: float, y: float, words: str, anchor: str) -> Html:
    return element("text", words, x=x, y=y, text_anchor=anchor)


def _legend(versions: Sequence[str], waiting: int, failures: int) -> Html:
    names = [
        element("span", version, class_=f"key v{min(place, COLOURS - 1)}")
        for place, version in enumerate(versions)
    ]
    if waiting:
        names.append(element("span", f"on disk, {waiting:,}", class_="key waits"))
    if failures:
        names.append(element("span", f"failed, at most {failures:,}", class_="key failed"))
    return element("span", *names, class_="legend")
