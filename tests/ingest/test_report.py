"""The list of refused rows: nobody can plant it, and nothing in it runs."""

from __future__ import annotations

import csv
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from astra_outputs.errors import FileExists
from astra_outputs.ingest import IngestReport, Refused
from astra_outputs.ingest.report import check_place


def report(*values: Any) -> IngestReport:
    return IngestReport(refused=[Refused("a.csv", 1, "teff", value, "is not a number") for value in values])


def listed(path: Path) -> list[str]:
    return [row["value"] for row in csv.DictReader(path.read_text().splitlines())]


@pytest.mark.parametrize(
    ("value", "cell"),
    [
        ("=1+1", "'=1+1"),
        ("+cmd|' /C calc'!A0", "'+cmd|' /C calc'!A0"),
        ("-2+3", "'-2+3"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("-9999", "-9999"),
        ("+1e5", "+1e5"),
        (-9999.0, "-9999.0"),
        ("\t=1", "\\t=1"),
        ("\x1b[31mred\r\n", "\\x1b[31mred\\r\\n"),
        (None, ""),
        ("é", "é"),
        (np.zeros(3), "array([0., 0., 0.])"),
    ],
)
def test_a_value_is_listed_so_that_no_program_runs_it(tmp_path, value, cell) -> None:
    report(value).write_refused(tmp_path / "list.csv")
    assert listed(tmp_path / "list.csv") == [cell]


def test_a_long_value_is_cut(tmp_path) -> None:
    report("a" * 10_000).write_refused(tmp_path / "list.csv")
    assert listed(tmp_path / "list.csv") == ["a" * 1_000 + "..."]


def test_a_link_in_place_of_the_list_is_refused_beforehand_and_never_followed(tmp_path) -> None:
    precious, place = tmp_path / "precious", tmp_path / "list.csv"
    precious.write_text("keep me")
    place.symlink_to(precious)
    with pytest.raises(FileExists, match="is a link, which is not followed"):
        check_place(place)
    report("hot").write_refused(place)  # the link was planted after the look
    assert precious.read_text() == "keep me"
    assert not place.is_symlink()
    assert listed(place) == ["hot"]


def test_a_link_in_place_of_the_file_that_is_written_first_is_not_followed(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr("astra_outputs.ingest.report.token_hex", lambda _: "guessed")
    precious = tmp_path / "precious"
    precious.write_text("keep me")
    (tmp_path / ".list.csv.guessed.partial").symlink_to(precious)
    with pytest.raises(FileExistsError):
        report("hot").write_refused(tmp_path / "list.csv")
    assert precious.read_text() == "keep me"


def test_a_link_that_leads_nowhere_is_refused_as_well(tmp_path) -> None:
    (tmp_path / "list.csv").symlink_to(tmp_path / "nowhere")
    with pytest.raises(FileExists, match="is a link"):
        check_place(tmp_path / "list.csv")


def test_the_list_is_readable_as_the_user_wants_and_leaves_nothing_beside_it(tmp_path) -> None:
    before = os.umask(0o027)
    try:
        report("hot").write_refused(tmp_path / "list.csv")
    finally:
        os.umask(before)
    assert (tmp_path / "list.csv").stat().st_mode & 0o777 == 0o640
    assert [path.name for path in tmp_path.iterdir()] == ["list.csv"]
    report().write_refused(tmp_path / "list.csv")
    assert list(tmp_path.iterdir()) == []


def test_a_list_that_cannot_be_written_leaves_the_earlier_one(tmp_path, monkeypatch) -> None:
    place = tmp_path / "list.csv"
    report("first").write_refused(place)

    def no_space(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("astra_outputs.ingest.report._cell", no_space)
    with pytest.raises(OSError, match="No space"):
        report("second").write_refused(place)
    assert [path.name for path in tmp_path.iterdir()] == ["list.csv"]
    assert "first" in place.read_text()
