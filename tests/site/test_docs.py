"""The documentation's site: it builds without a warning, nothing is left out, and a real browser finds its way."""

from __future__ import annotations

import inspect
import json
import re
import shlex
import subprocess
import sys
from collections.abc import Callable, Iterator
from functools import cache, partial
from html.parser import HTMLParser
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from shutil import which
from threading import Thread
from typing import TYPE_CHECKING
from urllib.error import HTTPError
from urllib.parse import urldefrag, urljoin
from urllib.request import urlopen

import pytest
from chromium import browser  # noqa: F401 (a fixture)

import astra_outputs
from astra_outputs import errors
from astra_outputs.discover import record_classes

pytest.importorskip("sphinx", reason="the extra docs is not installed")
from sphinx.util.inventory import InventoryFile

if TYPE_CHECKING:
    from selenium.webdriver.remote.webdriver import WebDriver


ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
Build = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="session")
def build(tmp_path_factory: pytest.TempPathFactory) -> Build:
    """Build as `make docs` does, but from and into other folders: `build(source, target, "-D", ...)`."""
    told = subprocess.run(
        ["make", "-n", "docs", "VENV=x"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    (line,) = [line for line in told.stdout.splitlines() if "-m sphinx" in line]
    options = shlex.split(line)[1:]
    assert options[-2:] == ["docs", "site"]
    options[options.index("--doctree-dir") + 1] = str(tmp_path_factory.mktemp("doctrees"))

    def build(source: Path, target: Path, *more: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, *options[:-2], *more, source, target]
        return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)

    return build


@pytest.fixture(scope="session")
def built(build: Build, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the site."""
    folder = tmp_path_factory.mktemp("site")
    done = build(DOCS, folder)
    assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture(scope="session")
def inventory(built: Path) -> dict[str, set[str]]:
    """What the site has a place for, by kind: `py:class`, `std:column`, ..."""
    found = InventoryFile.loads((built / "objects.inv").read_bytes(), uri="").data
    return {kind: set(names) for kind, names in found.items()}


class Links(HTMLParser):
    """What a page links to, what it loads, and the targets in it."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.links, self.loaded, self.targets = set[str](), set[str](), {""}
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if "id" in given:
            self.targets.add(given["id"])
        if tag == "a" and "href" in given:
            self.links.add(given["href"])
        loads = {given.get("src"), given.get("href") if tag == "link" else None} - {None}
        (self.loaded if given.get("rel") not in ("index", "search", "next", "prev") else self.links).update(
            loads
        )


@pytest.fixture(scope="session")
def served(built: Path) -> Iterator[str]:
    """The address of the site, on loopback."""

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(built))) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()
        thread.join()


@cache
def page(address: str) -> Links:
    with urlopen(address) as answer:
        html = "html" in answer.headers["Content-Type"]
        return Links(answer.read().decode() if html else "")


def internal(address: str) -> Iterator[str]:
    """Every address that a page links to or loads, without those of other hosts."""
    found = page(address)
    for link in found.links | found.loaded:
        if not re.match(r"(?!http://127)\w+:", link):
            yield urljoin(address, link)


def pages_of(built: Path) -> list[str]:
    """Every page by its name, without the listings of source code."""
    names = [path.relative_to(built).as_posix() for path in sorted(built.rglob("*.html"))]
    return [name for name in names if not name.startswith("_modules/")]


# Bad input first.


@pytest.mark.slow
@pytest.mark.parametrize("wrong", ["[gone](gone.md)", "[gone](index.md#gone)", "![gone](gone.png)"])
def test_a_link_that_leads_nowhere_fails_the_build(build: Build, tmp_path: Path, wrong: str):
    (tmp_path / "index.md").write_text(f"# Title\n\n{wrong}\n")
    conf = ["-c", str(DOCS), "-D", "extensions=myst_parser,sphinx.ext.autodoc", "-D", "html_static_path="]
    done = build(tmp_path, tmp_path / "site", *conf)
    assert done.returncode != 0
    assert "gone" in done.stderr


# Every page.


@pytest.mark.slow
def test_every_link_of_every_page_leads_somewhere(served: str):
    seen, ahead, dead = set[str](), {f"{served}index.html"}, []
    while ahead:
        address = ahead.pop()
        seen.add(address)
        for link in internal(address):
            there, fragment = urldefrag(link)
            try:
                if fragment not in page(there).targets and not fragment.startswith(":~:"):
                    dead.append(f"{address}: {link}")
            except HTTPError as error:
                dead.append(f"{address}: {link}: {error.code}")
                continue
            if there.endswith(".html") and there not in seen:
                ahead.add(there)
    assert dead == []
    for table in record_classes(()):
        assert f"{served}data-model/{table.table}.html" in seen
    for path in DOCS.glob("*.md"):
        assert f"{served}{path.stem}.html" in seen


@pytest.mark.slow
def test_nothing_is_loaded_from_another_host(built: Path):
    pages = {path: Links(path.read_text(encoding="utf-8")) for path in built.rglob("*.html")}
    assert len(pages) > 10
    assert {
        loaded for links in pages.values() for loaded in links.loaded if re.match(r"\w+:|//", loaded)
    } == set()
    styles = "".join(path.read_text(encoding="utf-8") for path in built.rglob("*.css"))
    assert re.findall(r"url\([\"']?(?:https?:)?//[^)]*|@import[^;]*//[^;]*", styles) == []


# Nothing left out.


