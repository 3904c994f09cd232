"""What others say (data, files, servers, pipelines) is text on a terminal, in a log, a spreadsheet and a page."""

from __future__ import annotations

import csv
import io
import json
import logging
import os
import subprocess
import sys
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from astra_outputs import PipelineOutputMixin, Real, TheCannon, column
from astra_outputs.errors import DatabaseError, DuplicateKey, InvalidRecord, PipelineFailed, Problem
from astra_outputs.printable import as_json, cell, printable, printable_lines
from astra_outputs.spool.file_format import packed
from astra_outputs.spool.folder import Spool

HOSTILE = "\x1b]0;owned\x07\x1b[2J\x9b31m\u202etxt\x7f\r<script>alert(1)</script>`x`|[a](javascript:b)"
VERSION = "0.8.1"


def assert_harmless(text: str) -> None:
    assert [letter for letter in text if not letter.isprintable() and letter not in "\n\t"] == []


# The functions.


@given(st.text())
def test_no_text_holds_anything_that_a_terminal_obeys(text) -> None:
    assert printable(text).isprintable()
    assert_harmless(printable_lines(text))
    assert_harmless(as_json({text: [text]}))
    assert printable(text) == text or not text.isprintable()


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_json_says_the_same_afterwards(text) -> None:
    assert json.loads(as_json({"said": text})) == {"said": text}


@given(st.sampled_from("=+-@\t\r "), st.text())
def test_no_cell_of_a_csv_file_is_a_formula(first, rest) -> None:
    file = io.StringIO()
    csv.writer(file).writerow([cell(first + rest)])
    (read,) = next(csv.reader(io.StringIO(file.getvalue())))
    begins = read.lstrip()[:1]
    assert begins not in ("=", "@")
    if begins in ("+", "-"):
        float(read)


# Errors, reports and logs.


@pytest.mark.parametrize(
    "error",
    [
        DatabaseError(HOSTILE),
        PipelineFailed(HOSTILE),
        InvalidRecord("t", (Problem(HOSTILE, HOSTILE, HOSTILE),)),
        DuplicateKey("t", {"name": HOSTILE}, (0, 1)),
    ],
    ids=lambda error: type(error).__name__,
)
def test_an_error_says_nothing_that_a_terminal_obeys(error) -> None:
    assert_harmless(str(error))


def hostile(spectra):
    for spectrum in spectra:
        if spectrum.spectrum_pk == 1:
            raise ValueError(HOSTILE)
        yield TheCannon.from_spectrum(spectrum, tag=HOSTILE)


async def test_a_pipeline_and_a_server_that_say_worse_than_text_are_harmless_in_reports_and_logs(
    outputs, connection, spectra, tmp_path, caplog
) -> None:
    await connection.execute(
        "create function astra.shout() returns trigger language plpgsql as "
        "$$ begin raise exception using message = new.tag || E'\\x1b[2J'; end $$;"
        "create trigger shout before insert on astra.the_cannon for each row execute function astra.shout()"
    )
    with caplog.at_level(logging.INFO):
        report = await outputs.run(hostile, await spectra(3), v_astra=VERSION, spool=tmp_path / "s")
        (tmp_path / "s" / "x\x1b[2J.spool").write_bytes(b"")
        Spool(tmp_path / "s").keep(
            packed([json.dumps({"record_class": HOSTILE, "table": HOSTILE, "since": str(datetime.now(UTC)),
                                "columns": {}}).encode()]), datetime.now(UTC),
        )  # fmt: skip
        replayed = await outputs.replay(tmp_path / "s")
    assert (len(report.failures), len(report.rejected)) == (1, 2)
    for text in (str(report), str(replayed), *map(str, (*report.failures, *report.rejected)), caplog.text):
        assert_harmless(text)
    assert "\\x1b[2J" in caplog.text


def test_the_command_line_prints_nothing_that_a_terminal_obeys(database, tmp_path) -> None:
    (tmp_path / "\x1b[2J.spool").write_bytes(b"")
    done = subprocess.run(
        [sys.executable, "-m", "astra_outputs", "replay", str(tmp_path)],
        env=os.environ | {"ASTRA_OUTPUTS_DSN": database},
        capture_output=True,
        text=True,
        check=False,
    )
    assert "\\x1b[2J" in done.stdout
    assert_harmless(done.stdout + done.stderr)
    done = subprocess.run(
        [sys.executable, "-m", "astra_outputs", "describe", "\x1b[2J"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode
    assert_harmless(done.stdout + done.stderr)


# Pages.


class Hostile(PipelineOutputMixin):
    table = "hostile"
    title = HOSTILE
    teff: Real = column(unit="K", description=HOSTILE)


def test_a_page_shows_a_script_as_text() -> None:
    from astra_outputs.describe.html import to_html
    from astra_outputs.describe.markdown import to_markdown
    from astra_outputs.describe.pages import Code, Grid, Heading, Paragraph

    blocks = [
        Heading(1, HOSTILE),
        Paragraph(HOSTILE),
        Code(f"```\n{HOSTILE}\n````\n", "sql"),
        Grid(("a", "b"), ((HOSTILE, HOSTILE),), frozenset({"a"})),
    ]
    page = to_html(blocks)
    assert_harmless(page)
    assert "<script" not in page
    text = to_markdown(blocks)
    assert_harmless(text)
    fenced = text.split("`````sql\n")[1].split("\n`````")[0]
    assert "<script>" in fenced
    outside = text.replace(fenced, "")
    assert outside.replace("\\<script", "").count("<script") == 0
