"""Versions as integers, and the part of them that makes a result unique."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from astra_outputs import PipelineOutputMixin, Real, column, format_version, major_minor, parse_version
from astra_outputs.errors import MissingVersion
from astra_outputs.model.version import MAXIMUM, configured_version, parse_major_minor, using_version
from astra_outputs.tables.rows import table_rows


@pytest.mark.parametrize(
    "text", ["", "1", "0.6", "0.6.2.1", "v0.6.2", "0.6.1000", "0.-6.2", "2148.0.0", "0.6.x", "\u0660.6.2"]
)
def test_a_text_that_is_no_version_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="version"):
        parse_version(text)


@pytest.mark.parametrize("number", [1, 8, 999, "8", " 8 ", "999"])
def test_a_number_that_would_be_a_patch_alone_is_refused_with_what_to_write(number: int | str) -> None:
    with pytest.raises(ValueError, match=r'would be 0\.0\.\d+: write it as "major.minor.patch", "0\.\d+\.0"'):
        parse_version(number)


def test_a_text_of_two_numbers_is_told_how_to_go_on() -> None:
    with pytest.raises(ValueError, match=r'no patch number.*as in "0\.8\.0"'):
        parse_version("0.8")


@pytest.mark.parametrize("text", ["0.8.0rc1", "0.8.0-rc1", "0.8.0.dev3", "v0.8.0a1", "0.8.0+local"])
def test_a_release_candidate_is_refused_with_the_reason(text: str) -> None:
    with pytest.raises(ValueError, match=r"cannot be told from 0\.8\.0"):
        parse_version(text)


@pytest.mark.parametrize("number", [-1, MAXIMUM + 1, 6.002, True, None])
def test_a_number_that_is_no_version_is_refused(number: object) -> None:
    with pytest.raises(ValueError, match="version"):
        parse_version(number)  # type: ignore[arg-type]


def test_a_configured_version_that_is_no_version_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ASTRA_OUTPUTS_V_ASTRA", "newest")
    with pytest.raises(ValueError, match="newest"):
        configured_version()


def test_an_empty_configured_version_counts_as_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ASTRA_OUTPUTS_V_ASTRA", "")
    with pytest.raises(MissingVersion):
        configured_version()


def test_a_version_of_a_context_ends_with_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ASTRA_OUTPUTS_V_ASTRA", raising=False)
    with using_version("1.2.3") as v_astra:
        assert v_astra == configured_version() == 1_002_003
    with pytest.raises(MissingVersion):
        configured_version()


@pytest.mark.parametrize(
    ("text", "number"), [("0.6.2", 6002), ("0.8.0", 8000), ("1.2.3", 1_002_003), ("0.0.0", 0)]
)
def test_a_version_is_the_integer_of_its_parts(text: str, number: int) -> None:
    assert parse_version(text) == number
    assert format_version(number) == text


@pytest.mark.parametrize("version", ["0.8", "0.8.1", " 0.8.1", 8001, "8001"])
def test_where_a_patch_does_not_matter_it_need_not_be_said(version: int | str) -> None:
    assert parse_major_minor(version) == 8


@pytest.mark.parametrize("version", ["8", 8, "0.8.x", "0.", ".8", "0.1000", "0.8rc1"])
def test_what_is_no_version_is_none_without_a_patch_either(version: int | str) -> None:
    with pytest.raises(ValueError, match="version"):
        parse_major_minor(version)


class Versioned(PipelineOutputMixin):
    """Results of some version."""

    teff: Real = column(unit="K", description="Effective temperature")


SPECTRUM = SimpleNamespace(spectrum_pk=1, source_pk=2)


@pytest.mark.parametrize(
    "door",
    [
        lambda version: Versioned(spectrum_pk=1, v_astra=version),
        lambda version: Versioned.model_validate({"spectrum_pk": 1, "v_astra": version}),
        lambda version: Versioned.from_spectrum(SPECTRUM, v_astra=version),
        lambda version: setattr(Versioned.from_spectrum(SPECTRUM, v_astra=8001), "v_astra", version),
        lambda version: Versioned.from_spectrum(SPECTRUM, v_astra=8001).model_copy(
            update={"v_astra": version}
        ),
        lambda version: table_rows(Versioned, {"spectrum_pk": [1]}, version).refuse(),
        lambda version: table_rows(Versioned, {"spectrum_pk": [1], "v_astra": [version]}).refuse(),
        lambda version: using_version(version).__enter__(),
    ],
    ids=["class", "mapping", "spectrum", "assignment", "copy", "argument", "table", "context"],
)
@pytest.mark.parametrize("version", [8, "8", "0.8", "0.8.0rc1"])
def test_every_door_refuses_what_is_no_version(door: Any, version: int | str) -> None:
    with pytest.raises(ValueError, match=r"major\.minor\.patch"):
        door(version)


@pytest.mark.parametrize("version", ["0.0.8", "0.8.1", 8001, "8001", 0, "0.0.0"])
def test_every_door_takes_what_is_one(version: int | str) -> None:
    number = parse_version(version)
    assert Versioned(spectrum_pk=1, v_astra=version).v_astra == number
    assert Versioned.from_spectrum(SPECTRUM, v_astra=version).v_astra == number
    rows = table_rows(Versioned, {"spectrum_pk": [1]}, version)
    rows.refuse()
    assert rows.columns["v_astra"].stored.values.tolist() == [number]


def test_a_row_of_an_odd_version_can_be_read() -> None:
    assert Versioned.from_row({"spectrum_pk": 1, "v_astra": 8}).v_astra == 8


@pytest.mark.parametrize("text", ["8", "0.8"])
def test_the_environment_is_read_by_the_same_rule(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setenv("ASTRA_OUTPUTS_V_ASTRA", text)
    with pytest.raises(ValueError, match=r"major\.minor\.patch"):
        Versioned.from_spectrum(SPECTRUM)


@given(st.integers(0, MAXIMUM))
def test_text_and_integer_say_the_same_for_every_version(number: int) -> None:
    assert parse_version(format_version(number)) == number
    assert major_minor(number) == number // 1000
