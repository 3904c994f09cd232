"""What the tests of faults share: a seed that repeats a run, and a server that may be killed."""

from __future__ import annotations

import os
import random
from collections.abc import Iterator
from pathlib import Path

import pytest
from crashing import CrashServer, crash_server
from shares import FULL_SIZE

from astra_outputs import embedded
from astra_outputs.errors import CannotStart

SEED = "ASTRA_OUTPUTS_SEED"
HERE = Path(__file__).parent


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let `make soak` run all tests of faults."""
    for item in items:
        if item.path.is_relative_to(HERE):
            item.add_marker(pytest.mark.soak)


@pytest.fixture(scope="session")
def seed() -> int:
    """What decides all that is random: `ASTRA_OUTPUTS_SEED`, else another number in each run.

    On continuous integration always the same: a change is to blame for what breaks there.
    """
    given = os.environ.get(SEED) or ("7" if os.environ.get("CI") else None)
    return int(given) if given else random.SystemRandom().randrange(10**6)


@pytest.fixture(scope="session")
def full_size() -> bool:
    """Whether the campaigns have their full size (`make soak`), or the share that tests have time for."""
    return FULL_SIZE


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    """Say beside a failure how to repeat it."""
    report = yield
    if report.failed and "seed" in getattr(item, "funcargs", {}):
        report.sections.append(("seed", f"repeat it with {SEED}={item.funcargs['seed']}"))
    return report


@pytest.fixture(scope="session")
def killable_servers() -> Iterator[CrashServer]:
    """One server for all tests that kill it; each has a database of its own there."""
    try:
        embedded.bin_dir()
    except CannotStart as error:
        pytest.skip(str(error))
    with crash_server() as server:
        yield server


@pytest.fixture
def killable(killable_servers: CrashServer) -> CrashServer:
    """A server that runs when the test begins, whatever the one before did."""
    if not killable_servers.running:
        killable_servers.start()
    return killable_servers
