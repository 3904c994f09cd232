"""Pictures: drawn of the right values with the right axes, whole files, and words for what cannot be drawn."""

from __future__ import annotations

import builtins
import subprocess
import sys
from pathlib import Path
from typing import Any

import asyncpg
import numpy as np
import pytest
from words_in_pictures import check_words

from astra_outputs import ASPCAP, ApogeeCoaddedSpectrumInApStar, AstroNNdist, LineForest, Source, TheCannon
from astra_outputs.errors import (
    FileExists,
    InvalidCondition,
    InvalidFile,
    InvalidPicture,
    MissingExtra,
    UnknownColumn,
)
from astra_outputs.plots.bars import Covered, coverage
from astra_outputs.plots.field import MANY, cells_of, name_axes
from astra_outputs.plots.picture import Picture
from astra_outputs.plots.series import Series, limits

pytest.importorskip("matplotlib")
PNG, PDF = b"\x89PNG", b"%PDF"


@pytest.fixture
async def stars(outputs: Any, spectra: Any) -> list[TheCannon]:
    """Twelve stars of two versions: cool giants to hot dwarfs; the last one has no log g."""
    stored = await spectra(12)
    for place, spectrum in enumerate(stored):
        source = await outputs.get_by_id(Source, spectrum.source_pk)
        source.ra, source.dec, source.plx, source.e_plx, source.g_mag = (
            30.0 * place,
            5.0 * place - 30,
            10.0,
            0.1,
            9.0,
        )
        await outputs.save(source)
    results = [
        TheCannon.from_spectrum(
            spectrum,
            v_astra=version,
            teff=4000.0 + 200 * place,
            logg=None if place == 11 else 1.0 + place / 4,
            fe_h=None if place == 0 else -0.1 * place,
            t_elapsed=1.0 + place,
        )
        for version in ("0.7.0", "0.8.0")
        for place, spectrum in enumerate(stored)
    ]
    await outputs.save_many(results)
    return results


def drawn(picture: Any) -> list[tuple[float, float]]:
    """Where the dots of a picture are."""
    return sorted(
        tuple(map(float, point))
        for dots in picture.figure.axes[0].collections
        for point in dots.get_offsets()
    )


# Bad input.


BAD: list[tuple[Any, str, dict[str, Any], type[Exception], str]] = [
        (TheCannon, "kiell", {}, InvalidPicture, "did you mean kiel"),
        (TheCannon, "xy", {"columns": ["teff"]}, InvalidPicture, "takes 2 columns, and 1 were given"),
        (TheCannon, "kiel", {"columns": "teff"}, InvalidPicture, "takes no columns"),
        (TheCannon, "hist", {"columns": "tef"}, UnknownColumn, "did you mean teff"),
        (TheCannon, "hist", {"columns": "tag"}, InvalidPicture, "tag is text; pictures are drawn of numbers"),
        (TheCannon, "hist", {"columns": "created"}, InvalidPicture, "pictures are drawn of numbers"),
        (TheCannon, "kiel", {"colour": "fe"}, UnknownColumn, "is not a column of the_cannon"),
        (TheCannon, "kiel", {"style": "seabron"}, InvalidPicture, "there is no style seabron"),
        (TheCannon, "kiel", {"v_astra": "1.0"}, InvalidPicture, "no result has teff and logg"),
        (LineForest, "kiel", {}, UnknownColumn, "teff.*is not a column here"),
        (AstroNNdist, "kiel", {}, UnknownColumn, "logg.*is not a column here"),
        (Source, "coverage", {}, InvalidPicture, "coverage is about results"),
        (ASPCAP, "coverage", {}, InvalidPicture, "aspcap has no result"),
        (Source, "timing", {}, UnknownColumn, "t_elapsed"),
        (TheCannon, "hist", {"columns": "teff", "colour": "logg"}, InvalidPicture, "colours say nothing .* leave out logg"),
        (TheCannon, "coverage", {"v_astra": "0.8"}, InvalidPicture, "leave out v_astra"),
        (TheCannon, "coverage", {"condition": "teff > 1", "columns": "teff"}, InvalidPicture, "leave out a condition, columns"),
]  # fmt: skip


