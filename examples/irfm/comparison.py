"""How the pipeline's temperatures compare with the published ones: median offset, scatter, a plot."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from irfm import IRFM, IRFMFlags
from stars import Published

SIGMA = 1.4826
"""A normal distribution's standard deviation over its median absolute deviation."""


SPOILT = IRFMFlags.SATURATED_PHOTOMETRY | IRFMFlags.UNCERTAIN_PHOTOMETRY
DOUBTFUL = SPOILT | IRFMFlags.METALLICITY_OUT_OF_RANGE


@dataclass(frozen=True)
class Pair:
    """The two temperatures of one star, in K, and what is known of them."""

    irfm: float
    e_irfm: float
    published: float
    giant: bool
    calibrated: bool
    flags: int

    @property
    def spoilt(self) -> bool:
        """Whether its photometry is flagged as saturated or uncertain."""
        return bool(self.flags & SPOILT)

    @property
    def sound(self) -> bool:
        """Whether neither its photometry nor its metallicity is flagged."""
        return not self.flags & DOUBTFUL

    @property
    def offset(self) -> float:
        """Ours minus the published one, in K."""
        return self.irfm - self.published


def pairs(results: Iterable[tuple[IRFM, Published]]) -> list[Pair]:
    """Return the stars that have both temperatures."""
    return [
        Pair(
            result.teff,
            result.e_teff or 0.0,
            published.teff,
            giant=bool(result.result_flags & IRFMFlags.GIANT_RELATION),
            calibrated=published.calibrated,
            flags=result.result_flags,
        )
        for result, published in results
        if result.teff is not None and published.teff is not None
    ]


@dataclass(frozen=True)
class Sample:
    """Stars that are compared with one kind of published temperature."""

    name: str
    stars: Sequence[Pair]

    @property
    def offset(self) -> float:
        """Median offset in K."""
        return median(pair.offset for pair in self.stars)

    @property
    def scatter(self) -> float:
        """Scatter of the offsets about their median in K: 1.4826 times the median absolute deviation."""
        offset = self.offset
        return SIGMA * median(abs(pair.offset - offset) for pair in self.stars)


def samples(stars: Sequence[Pair]) -> list[Sample]:
    """Return giants with calibrated temperatures and dwarfs with those of the fit; all, and in parts."""
    giants = [star for star in stars if star.giant and star.calibrated]
    dwarfs = [star for star in stars if not star.giant and not star.calibrated]
    whole = (("giants, calibrated ASPCAP", giants), ("dwarfs, uncalibrated ASPCAP", dwarfs))
    return [
        sample
        for name, members in whole
        for sample in (
            Sample(name, members),
            Sample("  saturated or uncertain J or Ks", [star for star in members if star.spoilt]),
            Sample("  sound photometry and metallicity", [star for star in members if star.sound]),
        )
    ]


INK, FAINT = "#2b2b2b", "#9a9a9a"
COLOURS = {True: "#b5442c", False: "#2a6f97"}
RESIDUALS = 1500.0


def plot(stars: Sequence[Pair], file: Path) -> None:
    """Draw both comparisons, each over its residuals, into a PNG file."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    style: Any = {
        "font.size": 10,
        "axes.edgecolor": INK,
        "axes.labelcolor": INK,
        "text.color": INK,
        "xtick.color": INK,
        "ytick.color": INK,
        "xtick.direction": "in",
        "ytick.direction": "in",
        "xtick.top": True,
        "ytick.right": True,
    }
    giants, _, _, dwarfs, _, _ = samples(stars)
    with plt.rc_context(style):
        figure, axes = plt.subplots(
            2, 2, figsize=(11, 7), sharex="col", height_ratios=(3, 1.3), layout="constrained"
        )
        _compare(axes[:, 0], giants.stars, "Giants: calibrated ASPCAP temperatures, SDSS DR12", (3600, 5600))
        _compare(
            axes[:, 1], dwarfs.stars, "Dwarfs: uncalibrated ASPCAP temperatures, SDSS DR12", (4300, 8200)
        )
        axes[0, 0].set_ylabel(r"$T_\mathrm{eff}$ from $J - K_s$ [K]")
        axes[1, 0].set_ylabel(r"ours $-$ ASPCAP [K]")
        figure.set_layout_engine("constrained", hspace=0.0, h_pad=0.02)
        figure.savefig(file, dpi=150)
        plt.close(figure)


def _compare(axes: Any, stars: Sequence[Pair], title: str, limits: tuple[float, float]) -> None:
    """Draw one comparison: temperature against temperature above, the difference below."""
    above, below = axes
    for sound in (False, True):
        some = [star for star in stars if star.sound == sound]
        if not some:
            continue
        colour = COLOURS[some[0].giant] if sound else FAINT
        look = {"s": 13, "facecolors": colour if sound else "none", "edgecolors": colour}
        look |= {"linewidths": 0.0 if sound else 0.7, "alpha": 0.7, "zorder": 3}
        kind = "sound photometry and metallicity" if sound else "flagged: saturated, uncertain, out of range"
        published = [star.published for star in some]
        for panel, values in ((above, [star.irfm for star in some]), (below, [star.offset for star in some])):
            panel.scatter(published, values, label=f"{kind}: {len(some):,} stars", **look)
            if sound:  # the bars of the others would hide everything
                errors = [star.e_irfm for star in some]
                panel.errorbar(
                    published, values, errors, fmt="none", ecolor=colour, elinewidth=0.6, alpha=0.25
                )
    above.plot(limits, limits, color=INK, lw=0.9, zorder=4)
    below.axhline(0, color=INK, lw=0.9, zorder=4)
    lowest, highest = limits
    above.set(title=title, xlim=limits, ylim=(lowest, highest + 0.1 * (highest - lowest)))
    if stars:
        above.legend(loc="upper left", frameon=False, handletextpad=0.2)
    below.set(xlabel=r"$T_\mathrm{eff}$ by ASPCAP [K]", ylim=(-RESIDUALS, RESIDUALS))
    beyond = sum(abs(star.offset) > RESIDUALS for star in stars)
    if beyond:
        below.text(
            0.015, 0.06, f"{beyond} beyond this range", transform=below.transAxes, fontsize=8, color=FAINT
        )
