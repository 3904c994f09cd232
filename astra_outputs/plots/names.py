"""Words of pictures: names that fit, and signs that are no formula; and the colours that comparisons share."""

from __future__ import annotations

from typing import Any

CHANGED, GAINED, LOST = "#21618c", "#f0b429", "#c8553d"


def plain(text: str) -> str:
    """Return a text as matplotlib shows it: what stands between two dollars is a formula to it."""
    return text.replace("$", r"\$")


def shortened(name: str, letters: int) -> str:
    """Return a name that is longer than so many letters without its middle; ends tell names apart."""
    if len(name) <= letters:
        return plain(name)
    end = (letters - 1) // 2
    return plain(f"{name[: letters - 1 - end]}…{name[-end:]}")


def scaled(figure: Any, width: float, height: float) -> float:
    """Give a figure this size in inches, and more where a style has larger letters; return by how much."""
    from matplotlib import rcParams

    scale = float(max(1.0, rcParams["font.size"] / 10))
    figure.set_size_inches(width * scale, height * scale)
    return scale


def left_title(part: Any, text: str) -> None:
    """Write a title above a part of a figure, from its left edge on."""
    part.suptitle(text, x=0.01, ha="left", fontsize="medium")
