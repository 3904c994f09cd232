"""Where the words of a picture stand, for tests that none is cut and none lies on another."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations
from typing import Any


def check_words(picture: Any) -> list[str]:
    """Refuse words that are cut, or lie on others; return all words."""
    picture.png(picture.figure.dpi)
    whole = picture.figure.bbox.padded(1)
    words = [(text.get_text(), text.get_window_extent()) for text in _texts(picture.figure)]
    cut = [text for text, box in words if not all(whole.contains(*corner) for corner in box.corners())]
    assert cut == [], cut
    boxes = [(text, box.padded(-1)) for text, box in words]
    over = [(text, other) for (text, one), (other, two) in combinations(boxes, 2) if one.overlaps(two)]
    assert over == [], over
    return [text for text, _ in words]


def _texts(part: Any) -> Iterator[Any]:
    """Yield what is drawn of texts: matplotlib keeps labels of ticks beyond an axis, too."""
    found = [*part.texts, *(text for legend in part.legends for text in legend.get_texts())]
    for axes in part.get_axes() if hasattr(part, "get_axes") else part.axes:
        found += [text for one in (axes, *axes.child_axes) if one.axison for text in _texts_of(one)]
    for inner in part.subfigs:
        found += inner.texts
        found += [text for legend in inner.legends for text in legend.get_texts()]
    yield from (text for text in found if text.get_visible() and text.get_text().strip())


def _texts_of(axes: Any) -> Iterator[Any]:
    from matplotlib.text import Text

    yield from (text for text in axes.get_children() if isinstance(text, Text))
    if axes.get_legend() is not None:
        yield from axes.get_legend().get_texts()
    for axis in (axes.xaxis, axes.yaxis):
        yield from (axis.label, axis.get_offset_text())
        low, high = sorted(axis.get_view_interval())
        room = 1e-9 * (high - low)
        for tick in axis.get_major_ticks():
            if low - room <= tick.get_loc() <= high + room:
                yield from (tick.label1, tick.label2)