async def test_what_cannot_be_drawn_is_said_in_words(outputs: Any, stars: Any) -> None:
    for record_class, kind, asked, error, said in BAD:
        with pytest.raises(error, match=said):
            await outputs.plot(record_class, kind, **asked)


async def test_a_condition_is_checked_as_anywhere(outputs: Any, stars: Any) -> None:
    with pytest.raises(InvalidCondition):
        await outputs.plot(TheCannon, "kiel", "teff > $1")
    with pytest.raises(UnknownColumn):
        await outputs.plot(TheCannon, "kiel", "tef > 3")


async def test_a_picture_without_matplotlib_says_how_to_install_it(
    outputs: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = builtins.__import__

    def without(name: str, *rest: Any) -> Any:
        if name.startswith("matplotlib"):
            raise ImportError(name)
        return real(name, *rest)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(MissingExtra, match=r"pip install 'astra-outputs\[plot\]'"):
        await outputs.plot(TheCannon, "kiel")


def test_matplotlib_is_not_loaded_before_a_picture_is_drawn() -> None:
    code = (
        "import sys, astra_outputs.reading.plot, astra_outputs.cli.plot, astra_outputs.blocking;"
        "sys.exit('matplotlib' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


# What is drawn.


async def test_a_kiel_diagram_has_hot_stars_left_and_giants_on_top(
    outputs: Any, stars: list[TheCannon]
) -> None:
    picture = await outputs.plot(TheCannon, "kiel", v_astra="0.8")
    axes, bar = picture.figure.axes
    assert axes.get_xlim()[0] > axes.get_xlim()[1]
    assert axes.get_ylim()[0] > axes.get_ylim()[1]
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("Effective temperature [K]", "Surface gravity [dex]")
    assert bar.get_ylabel() == TheCannon.column("fe_h").comment
    expected = sorted((r.teff, r.logg) for r in stars[:12] if r.logg is not None)
    assert drawn(picture) == expected
    assert axes.get_title(loc="left") == "the_cannon 0.8: 11 results"
    coloured = axes.collections[1]
    assert np.allclose(sorted(coloured.get_array()), [-0.1 * n for n in range(10, 0, -1)])


async def test_of_each_spectrum_the_newest_result_is_drawn_unless_a_version_is_asked_for(
    outputs: Any, stars: list[TheCannon]
) -> None:
    assert len(drawn(await outputs.plot(TheCannon, "kiel"))) == 11
    assert len(drawn(await outputs.plot(TheCannon, "kiel", newest=False))) == 22
    assert len(drawn(await outputs.plot(TheCannon, "kiel", "teff > $1", 5000))) == 5


async def test_an_absolute_magnitude_is_that_of_ten_parsecs_and_needs_a_precise_parallax(
    outputs: Any, stars: list[TheCannon]
) -> None:
    far = await outputs.find(Source, order_by="pk", limit=2)
    far[0].plx, far[1].e_plx = 100.0, 5.0
    await outputs.save_many(far)
    picture = await outputs.plot(TheCannon, "hr")
    magnitudes = dict(drawn(picture))
    assert magnitudes.pop(4000.0) == pytest.approx(9.0)
    assert 4200.0 not in magnitudes
    assert set(np.round(list(magnitudes.values()), 5)) == {4.0}
    assert len(magnitudes) == 10
    assert picture.figure.axes[0].get_ylim()[0] > picture.figure.axes[0].get_ylim()[1]


async def test_the_sky_has_its_right_ascension_to_the_left(outputs: Any, stars: list[TheCannon]) -> None:
    east = dict(drawn(await outputs.plot(TheCannon, "sky")))
    assert {round(180 - np.degrees(x)): round(np.degrees(y)) for x, y in east.items()} == {
        30 * n: 5 * n - 30 for n in range(12)
    }


async def test_sources_and_spectra_have_pictures_of_their_own(outputs: Any, stars: Any) -> None:
    sources = await outputs.find(Source, order_by="pk")
    for place, source in enumerate(sources):
        source.bp_mag, source.rp_mag = 10.0 + place / 8, 9.5
    await outputs.save_many(sources)
    assert len(drawn(await outputs.plot(Source, "sky"))) == 12
    assert len(drawn(await outputs.plot(ApogeeCoaddedSpectrumInApStar, "sky", "snr > $1", 0))) == 12
    picture = await outputs.plot(Source, "hr", colour="g_mag")
    axes = picture.figure.axes[0]
    assert [x for x, _ in drawn(picture)] == [0.5 + place / 8 for place in range(12)]
    assert axes.get_xlabel() == "Gaia's colour BP - RP [mag]"
    assert axes.get_xlim()[0] < axes.get_xlim()[1]
    assert axes.get_title(loc="left") == "source: 12 sources"


async def test_a_style_may_be_a_file_and_is_gone_afterwards(outputs: Any, stars: Any, tmp_path: Path) -> None:
    import matplotlib as mpl

    style = tmp_path / "paper.mplstyle"
    style.write_text("figure.figsize: 3, 2\naxes.facecolor: black\n")
    before = dict(mpl.rcParams)
    picture = await outputs.plot(TheCannon, "kiel", style=style)
    assert tuple(picture.figure.get_size_inches()) == (3, 2)
    assert picture.figure.axes[0].get_facecolor() == (0, 0, 0, 1)
    assert dict(mpl.rcParams) == before


async def test_labels_among_the_points_stand_out_in_dark_styles_too(outputs: Any, stars: Any) -> None:
    from matplotlib.colors import to_rgba

    for style, around in ((None, (1, 1, 1, 1)), ("dark_background", (0, 0, 0, 1))):
        picture = await outputs.plot(TheCannon, "sky", style=style)
        label = picture.figure.axes[0].get_xticklabels()[1]
        (effect,) = label.get_path_effects()
        assert effect._gc["foreground"] == around
        assert to_rgba(label.get_color()) != around


async def test_columns_of_spectra_and_sources_are_drawn_and_coloured(outputs: Any, stars: Any) -> None:
    picture = await outputs.plot(
        TheCannon, "xy", columns=["source.ra", "teff"], colour="spectrum.snr", style="ggplot", title="All"
    )
    assert len(drawn(picture)) == 12
    assert picture.figure.axes[0].get_title().startswith("All") or picture.title == "All"


async def test_an_answer_draws_itself_and_says_what_it_lacks(outputs: Any, stars: Any) -> None:
    answer = outputs.columns(TheCannon, v_astra="0.7", columns=["teff", "logg"])
    picture = await answer.plot("kiel")
    assert len(drawn(picture)) == 11
    with pytest.raises(UnknownColumn, match="is not among the columns; did you mean logg"):
        await answer.plot("hist", "log")
    with pytest.raises(UnknownColumn, match=r"source.ra"):
        await answer.plot("sky")


async def test_bars_tell_how_many_spectra_wait(
    outputs: Any, stars: Any, connection: asyncpg.Connection
) -> None:
    await connection.execute("delete from astra.the_cannon where v_astra = 7000 and teff = 4000")
    picture = await outputs.plot(TheCannon, "coverage")
    axes = picture.figure.axes[0]
    assert [label.get_text() for label in axes.get_yticklabels()] == ["the_cannon 0.8", "the_cannon 0.7"]
    assert [bar.get_width() for bar in axes.patches] == [12, 11, 0, 1]
    await outputs.save_many(await outputs.find(ApogeeCoaddedSpectrumInApStar, limit=4))  # stored again
    (axes,) = (await outputs.plot(TheCannon, "coverage")).figure.axes
    widths = [bar.get_width() for bar in axes.patches]
    assert [sum(widths[place::2]) for place in (0, 1)] == [12, 12]  # each spectrum once
    assert widths[2] == 4


async def test_times_have_their_median_and_their_sum(outputs: Any, stars: Any) -> None:
    picture = await outputs.plot(TheCannon, "timing", v_astra="0.8")
    (label,) = [text.get_text() for text in picture.figure.axes[0].get_legend().get_texts()]
    assert label == "t_elapsed: median 6.5 s, sum 78 s"


# Many points.


def test_many_points_are_counted_in_cells_and_coloured_by_means() -> None:
    x, y = np.array([0.5, 0.5, 1.5, 1.5]), np.array([0.5, 0.5, 0.5, 1.5])
    colour = Series.of("c", "c", np.ma.masked_invalid([1.0, 3.0, 5.0, np.nan]))
    cells = [np.array([0.0, 1.0, 2.0])] * 2
    assert np.array_equal(cells_of(x, y, cells, None), [[2, np.nan], [1, 1]], equal_nan=True)
    assert np.array_equal(cells_of(x, y, cells, colour), [[2, np.nan], [5, np.nan]], equal_nan=True)


def test_an_axis_leaves_out_what_lies_far_away_and_keeps_the_rest() -> None:
    values = np.append(np.linspace(4000, 7000, 5_000), -9999.0)
    low, high = limits(values)
    assert 2500 < low < 4000
    assert 7000 < high < 8000
    assert limits(np.array([5.0, 5.0]))[0] < 5 < limits(np.array([5.0, 5.0]))[1]


async def test_a_million_points_are_a_density(tmp_path: Path) -> None:
    from astra_outputs.plots.kinds import KINDS

    draw = np.random.default_rng(1)
    given = {
        "x": Series.of("teff", "T", draw.normal(5000, 500, 1_000_000)),
        "y": Series.of("logg", "g", draw.normal(3, 1, 1_000_000)),
    }
    assert len(given["x"].values) > MANY
    picture = Picture("many", lambda figure: KINDS["kiel"].draw(figure.add_subplot(), given))
    (cells,) = picture.figure.axes[0].collections
    shown = cells.get_array()
    assert cells.norm.__class__.__name__ == "LogNorm"
    assert 999_000 < shown.sum() <= 1_000_000
    assert picture.save(tmp_path / "many.pdf").stat().st_size < 500_000


def test_points_whose_colour_is_not_known_are_faint_and_not_left_out() -> None:
    from astra_outputs.plots.kinds import KINDS

    draw = np.random.default_rng(2)
    colour = np.where(np.arange(MANY + 1) % 2, 1.0, np.nan)
    given = {
        "x": Series.of("x", "x", np.where(colour == 1, 0.0, 10.0) + draw.random(MANY + 1)),
        "y": Series.of("y", "y", draw.random(MANY + 1)),
    }
    for known, drawn_as in ((colour, "faint"), (np.full(MANY + 1, np.nan), "numbers")):
        of_colour = given | {"colour": Series.of("c", "c", np.ma.masked_invalid(known))}
        picture = Picture("c", lambda figure, of=of_colour: KINDS["xy"].draw(figure.add_subplot(), of))
        axes, bar = picture.figure.axes
        first = axes.collections[0].get_array()
        assert first.count() == cells_there(given["x"].values, given["y"].values, axes.collections[0])
        assert (drawn_as == "faint") is (len(axes.collections) == 2)
        assert bar.get_ylabel() == ("Mean of a cell: c" if drawn_as == "faint" else "Number in a cell")


def cells_there(x: Any, y: Any, mesh: Any) -> int:
    """In how many cells of a mesh there is a point."""
    corners = mesh.get_coordinates()
    return int(np.count_nonzero(np.histogram2d(x, y, bins=[corners[0, :, 0], corners[:, 0, 1]])[0]))


async def test_a_column_without_values_colours_nothing_and_the_title_says_so(
    outputs: Any, stars: Any
) -> None:
    picture = await outputs.plot(TheCannon, "kiel", colour="na_fe")
    (axes,) = picture.figure.axes
    assert len(drawn(picture)) == 11
    assert axes.get_title("left") == "the_cannon: 11 results, none with na_fe"


async def test_an_axis_that_counts_has_whole_numbers(outputs: Any, stars: Any) -> None:
    for kind, columns in (("hist", "teff"), ("timing", ())):
        picture = await outputs.plot(TheCannon, kind, "teff < 4500", columns=columns)
        picture.png(picture.figure.dpi)
        labels = [label.get_text() for label in picture.figure.axes[0].get_yticklabels()]
        assert len(set(labels)) == len(labels), labels


@pytest.mark.parametrize("value", [5_000.25, 4.0, 0.0, -1e-30])
def test_one_value_alone_has_a_bar_that_is_seen(value: float) -> None:
    from astra_outputs.plots.kinds import KINDS

    given = {"x": Series.of("x", "x", np.full(3, value))}
    picture = Picture("one", lambda figure: KINDS["hist"].draw(figure.add_subplot(), given))
    (axes,) = picture.figure.axes
    ((outline,),) = [[patch.get_xy() for patch in axes.patches]]
    high = outline[outline[:, 1] > 0]
    width = np.ptp(high[:, 0]) / np.ptp(axes.get_xlim())
    assert 0.05 < width < 0.2
    assert outline[:, 1].max() == 3


def test_bars_of_whole_numbers_are_not_cut_at_the_edges() -> None:
    from astra_outputs.plots.kinds import KINDS

    given = {"x": Series.of("x", "x", np.array([0, 0, 0, 1, 1, 2]))}
    (axes,) = Picture("one", lambda figure: KINDS["hist"].draw(figure.add_subplot(), given)).figure.axes
    (outline,) = [patch.get_xy() for patch in axes.patches]
    assert (outline[:, 0].min(), outline[:, 0].max()) == (-0.5, 2.5)
    assert axes.get_xlim()[0] <= -0.5 < 2.5 <= axes.get_xlim()[1]


def test_counts_of_millions_stand_beside_their_bars() -> None:
    name = "a_table_whose_name_is_as_long_as_postgresql_takes_it_which_is_63"
    versions = [Covered(f"{name} 0.8", 10**7, 10**7, 0), Covered("b 0.7", 10**7, 8 * 10**6, 2 * 10**6)]
    picture = Picture("coverage", lambda figure: coverage(figure, versions, f"Of {name} " * 3))
    assert {"10,000,000", "8,000,000 of 10,000,000"} <= set(check_words(picture))
    axes = picture.figure.axes[0]
    assert all(axes.bbox.x1 < label.get_window_extent().x0 for label in axes.child_axes[0].get_yticklabels())


# Files and notebooks.


def test_the_ending_of_a_file_says_what_is_written(tmp_path: Path) -> None:
    picture = Picture("a line", lambda figure: figure.add_subplot().plot([1, 2]))
    assert picture.save(tmp_path / "a.png").read_bytes().startswith(PNG)
    assert picture.save(tmp_path / "a.pdf").read_bytes().startswith(PDF)
    assert "<svg" in picture.save(tmp_path / "a.svg").read_text()
    assert picture._repr_png_().startswith(PNG)
    assert picture.svg().startswith("<?xml")
    with pytest.raises(InvalidFile, match=r"a.gif is no picture: end it in .png"):
        picture.save(tmp_path / "a.gif")
    with pytest.raises(FileExists, match="overwrite=True"):
        picture.save(tmp_path / "a.png")
    picture.save(tmp_path / "a.png", overwrite=True)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.pdf", "a.png", "a.svg"]


def test_a_description_that_is_longer_than_an_axis_goes_in_lines() -> None:
    long = Series.of("x", " ".join(["The description of a column in many words"] * 3) + " [mas/yr]", [1.0])
    picture = Picture("long", lambda figure: name_axes(figure.add_subplot(), long, long))
    picture.png(picture.figure.dpi)
    for text in (picture.figure.axes[0].xaxis.label, picture.figure.axes[0].yaxis.label):
        assert all(
            picture.figure.bbox.padded(1).contains(*corner) for corner in text.get_window_extent().corners()
        )


async def test_no_text_of_a_picture_is_cut_or_lies_on_another(outputs: Any, stars: Any) -> None:
    (source,) = await outputs.find(Source, limit=1)
    source.r_lo_photogeo, source.r_hi_photogeo = 1.0, 2.0  # with long descriptions
    await outputs.save(source)
    long = "teff > 0 and 'a condition of many words' = 'a condition of many words' and teff < 100000"
    for kind, asked in (
        ("kiel", {"condition": long}),
        ("hr", {}),
        ("sky", {"colour": "fe_h", "condition": long}),
        ("timing", {}),
        ("coverage", {}),
        ("hist", {"columns": "teff"}),
        ("xy", {"columns": ["source.g_mag", "source.r_hi_photogeo"], "colour": "source.r_lo_photogeo"}),
    ):
        picture = await outputs.plot(TheCannon, kind, **asked)
        assert len(check_words(picture)) > 5, kind
