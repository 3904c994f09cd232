"""The report page: what it counts, what it leaves out and says so, and that nothing of a database is markup in it."""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from importlib.resources import files
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import asyncpg
import pytest

import astra_outputs
from astra_outputs import (
    ApogeeCoaddedSpectrumInApStar,
    BitFlags,
    BossVisitSpectrum,
    CannotWrite,
    FileExists,
    Flags,
    PipelineOutputMixin,
    Real,
    SnowWhite,
    TheCannon,
    column,
    embedded,
)
from astra_outputs.cli import main
from astra_outputs.errors import CannotStart
from astra_outputs.postgres import sql_files
from astra_outputs.report.chart import Span
from astra_outputs.report.markup import Html, element, text
from astra_outputs.spool import Spool
from astra_outputs.spool.folder import REJECTED

EVIL = "</script><script>alert(1)</script><img src=x onerror=alert(2)>\"'&\x1b[31m"
CLASSES = (TheCannon, SnowWhite, ApogeeCoaddedSpectrumInApStar)
Spectra = Callable[[int], Awaitable[list[Any]]]


class EvilFlags(BitFlags):
    """Flags whose meaning is markup."""

    FIRST = 0, EVIL


class OtherPipeline(PipelineOutputMixin):
    """The other pipeline, with names for its bits."""

    teff: Real = column(unit="K", description="Effective temperature")
    result_flags: Flags = column(description="Flags of the result", bits=EvilFlags)


