"""A description of a table says all that its record class says, in each format."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable
from html.parser import HTMLParser
from typing import Any

import pytest

from astra_outputs import BitFlags, Flags, PipelineOutputMixin, Real, RequiredText, category, column
from astra_outputs.cli import main
from astra_outputs.describe import describe, overview, page, to_html, to_markdown
from astra_outputs.discover import record_classes
from astra_outputs.records import ApogeeCoaddedSpectrumInApStar, SnowWhite

Run = Callable[..., tuple[int, str, str]]


class OddFlags(BitFlags):
    """Bits with awkward meanings."""

    LOW = 0, "a < b | c & *d*"
    HIGH = 40, "[up]"


class Odd(PipelineOutputMixin):
    """Results with <awkward> words.

    A second paragraph, of `code`
    and more.

    Notes
    -----
    Left out.
    """

    category("A & B")
    teff: Real = column(unit="10^3 K", description="Temperature | <odd>")
    kind: RequiredText = column(description="Kind", default="it's")

    category("Quality")
    first_flags: Flags = column(description="First", bits=OddFlags)
    second_flags: Flags = column(description="Second", bits=OddFlags)


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    def run(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["astra-outputs", "describe", *arguments])
        with pytest.raises(SystemExit) as ended:
            main()
        return int(ended.value.code or 0), *capsys.readouterr()

    return run


class Tags(HTMLParser):
    """Fails on a tag that is closed but not open; collects ids and the text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: list[str] = []
        self.text = ""
        self.feed(page)
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, Any]]) -> None:
        self.ids += [value for name, value in attrs if name == "id"]
        if tag != "meta":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def test_an_unknown_table_is_a_usage_error_with_the_nearest_name(run: Run):
    code, out, err = run("aspcab")

    assert (code, out) == (2, "")
    assert "did you mean aspcap" in " ".join(err.split())


def test_an_unknown_format_is_a_usage_error(run: Run):
    assert run("aspcap", "--format", "pdf")[0] == 2


def test_without_a_table_all_are_listed_with_their_numbers(run: Run):
    _, out, _ = run()

    (row,) = [line for line in out.splitlines() if line.strip().startswith("aspcap ")]
    assert re.split(r"\s{2,}", row.strip())[:4] == ["aspcap", "ASPCAP", "211", "273"]
    assert all(found.table in out for found in record_classes())


def test_a_table_may_be_named_by_its_class(run: Run):
    assert run("SnowWhite") == run("snow_white")


@pytest.mark.parametrize("form", ["text", "html", "markdown", "json"])
def test_each_format_has_every_column_flag_unit_and_the_sql(run: Run, form: str):
    code, out, err = run("snow_white", "--format", form)
    text = Tags(out).text if form == "html" else out

    assert (code, err) == (0, "")
    for expected in [entry.name for entry in SnowWhite.columns()]:
        assert re.search(rf"\b{expected}\b", text), expected
    for expected in ("flag_no_flux", "Optimiser did not converge", "km/s", "snow_white_spectrum_version_key"):
        assert expected in text


def test_columns_stand_under_their_categories_in_the_order_declared():
    assert [(group.title, [entry.name for entry in group.columns]) for group in describe(Odd).categories] == [
        ("Identifiers", ["task_pk", "source_pk", "spectrum_pk"]),
        (
            "Astra Metadata",
            ["v_astra", "created", "modified", "t_elapsed", "t_overhead", "tag", "v_astra_major_minor"],
        ),
        ("A & B", ["teff", "kind"]),
        ("Quality", ["first_flags", "second_flags"]),
    ]


def test_no_column_is_lost_or_told_twice():
    for record_class in record_classes():
        described = describe(record_class)
        names = [entry.name for group in described.categories for entry in group.columns]

        assert sorted(names) == sorted(entry.name for entry in record_class.columns())
        assert len({group.title for group in described.categories}) == len(described.categories)


def test_defaults_are_those_of_the_table():
    columns = {
        entry.name: entry
        for described in (describe(Odd), describe(ApogeeCoaddedSpectrumInApStar))
        for group in described.categories
        for entry in group.columns
    }

    assert columns["task_pk"].default == "identity"
    assert columns["v_astra_major_minor"].default == "= v_astra / 1000"
    assert columns["kind"].default == "'it''s'"
    assert columns["teff"].default == ""
    assert (columns["spectrum_pk"].nullable, columns["source_pk"].nullable) == (False, True)


def test_a_flag_name_of_two_columns_is_told_with_its_qualified_spelling():
    first, second = describe(Odd).flags

    assert [bit.attribute for bit in (*first.bits, *second.bits)] == [
        "flag_first_low",
        "flag_first_high",
        "flag_second_low",
        "flag_second_high",
    ]
    assert [bit.value for bit in first.bits] == [1, 2**40]


def test_the_docstring_is_told_without_its_sections():
    described = describe(Odd)

    assert described.title == "Results with <awkward> words"
    assert described.text == "A second paragraph, of `code`\nand more."


def test_html_escapes_what_is_not_markup():
    text = Tags(to_html(page(describe(Odd)))).text

    assert "Temperature | <odd>" in text
    assert "a < b | c & *d*" in text
    assert "Results with <awkward> words." in text


def test_every_column_of_an_html_page_can_be_linked_to():
    ids = Tags(to_html(page(describe(SnowWhite)))).ids

    assert set(ids) == {f"column-{entry.name}" for entry in SnowWhite.columns()}
    assert len(ids) == len(set(ids))


def test_every_row_of_a_markdown_table_has_as_many_cells_as_its_header():
    text = to_markdown([*page(describe(Odd), sql=False), *overview(map(describe, record_classes()))])
    assert "Temperature \\| \\<odd>" in text

    cells = 0
    for line in text.splitlines():
        if not line.startswith("|"):
            cells = 0
            continue
        found = len(re.findall(r"(?<!\\)\|", line))
        assert found == (cells or found), line
        cells = found


def test_json_is_the_whole_structure(run: Run):
    described = json.loads(run("snow_white", "--format", "json")[1])

    assert described["keys"] == [["spectrum_pk", "v_astra_major_minor"]]
    assert described["flags"][0]["bits"][4] == {
        "bit": 4,
        "value": 16,
        "name": "no_flux",
        "attribute": "flag_no_flux",
        "meaning": "Spectrum is empty",
    }
    assert "sql" not in json.loads(run("snow_white", "--format", "json", "--no-sql")[1])
    assert [entry["name"] for entry in json.loads(run("--format", "json")[1])] == [
        found.table for found in record_classes()
    ]
