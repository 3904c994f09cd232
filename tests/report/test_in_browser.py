"""The report page in Chromium: rendered without an error, sorted, filtered, as wide as a phone, light and dark."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from chromium import browser  # noqa: F401 (a fixture)

from astra_outputs import ApogeeCoaddedSpectrumInApStar, TheCannon
from astra_outputs.spool import Spool

if TYPE_CHECKING:
    from selenium.webdriver.remote.webdriver import WebDriver

pytestmark = pytest.mark.slow
EVIL = "<img src=x onerror=document.title='evil'><script>document.title='evil'</script>"


@pytest.fixture
async def page(outputs: Any, spectra: Any, connection: Any, tmp_path: Path) -> Path:
    """A page of a database with two versions, failures, a picture, and a table whose name is markup."""
    await connection.execute(f'create table astra."{EVIL[:60]}" (a integer)')
    made = await spectra(30)
    for version in ("0.7.0", "0.8.0"):
        await outputs.save_many(
            TheCannon.from_spectrum(
                one,
                v_astra=version,
                teff=4000.0 + 50 * n + len(version),
                logg=2.0 + n / 10,
                result_flags=n % 2,
            )
            for n, one in enumerate(made[: 20 if version == "0.7.0" else None])
        )
    at = datetime.now(UTC) - timedelta(hours=3)
    (tmp_path / "the_cannon.8.failed").write_text(f'{{"spectrum_pk": 99999, "at": "{at.isoformat()}"}}\n')
    waiting = [TheCannon.from_spectrum(one, v_astra="0.8.1", teff=5000.0) for one in made[:5]]
    Spool(tmp_path).write(waiting, at)
    written = await outputs.report(
        tmp_path / "report.html", TheCannon, ApogeeCoaddedSpectrumInApStar, spool=tmp_path
    )
    assert written.left_out == ()
    assert written.size < 2**19
    return written.file


def opened(browser: WebDriver, page: Path, width: int = 1200, scheme: str = "light") -> None:  # noqa: F811
    for kind in ("browser", "performance"):
        browser.get_log(kind)  # what came before is not ours
    size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 500}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    media = {"features": [{"name": "prefers-color-scheme", "value": scheme}]}
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", media)
    browser.get(page.as_uri())


def column(browser: WebDriver, table: str, place: int) -> list[str]:  # noqa: F811
    cells = browser.find_elements(
        "css selector", f'table[aria-label="{table}"] tbody tr td:nth-child({place})'
    )
    return [cell.text for cell in cells if cell.is_displayed()]


def test_the_page_works_in_a_browser(browser: WebDriver, page: Path):  # noqa: F811
    # One test, since each database with its page is dear.
    opened(browser, page)
    assert browser.title == "Results in astra"  # nobody's script has changed it
    assert browser.get_log("browser") == []
    asked = [
        entry["message"]
        for entry in browser.get_log("performance")
        if '"Network.requestWillBeSent"' in entry["message"]
    ]
    assert [
        message for message in asked if page.as_uri() not in message and "data:image" not in message
    ] == []
    assert browser.execute_script("return document.images.length") == 1
    assert browser.execute_script("return document.images[0].naturalWidth") > 300
    for kind in ("failed", "waits"):
        assert len(browser.find_elements("css selector", f"figure svg rect.{kind}")) == 1
    assert column(browser, "On disk", 4) == ["5"]

    # On a screen all columns are seen; a phone scrolls tables alone.
    beyond = (
        "return [...document.querySelectorAll('.scrolls')].filter(t => t.scrollWidth > t.clientWidth).length"
    )
    opened(browser, page, 1400)
    assert browser.execute_script(beyond) == 0
    opened(browser, page)

    # Numbers begin with the largest; a second press turns them round. Sizes sort as numbers, not as words.
    size = browser.find_element("css selector", 'table[aria-label="Tables"] th:nth-child(3)')
    size.find_element("tag name", "button").click()
    assert size.get_attribute("aria-sort") == "descending"
    script = "return [...document.querySelectorAll('table[aria-label=\"Tables\"] td:nth-child(3)')].map(c => +c.dataset.sort)"
    largest_first = browser.execute_script(script)
    assert largest_first == sorted(largest_first, reverse=True)
    assert len(set(largest_first)) > 3
    size.find_element("tag name", "button").click()
    assert browser.execute_script(script) == sorted(largest_first)
    name = browser.find_element("css selector", 'table[aria-label="Tables"] th:nth-child(1)')
    name.find_element("tag name", "button").click()
    assert (name.get_attribute("aria-sort"), size.get_attribute("aria-sort")) == ("ascending", None)
    names = column(browser, "Tables", 1)
    assert names.index("source") < names.index("spectrum") < names.index("the_cannon")
    assert EVIL[:60] in names

    # All words have to be in a row, in any order and case.
    field = browser.find_element("css selector", 'input[aria-label="Filter: Indexes"]')
    field.send_keys("UNIQUE the_cannon")
    assert set(column(browser, "Indexes", 2)) == {"the_cannon"}
    told = browser.find_element("css selector", 'input[aria-label="Filter: Indexes"] + output').text
    assert told.startswith(f"{len(column(browser, 'Indexes', 2))} of ")

    for scheme, dark in (("light", False), ("dark", True)):
        opened(browser, page, 420, scheme)
        assert browser.execute_script("return document.documentElement.scrollWidth") == 420
        paper = browser.execute_script("return getComputedStyle(document.body).backgroundColor")
        ink = browser.execute_script("return getComputedStyle(document.body).color")
        light = [sum(int(part) for part in colour[4:-1].split(",")[:3]) for colour in (paper, ink)]
        assert (light[0] < light[1]) is dark
        assert browser.get_log("browser") == []
    browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
