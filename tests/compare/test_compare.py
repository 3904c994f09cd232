"""Comparisons: what the server counts is what NumPy finds in the rows; and what cannot be compared is said in words."""

from __future__ import annotations

import json
import random
import re
from typing import Any

import asyncpg
import numpy as np
import pytest
from on_citus import add_table

import astra_outputs
from astra_outputs import (
    ApogeeNet,
    BigInt,
    BitFlags,
    Boolean,
    Comparison,
    Flags,
    Integer,
    PipelineOutputMixin,
    Real,
    RealArray,
    SnowWhite,
    Source,
    Text,
    TheCannon,
    column,
)
from astra_outputs.compare.compare import statements_of
from astra_outputs.compare.histogram import Bins
from astra_outputs.compare.measures import Counted
from astra_outputs.compare.sides import Side, Sides
from astra_outputs.errors import (
    InvalidCondition,
    InvalidPicture,
    NoRows,
    UnknownColumn,
    WrongRecordClass,
)

OLD, NEW = "0.7.0", "0.8.1"


class SomeFlags(BitFlags):
    """Flags of a result."""

    LOW_SNR = 0, "S/N is 8 or below"
    HOT = 5, "Too hot"


class ManyKinds(PipelineOutputMixin):
    """Results with columns of many kinds."""

    teff: Real = column(unit="K", description="Effective temperature")
    logg: Real = column(unit="dex", description="Surface gravity")
    same: Real = column(description="Is the same in all versions")
    rare: Real = column(description="Differs in few")
    empty: Real = column(description="Has no value")
    count: Integer = column(description="A number")
    big: BigInt = column(description="A large number")
    word: Text = column(description="A text")
    sure: Boolean = column(description="A truth")
    many: RealArray = column(description="Some numbers")
    result_flags: Flags = column(description="Flags of the result", bits=SomeFlags)


@pytest.fixture
async def results(outputs: Any, connection: asyncpg.Connection, spectra: Any) -> list[tuple[Any, Any]]:
    """Pairs of results, old and new, of which either may be missing; values may be missing on both sides."""
    await add_table(connection, ManyKinds)
    draw = random.Random(7)

    def made(spectrum: Any, version: str) -> Any:
        values = {
            "teff": draw.gauss(5000, 500),
            "logg": draw.gauss(3, 1),
            "count": draw.randrange(3),
            "word": draw.choice("ab"),
            "sure": draw.random() < 0.5,
            "many": [draw.choice([1.0, 2.0])],
        }
        given = {name: value for name, value in values.items() if draw.random() < 0.8}
        bits = draw.choice([0, 1, 32, 33])
        rare = 1.0 if draw.random() < 0.9 else draw.random()
        return ManyKinds.from_spectrum(
            spectrum, v_astra=version, same=2.5, rare=rare, result_flags=bits, **given
        )

    pairs = []
    for place, spectrum in enumerate(await spectra(60)):
        old = made(spectrum, OLD) if place >= 5 else None
        new = made(spectrum, NEW) if place < 52 else None
        pairs.append((old, new))
    await outputs.save_many([record for pair in pairs for record in pair if record is not None])
    return pairs


def numbers(pairs: list[tuple[Any, Any]], name: str) -> tuple[Any, Any, Any]:
    """Keys and both sides of a column as doubles that began as reals, NaN where there is no value."""
    both = [(old, new) for old, new in pairs if old is not None and new is not None]

    def values(side: int) -> Any:
        found = [getattr(pair[side], name) for pair in both]
        return np.array([np.nan if value is None else np.float32(value) for value in found], np.float64)

    return np.array([old.spectrum_pk for old, _ in both]), values(0), values(1)


# Bad input.


