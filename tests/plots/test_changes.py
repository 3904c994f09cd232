"""The picture of a comparison: bars, a panel for each column, flags; and no word lies on another or is cut."""

from __future__ import annotations

import pytest
from words_in_pictures import check_words

from astra_outputs import ColumnChange, Comparison, FlagChange, Histogram

pytest.importorskip("matplotlib")
LONG = "a_name_that_is_as_long_as_a_name_can_be_in_postgresql_which_is_63"
CONDITION = "spectrum.snr > 100 and not flag_low_snr and source.g_mag < 15 and teff between 3000 and 8000"


def comparison(columns: int, flags: int, spectra: int = 10**7, name: str = LONG) -> Comparison:
    """Many spectra with columns and flags of long names, and differences of all sizes."""
    changed = [
        ColumnChange(
            f"{name[:60]}_{number}",
            "erg s^-1 cm^-2 Angstrom^-1" if number % 2 else "$K$",
            *(spectra, spectra // (number + 1), number, 3 * number),
            *(-1.23456e-5 * number, 1.23456e-4, 3.0, 17),
            Histogram(-(10.0 ** (number - 5)), 1.3 * 10.0 ** (number - 5), (1, spectra // 3, 2) * 9, 7, spectra // 20)
            if number < 12
            else None,
        )
        for number in range(columns)
    ]  # fmt: skip
    turned = [FlagChange("f", f"{name[:60]}_{n}", "words", n * 10**5, spectra // 8) for n in range(flags)]
    return Comparison("table 0.7", "table 0.8", spectra, 1, 2, tuple(changed), tuple(turned), CONDITION)


@pytest.mark.parametrize(
    ("columns", "flags", "name", "style"),
    [(1, 0, "teff", None), (45, 45, LONG, None), (3, 1, "c", "fivethirtyeight")],  # which has large letters
)
def test_no_word_is_cut_or_lies_on_another(columns: int, flags: int, name: str, style: str | None) -> None:
    words = check_words(comparison(columns, flags, name=name).plot(style))
    assert any("more columns differ" in text for text in words) is (columns > 40)
    assert len(words) > 20


def test_a_panel_shows_the_bins_of_a_column_and_what_is_beyond_them() -> None:
    found = comparison(2, 1, name="c")
    picture = found.plot()
    bars, first, second, *_, flags = picture.figure.axes
    assert [axes.get_title("left") for axes in (first, second)] == ["c_0 [\\$K\\$]", "c_1 [erg …^-1]"]
    (steps,) = first.patches
    assert tuple(steps.get_data().values) == found.columns[0].histogram.counts
    assert [text.get_text() for text in first.texts] == ["7\nbelow", "500,000\nabove"]
    assert len(bars.patches) == 6
    assert sorted(bar.get_width() for bar in flags.patches) == [-(10**7) // 8, 0]


def test_without_distributions_and_flags_there_are_bars_alone() -> None:
    column = ColumnChange("word", None, 10, 3, 1, 1)
    picture = Comparison("a 0.7", "a 0.8", 10, 0, 0, (column,), ()).plot()
    assert len(picture.figure.axes) == 1