class Elements(HTMLParser):
    """What a browser would make of a page: elements with their attributes, scripts, and all text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.inside: dict[str, list[str]] = {"script": [], "style": [], "text": []}
        self._raw = "text"
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        self._raw = tag if tag in self.inside else "text"

    def handle_endtag(self, tag: str) -> None:  # noqa: ARG002
        self._raw = "text"

    def handle_data(self, data: str) -> None:
        self.inside[self._raw].append(data)

    def tables(self) -> set[str]:
        return {given["aria-label"] or "" for tag, given in self.elements if tag == "table"}


def rows_of(page: str, table: str) -> list[list[str]]:
    """The cells of one table of a page, as text."""
    (found,) = re.findall(rf'<table aria-label="{table}">(.*?)</table>', page, re.DOTALL)
    rows = re.findall(r"<tr>(.*?)</tr>", found, re.DOTALL)[1:]
    return [
        [re.sub("<.*?>", "", cell).replace("&nbsp;", "").strip() for cell in re.findall("<td.*?</td>", row)]
        for row in rows
    ]


@pytest.fixture
async def filled(outputs: Any, spectra: Spectra) -> list[Any]:
    """Ten spectra; all of them in version 0.8 of The Cannon, five in 0.7, three of which have another flag."""
    made = await spectra(10)
    for version, some in (("0.7.0", made[:5]), ("0.8.1", made)):
        await outputs.save_many(
            TheCannon.from_spectrum(
                spectrum,
                v_astra=version,
                teff=5000.0 + (10 if version == "0.8.1" else 0),
                logg=4.0,
                t_elapsed=2.0,
                result_flags=int(version == "0.8.1" and number < 3),
            )
            for number, spectrum in enumerate(some)
        )
    return made


# --- files that are in the way ------------------------------------------------------------------------


async def test_a_file_that_exists_is_kept_unless_it_may_be_replaced(outputs: Any, tmp_path: Path):
    path = tmp_path / "report.html"
    path.write_text("mine")
    with pytest.raises(FileExists, match="exists already"):
        await outputs.report(path, *CLASSES)
    assert path.read_text() == "mine"
    page = await outputs.report(path, *CLASSES, overwrite=True)
    assert path.read_text().startswith("<!doctype html>")
    assert (page.file, page.size) == (path, path.stat().st_size)
    assert os.listdir(tmp_path) == ["report.html"]  # noqa: PTH208


async def test_a_folder_that_is_not_there_is_one_error(outputs: Any, tmp_path: Path):
    with pytest.raises(CannotWrite, match="cannot be written"):
        await outputs.report(tmp_path / "gone" / "report.html", *CLASSES)


# --- databases that have little to say ----------------------------------------------------------------


async def test_a_database_without_results_has_a_page_that_says_so(outputs: Any, tmp_path: Path):
    page = await outputs.report(tmp_path / "report.html")  # with all classes that are built in
    shown = page.file.read_text()
    assert page.left_out == ()
    assert "No results are stored." in shown
    assert "No flag is set." in shown
    assert Elements(shown).tables() == {"Tables", "Indexes"}


async def test_tables_without_rights_are_left_out_by_name(
    database: str, connection: asyncpg.Connection, filled: Any, tmp_path: Path
):
    role = urlsplit(database).path.removeprefix("/") + "_reader"
    await connection.execute(f"create role {role} login password 'secret'")
    try:
        await connection.execute(f"grant usage on schema astra to {role}")
        await connection.execute(
            f"grant select on astra.the_cannon, astra.apogee_coadded_spectrum_in_ap_star to {role}"
        )
        place = urlsplit(database)
        host = place.netloc.rpartition("@")[2]
        dsn = place._replace(netloc=f"{role}:secret@{host}").geturl()
        async with astra_outputs.connect(dsn, schema="astra") as outputs:
            page = await outputs.report(tmp_path / "report.html", *CLASSES, pictures=False)
    finally:
        await connection.execute(f"drop owned by {role}; drop role {role}")
    shown = page.file.read_text()
    assert any(sentence.startswith("snow_white: ") for sentence in page.left_out), page.left_out
    assert "Left out:" in shown
    assert rows_of(shown, "Coverage")[0][:4] == ["the_cannon", "0.8", "10", "10"]


async def test_a_table_that_is_otherwise_than_its_class_is_left_out(
    outputs: Any, connection: asyncpg.Connection, filled: Any, tmp_path: Path
):
    await connection.execute("alter table astra.the_cannon drop column teff cascade")
    page = await outputs.report(tmp_path / "report.html", *CLASSES)
    (sentence,) = page.left_out
    assert "the_cannon" in sentence
    assert "teff" in sentence
    assert sentence in str(page)


async def test_what_takes_the_server_too_long_is_left_out(
    database: str, connection: asyncpg.Connection, filled: Any, tmp_path: Path
):
    name = urlsplit(database).path.removeprefix("/")
    await connection.execute(f"alter database {name} set statement_timeout = '500ms'")
    async with (
        astra_outputs.connect(database, schema="astra") as outputs,
        connection.transaction(),
    ):
        await connection.execute("lock table astra.the_cannon")
        page = await outputs.report(tmp_path / "report.html", *CLASSES)
    assert page.left_out[0].startswith("the_cannon: ")
    assert all(
        "statement timeout" in sentence for sentence in page.left_out
    )  # sizes wait for the lock as well
    assert all(text(sentence) in page.file.read_text() for sentence in page.left_out)


async def test_without_matplotlib_the_page_has_a_sentence_for_the_diagrams(
    outputs: Any, filled: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    for module in [name for name in sys.modules if name.partition(".")[0] == "matplotlib"]:
        monkeypatch.delitem(sys.modules, module)
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    page = await outputs.report(tmp_path / "report.html", *CLASSES)
    shown = page.file.read_text()
    assert "<img" not in shown
    assert "pip install &#x27;astra-outputs[plot]&#x27;" in shown
    assert rows_of(shown, "Coverage")


# --- what is counted ----------------------------------------------------------------------------------


async def test_coverage_is_counted_by_version(outputs: Any, filled: Any, tmp_path: Path):
    page = (await outputs.report(tmp_path / "report.html", TheCannon)).file.read_text()
    newest, before = rows_of(page, "Coverage")
    assert newest[:9] == ["the_cannon", "0.8", "10", "10", "100.0%", "0", "0", "-", "2"]
    assert before[:9] == ["the_cannon", "0.7", "10", "5", "50.0%", "5", "0", "-", "2"]
    assert "No workers&#x27; folder was named" in page  # and nothing is claimed of what may wait there
    assert "<dt>on disk</dt>" not in page
    others = (TheCannon, BossVisitSpectrum)  # a pipeline's own kind of spectra need not be named
    page = (await outputs.report(tmp_path / "other.html", *others, pictures=False)).file.read_text()
    assert rows_of(page, "Coverage")[0][:4] == newest[:4]


async def test_flags_are_counted_in_the_newest_version_and_the_one_before(
    outputs: Any, filled: Any, tmp_path: Path
):
    page = (await outputs.report(tmp_path / "report.html", *CLASSES)).file.read_text()
    name = TheCannon.flag_names.bits["result_flags"][0].name
    assert rows_of(page, "Flags") == [
        ["the_cannon", "0.8", f"result_flags.{name}", "3", "30.0%", "0.0%", rows_of(page, "Flags")[0][6]]
    ]


async def test_changes_are_those_from_the_version_before(outputs: Any, filled: Any, tmp_path: Path):
    page = (await outputs.report(tmp_path / "report.html", *CLASSES)).file.read_text()
    changed = {row[2]: row for row in rows_of(page, "Changes of columns")}
    assert changed["teff"][1:10] == ["0.7 to 0.8", "teff", "K", "100.0%", "0", "0", "10", "0", "10"]
    assert "logg" not in changed
    assert rows_of(page, "Changes of flags")[0][3:5] == ["3", "0"]
    without = await outputs.report(tmp_path / "other.html", *CLASSES, compared=False, pictures=False)
    assert 'id="changes"' not in without.file.read_text()


async def test_bars_stand_where_results_were_written_and_spectra_failed(
    outputs: Any, filled: Any, connection: asyncpg.Connection, tmp_path: Path
):
    await connection.execute(
        "update astra.the_cannon set modified = '2026-03-01 12:00Z' where v_astra_major_minor = 7"
    )
    await connection.execute(
        "update astra.the_cannon set modified = '2026-03-11 12:00Z' where v_astra_major_minor = 8"
    )
    noted = [{"spectrum_pk": 10_000 + day, "at": f"2026-03-0{day}T01:00:00+00:00"} for day in (2, 2, 5)]
    noted.append({"spectrum_pk": 1, "error": "a note of old, without a time"})
    noted += [{"spectrum_pk": 2, "at": at} for at in ("soon", 7, "2026-03-03", "0001-01-01T00:00:00+14:00")]
    (tmp_path / "the_cannon.8.failed").write_text("\n".join(map(json.dumps, noted)) + "\nno note\n")
    page = (await outputs.report(tmp_path / "report.html", *CLASSES, spool=tmp_path)).file.read_text()
    told = re.findall(r"<title>(2026-[^<]*)</title>", page)
    assert told == [
        "2026-03-01 12:00: 5 written",
        "2026-03-02 00:00: 0 written, 2 failed",
        "2026-03-05 00:00: 0 written, 1 failed",
        "2026-03-11 12:00: 10 written",
    ]
    assert "a bar for each 6 hours" in page
    assert rows_of(page, "Coverage")[0][6] == "2"  # two spectra that have no result, one of them noted twice


async def test_a_pipeline_that_only_fails_is_not_passed_over(outputs: Any, tmp_path: Path):
    (tmp_path / "snow_white.8.failed").write_text('{"spectrum_pk": 1}\n{"spectrum_pk": 2}\n')
    page = await outputs.report(tmp_path / "report.html", *CLASSES, spool=tmp_path)
    assert page.left_out == ("snow_white: no result is stored; it failed on 2 spectra",)


async def test_what_lies_on_workers_disks_is_counted_by_what_became_of_it(
    outputs: Any, filled: list[Any], connection: asyncpg.Connection, tmp_path: Path
):
    await connection.execute("update astra.the_cannon set modified = '2026-03-01 12:00Z'")
    one, other = tmp_path / "node-1", tmp_path / "node-2"
    cannon = [TheCannon.from_spectrum(spectrum, v_astra="0.8.2") for spectrum in filled]
    white = [SnowWhite.from_spectrum(spectrum, v_astra="0.9.0") for spectrum in filled[:3]]
    hour = datetime(2026, 3, 2, 7, tzinfo=UTC)
    Spool(one).write(cannon[:4], hour)
    Spool(other).write(cannon[4:6], hour + timedelta(hours=12))
    Spool(other).write(white, hour)
    Spool(other).write(cannon[:1], hour, REJECTED)
    (one / "1.corrupt").write_bytes(b"damaged")
    (one / "2.spool").write_bytes(b"damaged as well, and nobody looked")
    (one / "3.partial").write_bytes(b"is being written")
    (one / "4.partial").write_bytes(b"was being written")
    os.utime(one / "4.partial", (0, 0))
    os.mkfifo(one / "5.spool")  # waits for nobody
    folders = [one, other, tmp_path / "gone"]
    found = await outputs.report(tmp_path / "report.html", *CLASSES, spool=folders, pictures=False)
    page = found.file.read_text()
    assert found.left_out == (f"workers' folder {folders[2]}: there is no such folder",)
    assert {tuple(row[:5]) for row in rows_of(page, "On disk")} == {
        ("the_cannon", "0.8", "waits", "6", "2"),
        ("snow_white", "0.9", "waits", "3", "1"),
        ("the_cannon", "0.8", "refused", "1", "1"),
        ("not known", "-", "damaged", "-", "2"),
        ("not known", "-", "unfinished", "-", "1"),
    }
    waits = next(row for row in rows_of(page, "On disk") if row[2:4] == ["waits", "6"])
    assert waits[5:7] == ["2026-03-02 07:00", "2026-03-02 19:00"]
    coverage = {tuple(row[:2]): row for row in rows_of(page, "Coverage")}
    assert coverage["the_cannon", "0.8"][7] == "6"
    assert coverage["the_cannon", "0.7"][7] == "0"
    assert coverage["snow_white", "0.9"] == ["snow_white", "0.9", "-", "0", "-", "-", "-", "3", "-", ""]
    told = re.findall(r"<title>(2026-[^<]*)</title>", page)
    assert told == [
        "2026-03-01 12:00: 15 written",
        "2026-03-02 07:00: 0 written, 4 on disk",
        "2026-03-02 19:00: 0 written, 2 on disk",
    ]
    assert "<dt>on disk</dt><dd>9</dd>" in page


async def test_results_that_wait_are_shown_where_none_is_stored(
    outputs: Any, spectra: Spectra, tmp_path: Path
):
    made = [TheCannon.from_spectrum(spectrum, v_astra="0.8.0") for spectrum in await spectra(2)]
    Spool(tmp_path / "spool").write(made, datetime(2026, 3, 2, tzinfo=UTC))
    page = (
        await outputs.report(tmp_path / "r.html", *CLASSES, spool=str(tmp_path / "spool"))
    ).file.read_text()
    assert rows_of(page, "Coverage") == [["the_cannon", "0.8", "-", "0", "-", "-", "-", "2", "-", ""]]
    assert rows_of(page, "On disk")[0][:4] == ["the_cannon", "0.8", "waits", "2"]


def test_a_span_has_few_steps_and_holds_its_ends():
    begin = datetime(2026, 3, 1, 13, 37, tzinfo=UTC)
    for length in (
        timedelta(0),
        timedelta(minutes=7),
        timedelta(days=3),
        timedelta(days=365),
        timedelta(days=9999),
    ):
        span = Span.of(begin, begin + length)
        assert span.place(begin) == 0
        assert span.place(begin + length) == span.steps - 1
        assert span.steps <= 61
        assert span.place(begin - span.step) is None


# --- the database itself ------------------------------------------------------------------------------


async def test_dead_rows_sizes_and_analyses_of_tables_are_shown(
    outputs: Any, filled: Any, connection: asyncpg.Connection, tmp_path: Path
):
    await connection.execute("vacuum analyze astra.the_cannon")
    page = (await outputs.report(tmp_path / "report.html", *CLASSES)).file.read_text()
    (row,) = [row for row in rows_of(page, "Tables") if row[0] == "the_cannon"]
    assert row[1] == "15"
    assert row[2].endswith("KiB")
    assert "never" not in row[8:]
    assert {row[1] for row in rows_of(page, "Indexes") if row[0] == "the_cannon_pkey"} == {"the_cannon"}
    assert "pg_stat_statements is not installed in this database." in page


async def test_free_space_is_what_is_beyond_rows_and_fill_factor(
    outputs: Any, connection: asyncpg.Connection, tmp_path: Path
):
    await connection.execute(
        """
        create table astra.roomy (a bigint, b text) with (autovacuum_enabled = false);
        insert into astra.roomy select n, repeat('x', 100) from generate_series(1, 20000) as n;
        delete from astra.roomy where a % 4 > 0
        """
    )
    await connection.execute("vacuum analyze astra.roomy")
    page = (await outputs.report(tmp_path / "report.html", *CLASSES)).file.read_text()
    (row,) = [row for row in rows_of(page, "Tables") if row[0] == "roomy"]
    assert 65 < float(row[6].removesuffix("%")) < 85


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="the embedded server is for Linux and macOS")
async def test_the_slowest_statements_are_shown_where_they_are_kept(tmp_path: Path):
    try:
        started = embedded.server(shared_preload_libraries="pg_stat_statements").__enter__()
    except CannotStart:
        pytest.skip("this server comes without pg_stat_statements")
    try:
        connection = await asyncpg.connect(started.dsn)
        await connection.execute("create schema elsewhere")
        await connection.execute("create extension pg_stat_statements schema elsewhere")
        await sql_files.apply(connection, "astra")
        await connection.execute("select pg_sleep(0.2) /* </code><script> */")
        await connection.close()
        async with astra_outputs.connect(started.dsn, schema="astra") as outputs:
            page = (await outputs.report(tmp_path / "report.html", *CLASSES)).file.read_text()
    finally:
        started.__exit__(None, None, None)
    slow = [row for row in rows_of(page, "Slowest statements") if "pg_sleep" in row[0]]
    assert slow[0][1] == "1"
    assert float(slow[0][3]) > 200


# --- nothing from the database is markup --------------------------------------------------------------


def test_text_is_escaped_and_markup_is_not():
    assert text("<b>&\x1b\u202e") == "&lt;b&gt;&amp;\\x1b\\u202e"
    assert text(Html("<b>")) == "<b>"
    assert (
        element("td", "<", None, title='">', hidden=True, lang=None)
        == '<td title="&quot;&gt;" hidden>&lt;</td>'
    )


async def test_what_a_database_and_classes_call_things_is_text_in_the_page(
    outputs: Any, spectra: Spectra, connection: asyncpg.Connection, other_pipeline: Any, tmp_path: Path
):
    name = EVIL[:40].replace('"', '""')
    await connection.execute(
        f'create table astra."{name}" (a integer); create index "{name}i" on astra."{name}" (a)'
    )
    made = await spectra(2)
    await outputs.save_many(OtherPipeline.from_spectrum(one, v_astra="0.8.0", result_flags=1) for one in made)
    page = await outputs.report(tmp_path / "report.html", OtherPipeline, ApogeeCoaddedSpectrumInApStar)
    shown = page.file.read_text()
    found = Elements(shown)
    own = {end: files("astra_outputs.report").joinpath(f"page.{end}").read_text() for end in ("js", "css")}
    assert ["".join(found.inside[raw]).strip() for raw in ("script", "style")] == [
        own["js"].strip(),
        own["css"].strip(),
    ]
    assert [tag for tag, _ in found.elements].count("script") == 1
    words = "".join(found.inside["text"])
    assert words.count("alert(1)") == 4  # the table, twice, its index, and the meaning of the flag
    assert "\x1b" not in shown
    for tag, given in found.elements:
        assert not any(attribute.startswith("on") for attribute in given), tag
        for attribute in ("src", "href", "srcset", "action", "data"):
            assert (given.get(attribute) or "#").startswith(("#", "data:image/png;base64,")), (tag, given)


# --- the command --------------------------------------------------------------------------------------


async def test_the_command_writes_a_page_and_says_what_it_lacks(
    database: str,
    filled: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
):
    import asyncio

    def run(*arguments: str) -> int:
        monkeypatch.setattr(sys, "argv", ["astra-outputs", "report", "--dsn", database, *arguments])
        with pytest.raises(SystemExit) as ended:
            main()
        return int(ended.value.code or 0)

    path = tmp_path / "report.html"
    first = ("the_cannon", "-o", str(path), "--no-pictures", "--json")
    assert await asyncio.to_thread(run, *first) == 0
    assert json.loads(capsys.readouterr().out)["bytes"] == path.stat().st_size
    assert 'id="kiel"' not in path.read_text()
    assert "No workers&#x27; folder was named" in path.read_text()
    with_spool = (
        *first[:-2],
        "--overwrite",
        "--json",
        "--spool",
        str(tmp_path),
        "--spool",
        str(tmp_path / "no"),
    )
    assert await asyncio.to_thread(run, *with_spool) == 0
    assert [words.rpartition(": ")[2] for words in json.loads(capsys.readouterr().out)["left_out"]] == [
        "there is no such folder"
    ]
    assert "Nothing waits on workers&#x27; disks." in path.read_text()
    assert await asyncio.to_thread(run, "the_cannon", "-o", str(path)) == 1
    assert "--overwrite" in capsys.readouterr().err
