"""The benchmarks run, prove what they store, and leave no way out in silence."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.xdist_group("benchmarks")

ROOT = Path(__file__).resolve().parents[2]
PARTS = {
    "throughput",
    "connections",
    "single",
    "batches",
    "validation",
    "workers",
    "memory",
    "growth",
    "layout",
    "autovacuum",
}


@pytest.fixture(scope="module", autouse=True)
def importable() -> Iterator[None]:
    """`benchmarks` is run from the root of the repository, and not installed."""
    sys.path.insert(0, str(ROOT))
    yield
    sys.path.remove(str(ROOT))


def run(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", *map(str, arguments)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def quick(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Results of one run of everything with tiny sizes."""
    output = tmp_path_factory.mktemp("benchmarks") / "performance.json"
    done = run("benchmarks", "--quick", "--growth", "--layout", "--output", output)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(output.read_text())
    return found


# Bad input first.


def test_a_part_that_does_not_exist_is_refused_and_those_that_do_are_named(tmp_path: Path) -> None:
    done = run("benchmarks", "thruput", "--quick", "--output", tmp_path / "x.json")
    assert done.returncode == 2
    assert "no such part: thruput" in done.stderr
    assert "throughput" in done.stderr


def test_tiny_sizes_are_not_published(tmp_path: Path) -> None:
    results = tmp_path / "performance.json"
    results.write_text(json.dumps({"validation": {"quick": True}}))
    done = run("benchmarks.report", "--publish", "--source", results)
    assert done.returncode != 0
    assert "tiny sizes are not published" in done.stderr


def test_a_part_that_failed_is_reported_and_not_dropped(tmp_path: Path) -> None:
    results = tmp_path / "performance.json"
    results.write_text(json.dumps({"memory": {"quick": True, "error": "MemoryError: full"}}))
    done = run("benchmarks.report", "--source", results)
    assert done.returncode == 0, done.stderr
    assert "memory failed" in done.stdout
    assert "MemoryError: full" in done.stdout


def test_a_way_that_could_not_be_measured_is_no_goal_reached() -> None:
    goals = import_module("benchmarks.goals").goals
    reference = {"label": "asyncpg COPY and merge", "rates": [10]}
    phase = {"save_many": {"error": "ImportError: gone"}, "asyncpg_copy": reference}
    (goal,) = goals({"throughput": {"widths": {"20": {"existing": phase}}}})
    assert (goal.met, goal.reached, goal.reason) == (False, None, "ImportError: gone")


def test_ratios_are_taken_within_each_round() -> None:
    speedup = import_module("benchmarks.goals").speedup
    # Each round the machine is ten times faster; ours is twice as fast in all of them.
    phase = {"ours": {"rates": [2, 20, 200]}, "theirs": {"rates": [1, 10, 100]}, "late": {"rates": [1]}}
    assert speedup(phase, "ours", "theirs") == 2
    assert speedup(phase, "ours", "late") == 2
    assert speedup(phase, "ours", "nobody") is None


def test_the_tables_measured_are_stored_as_the_pipelines_tables_are() -> None:
    tables = import_module("benchmarks.tables")
    assert f"with ({tables.storage()})" in tables.Table(20).create()
    assert "fillfactor = " in tables.storage()


def test_a_peer_that_stores_less_than_it_was_given_is_left_out_with_the_reason(database: str) -> None:
    peers, throughput = import_module("benchmarks.peers"), import_module("benchmarks.throughput")
    sys.modules["forgetful"] = type(sys)("forgetful")

    class Forgetful(import_module("benchmarks.peers.with_asyncpg").CopyAndMerge):  # type: ignore[misc]
        async def save_batch(self, batch: list[Any]) -> list[Any]:
            found: list[Any] = await super().save_batch(batch[1:])
            return found

    sys.modules["forgetful"].Forgetful = Forgetful  # type: ignore[attr-defined]
    peers.MODULES["forgetful"] = "forgetful:Forgetful"
    try:
        found = import_module("asyncio").run(
            throughput.run(
                database, throughput.Size({20: 50}, {20: 50}, rounds=1), ("asyncpg_copy", "forgetful")
            )
        )
    finally:
        del peers.MODULES["forgetful"], sys.modules["forgetful"]
    phase = found["widths"]["20"]["existing"]
    assert phase["forgetful"] == {"error": "WrongRows: 49 of 50 rows are stored as given"}
    assert phase["asyncpg_copy"]["rows_per_second"] > 0


# One run of everything.


@pytest.mark.slow
def test_a_quick_run_measures_every_part(quick: dict[str, Any]) -> None:
    assert set(quick) == PARTS
    assert [part for part in PARTS if "error" in quick[part]] == []


@pytest.mark.slow
def test_a_quick_run_measures_this_project_and_the_limit_in_every_phase_and_width(
    quick: dict[str, Any],
) -> None:
    wanted = {
        "asyncpg_copy",
        "encoded_copy",
        "save_many",
        "save_many_parallel",
        "from_spectrum_save_many",
        "from_spectrum_parallel",
        "save_table",
        "save_table_parallel",
    }
    for width in ("20", "60", "200"):
        for phase in ("existing", "new", "half"):
            found = quick["throughput"]["widths"][width][phase]
            assert {name for name, series in found.items() if "rates" in series} >= wanted, found


@pytest.mark.slow
def test_a_quick_run_measures_one_connection_and_several(quick: dict[str, Any]) -> None:
    for phases in quick["connections"]["widths"].values():
        assert set(phases) == {"existing"}
        ways = {f"{way}_{number}" for way in ("save_many", "save_table") for number in (1, 2, 4)}
        assert {name for name, series in phases["existing"].items() if "rates" in series} == {
            "asyncpg_copy",
            *ways,
        }


@pytest.mark.slow
@pytest.mark.skipif(find_spec("peewee") is None, reason="needs the peers of `make bench`")
def test_a_quick_run_measures_a_peer(quick: dict[str, Any]) -> None:
    assert "rates" in quick["throughput"]["widths"]["60"]["existing"]["peewee"]


@pytest.mark.slow
def test_a_run_says_on_what_it_was_measured(quick: dict[str, Any]) -> None:
    where = quick["throughput"]["environment"]
    assert where["settings"]["fsync"] == where["settings"]["synchronous_commit"] == "on"
    assert where["postgresql"]
    assert where["packages"]["asyncpg"]


@pytest.mark.slow
def test_every_part_has_its_place_in_the_page(quick: dict[str, Any]) -> None:
    report = import_module("benchmarks.report")
    page = report.page(report.PAGE.read_text(encoding="utf-8"), quick)
    for section in report.sections(quick):
        assert f"**{section.title}**" in page
