"""Versions as integers, and the part of them that makes a result unique."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from astra_outputs import format_version, major_minor, parse_version
from astra_outputs.errors import MissingVersion
from astra_outputs.model.version import MAXIMUM, configured_version, using_version


@pytest.mark.parametrize(
    "text", ["", "1", "0.6", "0.6.2.1", "v0.6.2", "0.6.1000", "0.-6.2", "2148.0.0", "0.6.x", "\u0660.6.2"]
)
def test_a_text_that_is_no_version_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="version"):
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


@given(st.integers(0, MAXIMUM))
def test_text_and_integer_say_the_same_for_every_version(number: int) -> None:
    assert parse_version(format_version(number)) == number
    assert major_minor(number) == number // 1000