async def test_what_cannot_be_compared_is_said_in_words(outputs: Any, results: Any) -> None:
    for error, said, arguments, options in [
        (InvalidCondition, "are the same results", (ManyKinds, "0.8", "0.8"), {}),
        (InvalidCondition, "a patch replaces", (ManyKinds, "0.8.0", "0.8.1"), {}),
        (InvalidCondition, "version .new. ", (ManyKinds, "new", "0.8"), {}),
        (InvalidCondition, "takes two versions", (ManyKinds, "0.8", None), {}),
        (InvalidCondition, "newest makes no sense", (ManyKinds, "0.7", "0.8"), {"newest": True}),
        (InvalidCondition, "have no columns in common", (SnowWhite, "0.7", "0.8"), {"against": ManyKinds, "columns": []}),
        (InvalidCondition, "columns are names", (ManyKinds, "0.7", "0.8"), {"columns": [3]}),
        (UnknownColumn, "did you mean teff", (ManyKinds, "0.7", "0.8"), {"columns": "tef"}),
        (UnknownColumn, "snow_white.word.* is not a column", (ManyKinds, "0.7", "0.8"), {"against": SnowWhite, "columns": ["word"]}),
        (UnknownColumn, "did you mean teff", (ManyKinds, "0.7", "0.8", "tef > 3"), {}),
        (NoRows, r"no result of many_kinds 0.5 is as asked for: there are results of 0.8, 0.7", (ManyKinds, "0.5", "0.8"), {}),
        (NoRows, r"no result of many_kinds 0.9", (ManyKinds, "0.8", "0.9"), {}),
        (NoRows, r"the_cannon 0.7 is as asked for: the table has none at all", (TheCannon, "0.7", "0.8"), {}),
        (NoRows, r"no result of many_kinds 0.8", (ManyKinds, "0.7", "0.8", "teff < $1", 0), {}),
        (WrongRecordClass, "is no class of results", (Source, "0.7", "0.8"), {}),
    ]:  # fmt: skip
        with pytest.raises(error, match=said):
            await outputs.compare(*arguments, **options)


async def test_versions_of_other_spectra_have_nothing_in_common(outputs: Any, results: Any) -> None:
    first, last = results[0][1], results[-1][0]
    chosen = [first.spectrum_pk, last.spectrum_pk]
    with pytest.raises(NoRows, match="have no spectrum in common"):
        await outputs.compare(ManyKinds, "0.7", "0.8", on=chosen)


class InElectronvolts(PipelineOutputMixin):
    """Results of which a column has another unit."""

    teff: Real = column(unit="eV", description="Effective temperature")
    logg: Text = column(description="A surface gravity in words")
    count: Real = column(description="A number")


def test_columns_of_other_units_and_types_have_no_difference() -> None:
    old, new = Side.of(ManyKinds, "0.8"), Side.of(InElectronvolts, "0.8")
    assert [entry.name for entry in Sides.of(old, new, None).columns] == ["tag", "count"]
    with pytest.raises(
        InvalidCondition, match=r"teff is real in K in many_kinds 0.8 and real in eV in in_elec"
    ):
        Sides.of(old, new, "teff")
    with pytest.raises(InvalidCondition, match=r"logg is real in dex .* and text in"):
        Sides.of(old, new, ["logg"])


# Against NumPy.


async def test_counts_medians_scatters_and_maxima_are_those_of_numpy(outputs: Any, results: Any) -> None:
    comparison = await outputs.compare(ManyKinds, "0.7", "0.8")
    assert (comparison.old, comparison.new) == ("many_kinds 0.7", "many_kinds 0.8")
    assert (comparison.spectra, comparison.only_old, comparison.only_new) == (47, 8, 5)
    for name in ("teff", "logg", "rare", "same", "count"):
        keys, old, new = numbers(results, name)
        found, difference = comparison[name], new - old
        both = np.isfinite(difference)
        assert found.compared == both.sum()
        assert found.changed == np.count_nonzero(difference[both])
        assert found.gained == np.count_nonzero(np.isnan(old) & ~np.isnan(new))
        assert found.lost == np.count_nonzero(~np.isnan(old) & np.isnan(new))
        median = np.median(difference[both])
        assert found.median == pytest.approx(median, abs=1e-12)
        assert found.scatter == pytest.approx(
            1.4826 * np.median(np.abs(difference[both] - median)), abs=1e-12
        )
        greatest = np.abs(difference[both]).max()
        assert abs(found.largest) == greatest
        if found.changed:
            assert found.spectrum_pk == keys[both][difference[both] == found.largest].min()
        else:
            assert found.spectrum_pk is None
    assert not comparison["same"].differs
    assert comparison["rare"].median == 0.0


