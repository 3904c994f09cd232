"""`astra-outputs compare` and `astra-outputs plot`, as they are typed."""

from __future__ import annotations

import csv
import io
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import astra_outputs
from astra_outputs import ApogeeCoaddedSpectrumInApStar, Source, TheCannon
from astra_outputs.cli import main

pytest.importorskip("matplotlib")
Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], database: str) -> Run:
    monkeypatch.setenv("ASTRA_OUTPUTS_DSN", database)

    def run(*arguments: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["astra-outputs", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            main()
        return int(ended.value.code or 0), *capsys.readouterr()

    return run


@pytest.fixture
def two_versions(database: str) -> None:
    """Three stars in the versions 0.7 and 0.8, the new ones 10 K hotter; made without async, as the command is."""
    with astra_outputs.open(database) as outputs:
        sources = [Source(sdss_id=number) for number in (1, 2, 3)]
        outputs.save_many(sources)
        spectra = [
            ApogeeCoaddedSpectrumInApStar(
                source_pk=source.pk,
                release="dr17",
                apred="dr17",
                obj=f"2M{source.sdss_id}",
                telescope="apo25m",
            )
            for source in sources
        ]
        outputs.save_many(spectra)
        for version, hotter in (("0.7.0", 0.0), ("0.8.0", 10.0)):
            outputs.save_many(
                TheCannon.from_spectrum(
                    s,
                    v_astra=version,
                    teff=5000.0 + 100 * n + hotter,
                    logg=2.0 + n,
                    result_flags=int(hotter > 0),
                )
                for n, s in enumerate(spectra)
            )


def test_bad_words_are_said_in_one_line_and_nothing_is_written(
    run: Run, two_versions: Any, tmp_path: Path
) -> None:
    there = tmp_path / "there.png"
    there.write_text("a picture of mine")
    for words, code, said in [
        (("compare", "the_cannon", "0.7", "0.7"), 1, "are the same results"),
        (("compare", "the_cannon", "0.6", "0.8"), 1, "there are results of 0.8, 0.7"),
        (("compare", "the_canon", "0.7", "0.8"), 1, "did you mean the_cannon"),
        (("compare", "the_cannon", "0.7", "0.8", "--column", "tef"), 1, "did you mean teff"),
        (("compare", "the_cannon", "0.7", "0.8", "-o", there), 1, "exists already"),
        (("compare", "the_cannon", "0.7", "0.8", "-o", tmp_path / "a.xyz"), 1, "a.xyz is no picture"),
        (("plot", "the_cannon", "kiel", "-o", there), 1, "--overwrite"),
        (("plot", "the_cannon", "kiel", "-o", there, "--dsn", "host=localhost port=1"), 1, "exists already"),
        (("plot", "the_cannon", "kiell", "-o", tmp_path / "a.png"), 1, "did you mean kiel"),
        (("plot", "the_cannon", "kiel", "-o", tmp_path / "no" / "a.png"), 1, "cannot be written"),
        (
            ("plot", "the_cannon", "kiel", "--style", "gplot", "-o", tmp_path / "a.png"),
            1,
            "did you mean ggplot",
        ),
        (("plot", "the_cannon", "compare", "0.7", "-o", tmp_path / "a.png"), 1, "compare takes two versions"),
        (
            ("plot", "the_cannon", "compare", "0.7", "0.8", "--colour", "teff", "-o", tmp_path / "a.png"),
            1,
            "no colour",
        ),
        (("plot", "line_forest", "kiel", "-o", tmp_path / "a.png"), 1, "is not a column here"),
        (("plot", "the_cannon", "kiel"), 2, "--output"),
    ]:
        found, out, error = run(*words)
        assert (found, out) == (code, ""), words
        assert said in error, words
        assert "Traceback" not in error
    assert there.read_text() == "a picture of mine"
    assert [path.name for path in tmp_path.iterdir()] == ["there.png"]


def test_two_versions_are_compared_as_text_json_csv_and_picture(
    run: Run, two_versions: Any, tmp_path: Path
) -> None:
    code, out, _ = run("compare", "the_cannon", "0.7", "0.8", "-o", tmp_path / "a.png")
    assert code == 0
    assert "3 spectra have both" in out
    assert "fitting_failure" in out
    assert (tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")
    _, out, _ = run("compare", "TheCannon", "0.7", "0.8", "--json", "--column", "teff")
    (teff,) = json.loads(out)["columns"]
    assert (teff["changed"], teff["median"], teff["scatter"], teff["largest"]) == (3, 10.0, 0.0, 10.0)
    _, out, _ = run("compare", "the_cannon", "0.7", "0.8", "--csv", "--where", "teff < 5100")
    rows = {row["name"]: row for row in csv.DictReader(io.StringIO(out))}
    assert (rows["teff"]["compared"], rows["teff"]["median"]) == ("1", "10.0")


def test_pictures_are_files_of_the_kind_that_their_ending_says(
    run: Run, two_versions: Any, tmp_path: Path
) -> None:
    for words, name, begins in [
        (("kiel", "--v-astra", "0.8"), "kiel.png", b"\x89PNG"),
        (("xy", "teff", "logg", "--colour", "result_flags"), "xy.pdf", b"%PDF"),
        (("hist", "teff", "--where", "logg < 3.5", "--title", "Giants"), "hist.svg", b"<?xml"),
        (("compare", "0.7", "0.8", "teff"), "compare.jpg", b"\xff\xd8"),
        (("coverage",), "coverage.png", b"\x89PNG"),
    ]:
        code, out, error = run("plot", "the_cannon", *words, "-o", tmp_path / name)
        assert (code, error) == (0, ""), words
        assert name in out
        assert (tmp_path / name).read_bytes().startswith(begins)
    titled = ("compare", "0.7", "0.8", "--title", "Mine")
    assert "Mine: 3 spectra" in run("plot", "the_cannon", *titled, "-o", tmp_path / "mine.png")[1]
    _, out, _ = run("plot", "the_cannon", "kiel", "-o", tmp_path / "kiel.png", "--overwrite", "--json")
    assert json.loads(out)["bytes"] == (tmp_path / "kiel.png").stat().st_size