@pytest.mark.slow
def test_every_column_and_flag_has_a_place(inventory: dict[str, set[str]]):
    names, flags = set[str](), set[str]()
    for table in record_classes(()):
        names |= {f"{table.table}.{column.name}" for column in table.columns()}
        for column, bits in table.flag_names.bits.items():
            flags |= {f"{table.table}.{column}.{bit.name}" for bit in bits}
    assert inventory["std:column"] == names
    assert inventory["std:flag"] == flags


@pytest.mark.slow
def test_a_tables_page_says_all_there_is_to_know(built: Path):
    text = (built / "data-model" / "snow_white.html").read_text(encoding="utf-8")
    (row,) = re.findall(r'<tr[^>]*id="column-raw_e_teff".*?</tr>', text, re.DOTALL)
    cells = [re.sub("<.*?>", "", cell).strip() for cell in re.findall(r"<td>(.*?)</td>", row, re.DOTALL)]
    assert cells == ["raw_e_teff", "real", "K", "", "", "Formal error of teff"]
    (row,) = re.findall(r'<tr[^>]*id="flag-result_flags-low_snr".*?</tr>', text, re.DOTALL)
    assert "S/N is 8 or below" in row
    assert "spectrum_pk, v_astra_major_minor" in re.sub("<.*?>", "", text)
    assert "create table if not exists snow_white" in re.sub("<.*?>", "", text)
    assert 'href="../api.html#astra_outputs.SnowWhite"' in text


@pytest.mark.slow
def test_every_public_name_and_every_error_has_a_place(inventory: dict[str, set[str]]):
    documented = set().union(*(names for kind, names in inventory.items() if kind.startswith("py:")))
    assert {f"astra_outputs.{name}" for name in astra_outputs.__all__} - documented == set()
    raised = {
        f"astra_outputs.{name}"
        for name, error in inspect.getmembers(errors, inspect.isclass)
        if issubclass(error, Exception) and error.__module__ == errors.__name__
    }
    assert raised - documented == set()


@pytest.mark.slow
def test_every_command_and_option_has_a_place(built: Path):
    import typer

    from astra_outputs.cli import app

    text = (built / "cli.html").read_text(encoding="utf-8")
    commands = typer.main.get_command(app).commands
    assert {"check", "describe"} <= set(commands)
    for name, command in commands.items():
        (part,) = re.findall(rf'<section id="astra-outputs-{name}">(.*?)</section>', text, re.DOTALL)
        # An argument may be shown by what it stands for, as "[TABLE] FILE".
        shown = [
            getattr(one, "metavar", None) or one.name for one in command.params if one.opts[0][0] != "-"
        ]
        options = [*shown, *(option for one in command.params for option in one.opts if option[0] == "-")]
        words = re.sub(r"<[^>]+>", "", part.partition("Arguments")[2] or part.partition("Options")[2])
        assert {option for option in options if option not in words} == set(), name


# In a browser.


@pytest.mark.slow
def test_the_search_finds_a_column_and_leads_to_its_row(browser: WebDriver, served: str):
    from selenium.webdriver.support.wait import WebDriverWait

    browser.get(served)
    (field,) = [found for found in browser.find_elements("name", "q") if found.is_displayed()]
    field.send_keys("raw_e_logg\n")
    browser.find_element("partial link text", "snow_white.raw_e_logg").click()
    row = browser.find_element("css selector", "tr:target")
    assert browser.current_url.endswith("/data-model/snow_white.html#column-raw_e_logg")
    assert row.text.split() == ["raw_e_logg", "real", "dex", "Formal", "error", "of", "logg"]
    in_view = (
        "const at = arguments[0].getBoundingClientRect(); return at.top >= 0 && at.bottom <= innerHeight"
    )
    WebDriverWait(browser, 10).until(lambda browser: browser.execute_script(in_view, row))


@pytest.mark.slow
def test_the_search_finds_a_flag_by_the_name_that_queries_use(browser: WebDriver, served: str):
    browser.get(f"{served}search.html?q=teff_grid_edge_bad")
    browser.find_element("partial link text", "snow_white.result_flags.teff_grid_edge_bad").click()
    row = browser.find_element("css selector", "tr:target")
    assert "Temperature is at the edge of the grid" in row.text


@pytest.mark.slow
@pytest.mark.parametrize("width", [400, 1400])
def test_no_page_is_wider_than_the_window_or_covered_by_the_list_of_pages(
    browser: WebDriver, served: str, built: Path, width: int
):
    size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    wide, covered = [], []
    for name in pages_of(built):
        browser.get(f"{served}{name}")
        if browser.execute_script("return document.documentElement.scrollWidth") > width:
            wide.append(name)
        if browser.execute_script(COVERED):
            covered.append(name)
    browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
    assert (wide, covered) == ([], [])


COVERED = """
const list = document.querySelector('.sidebar-drawer').getBoundingClientRect();
return list.right > document.querySelector('.content').getBoundingClientRect().left;
"""
"""Whether the list of pages lies over the text."""


@pytest.mark.slow
def test_no_page_has_an_error_or_asks_another_host(browser: WebDriver, served: str, built: Path):
    for kind in ("browser", "performance"):
        browser.get_log(kind)  # what came before is not ours
    names = pages_of(built)
    for name in names:
        browser.get(f"{served}{name}")
    asked = {
        message["params"]["request"]["url"]
        for entry in browser.get_log("performance")
        if (message := json.loads(entry["message"])["message"])["method"] == "Network.requestWillBeSent"
    }
    assert {f"{served}{name}" for name in names} <= asked
    assert {address for address in asked if not address.startswith((served, "data:"))} == set()
    assert browser.get_log("browser") == []