async def test_differences_that_are_not_zero_are_in_bins_as_numpy_counts_them(
    outputs: Any, results: Any
) -> None:
    comparison = await outputs.compare(ManyKinds, "0.7", "0.8")
    for name in ("teff", "logg", "rare", "count"):
        _, old, new = numbers(results, name)
        difference, found = new - old, comparison[name].histogram
        moved = difference[np.isfinite(difference) & (difference != 0)]
        edges = np.linspace(found.low, found.high, len(found.counts) + 1)
        assert list(found.counts) == np.histogram(moved, edges)[0].tolist(), name
        assert (found.below, found.above) == (sum(moved < found.low), sum(moved >= found.high))
        assert sum(found.counts) > 0.9 * len(moved)
    assert comparison["count"].histogram.low % 1 == 0.5  # whole numbers in the middles of bins
    assert comparison["count"].histogram.high - comparison["count"].histogram.low == len(
        comparison["count"].histogram.counts
    )
    assert comparison["same"].histogram is comparison["word"].histogram is None
    assert json.loads(json.dumps(comparison.to_dict()))["columns"][1]["histogram"].keys() == {
        "low", "high", "counts", "below", "above"
    }  # fmt: skip
    without = await outputs.compare(ManyKinds, "0.7", "0.8", distributions=False)
    assert [entry.histogram for entry in without.columns] == [None] * len(without.columns)
    assert without["teff"].scatter == comparison["teff"].scatter


def test_bins_hold_what_is_usual_and_leave_out_what_lies_far_away() -> None:
    real, whole = ManyKinds.column("teff"), ManyKinds.column("count")
    counted = Counted(real, 1000, 1000, 0, 0, -1e30, 3.0)
    bins = Bins.of(counted, (-1.0, 1.0))
    assert -3 < bins.low < -1 < 1 < bins.high < 3
    assert bins.number == 31
    same = Bins.of(Counted(real, 400, 400, 0, 0, 10.0, 10.0), (10.0, 10.0))
    assert (same.low + same.high) / 2 == 10
    assert same.number % 2  # the one value stands in the middle of a bin
    many = Bins.of(Counted(whole, 10**6, 10**6, 0, 0, -1000.0, 1000.0), (-900.0, 900.0))
    assert many.number == 41
    few = Bins.of(Counted(whole, 10**6, 10**6, 0, 0, -3.0, 2.0), (-3.0, 2.0))
    assert (few.low, few.high, few.number) == (-3.5, 2.5, 6)


async def test_keys_beyond_what_a_double_tells_apart_differ_without_a_difference(
    outputs: Any, results: Any, spectra: Any
) -> None:
    (star,) = await spectra(1)
    for version, number in (("0.7.0", 2**60), ("0.8.0", 2**60 + 1)):
        await outputs.save(ManyKinds.from_spectrum(star, v_astra=version, big=number))
    found = (await outputs.compare(ManyKinds, "0.7", "0.8", on=[star]))["big"]
    assert (found.changed, found.median, found.histogram) == (1, 0.0, None)


