"""Chromium without a window, for tests of pages: `from chromium import browser`."""

from __future__ import annotations

from collections.abc import Iterator
from shutil import which
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from selenium.webdriver.remote.webdriver import WebDriver

SWITCHES = (
    "headless",
    "no-sandbox",  # as root, in a container, it starts no other way
    "disable-gpu",
    "disable-quic",
    "no-first-run",
    "disable-background-networking",
    "disable-component-update",
    "disable-sync",
    "window-size=1400,900",  # at less the list of pages, and the search, are folded away
)


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WebDriver]:
    """Chromium without a window; it asks nobody for anything on its own."""
    webdriver = pytest.importorskip("selenium.webdriver", reason="selenium is not installed")
    programs = [which("chromium") or which("google-chrome"), which("chromedriver")]
    if None in programs:
        pytest.skip("Chromium and ChromeDriver are not installed (on Debian: chromium, chromium-driver)")
    options = webdriver.ChromeOptions()
    options.binary_location = programs[0]
    for switch in SWITCHES:
        options.add_argument(f"--{switch}")
    options.add_argument(f"--user-data-dir={tmp_path_factory.mktemp('chromium')}")
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    service = webdriver.ChromeService(executable_path=programs[1])
    driver = webdriver.Chrome(options=options, service=service)
    try:
        driver.implicitly_wait(10)
        yield driver
    finally:
        driver.quit()