async def test_texts_truths_and_arrays_are_compared_without_a_difference(outputs: Any, results: Any) -> None:
    comparison = await outputs.compare(ManyKinds, "0.7", "0.8", columns=["word", "sure", "many"])
    assert [entry.name for entry in comparison.columns] == ["word", "sure", "many"]
    for name in ("word", "sure", "many"):
        both = [(getattr(a, name), getattr(b, name)) for a, b in results if a is not None and b is not None]
        known = [(a, b) for a, b in both if a is not None and b is not None]
        found = comparison[name]
        assert (found.compared, found.changed) == (len(known), sum(a != b for a, b in known))
        assert found.gained == sum(a is None and b is not None for a, b in both)
        assert (found.median, found.scatter, found.largest, found.spectrum_pk) == (None,) * 4


async def test_flags_are_gained_and_lost_by_name(outputs: Any, results: Any) -> None:
    comparison = await outputs.compare(ManyKinds, "0.7", "0.8")
    both = [(a.result_flags, b.result_flags) for a, b in results if a is not None and b is not None]
    found = {flag.name: (flag.gained, flag.lost) for flag in comparison.flags}
    assert found == {
        name: (
            sum(not a & m and bool(b & m) for a, b in both),
            sum(bool(a & m) and not b & m for a, b in both),
        )
        for name, m in (("low_snr", 1), ("hot", 32))
    }
    assert comparison["result_flags"].changed == sum(a != b for a, b in both)
    assert comparison["result_flags"].median is None


async def test_a_condition_is_about_the_new_results(outputs: Any, results: Any) -> None:
    comparison = await outputs.compare(ManyKinds, "0.7", "0.8", "teff > $1", 5000, columns="teff")
    wanted = [new for old, new in results if new is not None and (new.teff or 0) > 5000]
    assert comparison.spectra + comparison.only_new == len(wanted)
    assert comparison.only_old is None
    assert comparison.head.startswith("many_kinds 0.7 to many_kinds 0.8, teff > $1: ")
    assert comparison["teff"].lost == 0


async def test_the_other_direction_has_the_other_sign(outputs: Any, results: Any) -> None:
    there = await outputs.compare(ManyKinds, "0.7", "0.8")
    back = await outputs.compare(ManyKinds, "0.8", "0.7")
    assert back["teff"].median == pytest.approx(-there["teff"].median)
    assert back["teff"].largest == -there["teff"].largest
    assert (back["teff"].gained, back["teff"].lost) == (there["teff"].lost, there["teff"].gained)
    assert (back.only_old, back.only_new) == (there.only_new, there.only_old)


async def test_two_pipelines_are_compared_in_the_columns_that_both_have(
    outputs: Any, results: Any, spectra: Any
) -> None:
    stars = await spectra(3)
    await outputs.save_many(TheCannon.from_spectrum(s, v_astra="0.8.0", teff=5000.0, fe_h=0.1) for s in stars)
    await outputs.save_many(
        ApogeeNet.from_spectrum(s, v_astra="0.8.0", teff=5010.0, result_flags=1) for s in stars
    )
    comparison = await outputs.compare(TheCannon, "0.8", "0.8", against=ApogeeNet)
    assert (comparison.old, comparison.new) == ("the_cannon 0.8", "apogee_net 0.8")
    assert (comparison["teff"].median, comparison["teff"].scatter) == (10.0, 0.0)
    assert comparison["fe_h"].lost == 3
    assert {entry.name for entry in comparison.columns} <= {entry.name for entry in ApogeeNet.columns()}


async def test_nan_of_another_program_is_no_value(
    outputs: Any, results: Any, connection: asyncpg.Connection
) -> None:
    before = await outputs.compare(ManyKinds, "0.7", "0.8", columns="teff")
    await connection.execute(
        "update astra.many_kinds set teff = 'NaN' where v_astra_major_minor = 8 and spectrum_pk = $1",
        before["teff"].spectrum_pk,
    )
    after = await outputs.compare(ManyKinds, "0.7", "0.8", columns="teff")
    assert after["teff"].lost == before["teff"].lost + 1
    assert np.isfinite(after["teff"].largest)


async def test_on_a_connection_of_the_caller_what_is_not_committed_counts_too(
    database: str, results: Any, connection: asyncpg.Connection
) -> None:
    async with (
        astra_outputs.connect(connection=connection, schema="astra") as theirs,
        connection.transaction(),
    ):
        before = await theirs.compare(ManyKinds, "0.7", "0.8", columns="teff")
        await connection.execute("update astra.many_kinds set teff = null where v_astra_major_minor = 8")
        after = await theirs.compare(ManyKinds, "0.7", "0.8", columns="teff")
        assert (after["teff"].compared, after["teff"].gained) == (0, 0)
        assert after["teff"].lost == before["teff"].compared + before["teff"].lost
        assert (after["teff"].median, after["teff"].scatter, after["teff"].largest) == (None, None, None)


@pytest.mark.usefixtures("plain_tables")
async def test_the_statements_use_the_key_where_few_spectra_are_asked_for(
    outputs: Any, results: Any, connection: asyncpg.Connection
) -> None:
    await connection.execute("analyze astra.many_kinds; set enable_seqscan = off; set search_path = astra")
    for statement in statements_of(ManyKinds, "astra"):
        text = re.sub(r"\$([1-4])", lambda mark: "7800"[int(mark[1]) - 1], statement.text)
        plan = "\n".join(row[0] for row in await connection.fetch(f"explain {text}"))
        assert "many_kinds_spectrum_version_key" in plan, statement.name


async def test_a_table_of_hundreds_of_columns_and_flags_is_compared_in_parts(
    outputs: Any, spectra: Any, filled: Any
) -> None:
    from astra_outputs import ASPCAP

    (star,) = await spectra(1)
    old, new = filled(ASPCAP, star, 1), filled(ASPCAP, star, 2)
    new.v_astra = 7000
    await outputs.save_many([old])
    await outputs.save_many([new])
    comparison = await outputs.compare(ASPCAP, "0.6", "0.7")
    assert len(comparison.columns) > 180
    for entry in comparison.columns:
        one, other = getattr(old, entry.name), getattr(new, entry.name)
        assert (entry.compared, entry.changed) == (1, int(one != other)), entry.name
        if entry.median is not None:
            assert (
                entry.median == entry.largest == np.float64(np.float32(other)) - np.float64(np.float32(one))
            )


# As text, as a table, as a page, as a picture.


async def test_a_comparison_is_told_as_text_table_json_and_picture(outputs: Any, results: Any) -> None:
    comparison = await outputs.compare(ManyKinds, "0.7", "0.8")
    text = str(comparison)
    first, second, *_ = text.splitlines()
    assert first == (
        "many_kinds 0.7 to many_kinds 0.8: 47 spectra have both, 8 the old one alone, 5 the new one alone"
    )
    assert second == "2 columns are the same, 2 have no values"
    assert "low_snr" in text
    assert "\nsame " not in text
    assert json.loads(json.dumps(comparison.to_dict()))["columns"][0]["name"] == comparison.columns[0].name
    table = comparison.to_table()
    assert table["median"] == [entry.median for entry in comparison.columns]
    assert comparison._repr_html_().count("<tr>") == 2 + len(comparison.differing) + len(comparison.flags)
    picture = comparison.plot()
    axes = picture.figure.axes[0]
    teff = [label.get_text() for label in axes.get_yticklabels()].index("teff")
    assert axes.patches[teff].get_width() == pytest.approx(comparison["teff"].changed / 47 * 100)
    picture.png(picture.figure.dpi)
    for text in (axes.xaxis.label, *axes.get_yticklabels(), *axes.child_axes[0].get_yticklabels()):
        assert all(
            picture.figure.bbox.padded(1).contains(*corner) for corner in text.get_window_extent().corners()
        )
    same = Comparison("a", "b", 1, 0, 0, (), ())
    assert str(same).startswith("a to b: 1 spectrum has both")
    with pytest.raises(InvalidPicture, match="are the same"):
        same.plot()
