"""The benchmarks run, prove what they store, and leave no way out in silence."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from importlib import import_module
from importlib.util import find_spec
from itertools import product
from pathlib import Path
from typing import Any

import pytest


ROOT = Path(__file__).resolve().parents[2]
PARTS = {
    "tuning",
    "throughput",
    "connections",
    "floor",
    "single",
    "batches",
    "validation",
    "workers",
    "memory",
    "startup",
    "growth",
    "layout",
    "autovacuum",
    "reading",
    "files",
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
def smoke(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Results of one run of everything with tiny sizes."""
    output = tmp_path_factory.mktemp("benchmarks") / "performance.json"
    done = run("benchmarks", "--smoke", "--growth", "--layout", "--reading", "--output", output)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(output.read_text())
    return found


# Bad input first.


def test_a_part_that_does_not_exist_is_refused_and_those_that_do_are_named(tmp_path: Path) -> None:
    done = run("benchmarks", "thruput", "--smoke", "--output", tmp_path / "x.json")
    assert done.returncode == 2
    assert "no such part: thruput" in done.stderr
    assert "throughput" in done.stderr


def test_small_sizes_are_not_published(tmp_path: Path) -> None:
    results = tmp_path / "performance.json"
    results.write_text(json.dumps({"validation": {"quick": True}}))
    done = run("benchmarks.report", "--publish", "--source", results)
    assert done.returncode != 0
    assert "small sizes are not published" in done.stderr


def test_a_part_that_failed_is_reported_and_not_dropped(tmp_path: Path) -> None:
    results = tmp_path / "performance.json"
    results.write_text(json.dumps({"memory": {"quick": True, "error": "MemoryError: full"}}))
    done = run("benchmarks.report", "--source", results)
    assert done.returncode == 0, done.stderr
    assert "memory failed" in done.stdout
    assert "MemoryError: full" in done.stdout


def test_a_way_that_could_not_be_measured_is_no_goal_reached() -> None:
    goals = import_module("benchmarks.goals").goals
    by_hand = {"rates": [10]}
    for gone in ("save_many", "psycopg_copy"):  # the other might have been the faster
        phase = dict.fromkeys(("save_many", "asyncpg_copy", "psycopg_copy"), by_hand)
        phase[gone] = {"error": "ImportError: gone"}
        widths = {"20": {"existing": phase}}
        (goal,) = goals({"throughput": {"kinds": {"plain": {"widths": widths}}}})
        assert (goal.met, goal.reached, goal.reason) == (False, None, "ImportError: gone")


def test_ratios_are_taken_within_each_round() -> None:
    speedup = import_module("benchmarks.goals").speedup
    # Each round the machine is ten times faster; ours is twice as fast in all of them.
    phase = {"ours": {"rates": [2, 20, 200]}, "theirs": {"rates": [1, 10, 100]}, "late": {"rates": [1]}}
    assert speedup(phase, "ours", "theirs") == 2
    assert speedup(phase, "ours", "late") == 2
    assert speedup(phase, "ours", "nobody") is None


def test_the_faster_of_those_written_by_hand_is_the_one_to_beat() -> None:
    against_best = import_module("benchmarks.goals").against_best
    phase = {"ours": {"rates": [20, 40]}, "slow": {"rates": [10, 20]}, "fast": {"rates": [40, 80]}}
    assert against_best(phase, "ours", ("slow", "fast")) == (0.5, "")


def test_compressing_is_held_against_what_zlib_alone_takes() -> None:
    goals = import_module("benchmarks.goals")
    ways = {
        "export": {"client_cpu": [8.0, 9.0], "rates": [100, 100]},
        "gzipped": {"client_cpu": [38.0, 49.0], "rates": [40, 25]},
        "zlib": {"client_cpu": [30.0, 20.0], "rates": [50, 50]},
    }
    cpu, seconds = goals.gzipped(ways, "here")
    assert (cpu.reached, cpu.met) == (1.5, False)
    assert seconds.reached == pytest.approx(1.08, abs=0.01)
    assert [goal.reached for goal in goals.gzipped(ways | {"zlib": {"error": "no"}}, "here")] == [None, None]


@pytest.mark.skipif(sys.platform != "linux", reason="asks Linux")
def test_the_memory_of_processes_that_are_started_counts() -> None:
    measure = import_module("benchmarks.measure")
    size = 80 * 2**20
    hold = f"import sys; held = b'x' * {size}; print('holds it', flush=True); sys.stdin.read()"
    with subprocess.Popen(
        [sys.executable, "-c", hold], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as child:
        with measure.GreatestMemory() as memory:
            assert child.stdout is not None
            assert child.stdout.readline()
        assert memory.greatest - memory.before > size / 2
        child.communicate()



def test_everybody_is_measured_at_the_batch_size_that_was_best_for_them() -> None:
    tuning, tables = import_module("benchmarks.tuning"), import_module("benchmarks.tables")
    cells = {
        "existing": {"peer": {"best": 500}, "save_many": {"best": 5_000}},
        "new": {"peer": {"best": 1_000}},
    }
    batches = tuning.Batches({"kinds": {"pipelines": {"widths": {"20": cells}}}}, guess=7)
    table, plain, wide = tables.Table(20), tables.Table(20, "plain"), tables.Table(60)
    assert batches.of(table, "new", "peer") == 1_000
    assert batches.of(table, "half", "peer") == 500
    assert batches.of(plain, "new", "peer") == 500, "not tuned there: as on a re-run of a pipeline's table"
    assert batches.of(table, "existing", "from_spectrum_save_many") == 5_000
    assert batches.of(wide, "new", "peer") == 7


def test_a_plain_table_has_doubles_and_neither_foreign_keys_nor_storage_settings() -> None:
    table = import_module("benchmarks.tables").Table(20, "plain")
    assert "label_000 double precision" in table.create()
    assert not [
        word
        for word in (" real,\n label", "foreign key", "fillfactor", "_source_idx")
        if word in table.create()
    ]


async def test_the_time_of_a_server_is_counted_with_that_of_connections_that_are_closed(
    database: str,
) -> None:
    asyncpg, cpu = import_module("asyncpg"), import_module("benchmarks.cpu")
    work = "select count(*) from generate_series(1, 3000000)"
    watcher = await asyncpg.connect(database)
    try:
        server = cpu.ServerCpu(watcher)
        if (before := server.seconds()) is None:
            pytest.skip("the server is on another machine")
        connection = await asyncpg.connect(database)
        backend = import_module("psutil").Process(connection.get_server_pid())
        await connection.execute(work)
        during = server.seconds()
        await connection.close()
        backend.wait(timeout=120)  # until the postmaster knows that it has ended
        assert before < during <= server.seconds()
    finally:
        await watcher.close()


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
                database,
                throughput.Size({20: 50}, rounds=1, kinds=("pipelines",)),
                import_module("benchmarks.tuning").Batches(),
                ("asyncpg_copy", "forgetful"),
            )
        )
    finally:
        del peers.MODULES["forgetful"], sys.modules["forgetful"]
    phase = found["kinds"]["pipelines"]["widths"]["20"]["existing"]
    assert phase["forgetful"] == {"error": "WrongRows: 49 of 50 rows are stored as given"}
    assert phase["asyncpg_copy"]["rows_per_second"] > 0


def test_a_profile_of_a_way_that_does_not_exist_is_refused() -> None:
    done = run("benchmarks.profiling", "save_more")
    assert done.returncode == 2
    assert "no such way: save_more" in done.stderr


@pytest.mark.slow
def test_a_profile_tells_functions_of_the_package_and_the_time_of_both_sides() -> None:
    done = run("benchmarks.profiling", "save_many", "--width", "20", "--rows", "500", "--rounds", "1")
    assert done.returncode == 0, done.stderr
    assert re.search(r"^client \d+\.\d\d µs a row, server \d", done.stdout, re.MULTILINE)
    assert "(astra_outputs/" in done.stdout


# One run of everything.


@pytest.mark.slow
def test_a_smoke_run_measures_every_part(smoke: dict[str, Any]) -> None:
    assert set(smoke) == PARTS
    assert [part for part in PARTS if "error" in smoke[part]] == []


@pytest.mark.slow
def test_a_smoke_run_measures_this_project_and_the_limit_in_every_phase_on_both_kinds_of_table(
    smoke: dict[str, Any],
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
    for kind, phase in (*product(("pipelines", "plain"), ("existing", "new")), ("pipelines", "half")):
        found = smoke["throughput"]["kinds"][kind]["widths"]["20"][phase]
        assert {name for name, series in found.items() if "rates" in series} >= wanted, found


@pytest.mark.slow
def test_a_smoke_run_measures_one_connection_and_several(smoke: dict[str, Any]) -> None:
    for phases in smoke["connections"]["kinds"]["pipelines"]["widths"].values():
        assert set(phases) == {"existing"}
        ways = {f"{way}_{number}" for way in ("save_many", "save_table") for number in (1, 2, 4)}
        measured = {name for name, series in phases["existing"].items() if "rates" in series}
        assert measured - ways <= {"asyncpg_copy", "psycopg_copy"}
        assert measured >= ways


@pytest.mark.slow
@pytest.mark.skipif(find_spec("peewee") is None, reason="needs the peers of `make bench`")
def test_a_smoke_run_measures_a_peer(smoke: dict[str, Any]) -> None:
    assert "rates" in smoke["throughput"]["kinds"]["pipelines"]["widths"]["20"]["new"]["peewee"]


@pytest.mark.slow
def test_a_run_says_on_what_it_was_measured(smoke: dict[str, Any]) -> None:
    where = smoke["throughput"]["environment"]
    assert where["settings"]["fsync"] == where["settings"]["synchronous_commit"] == "on"
    assert where["postgresql"]
    assert where["packages"]["asyncpg"]


@pytest.mark.slow
def test_every_part_has_its_place_in_the_page(smoke: dict[str, Any]) -> None:
    report = import_module("benchmarks.report")
    page = report.page(report.PAGE.read_text(encoding="utf-8"), smoke)
    for section in report.sections(smoke):
        assert f"**{section.title}**" in page


@pytest.mark.slow
def test_what_is_published_elsewhere_leaves_the_documentation_as_it_is(
    smoke: dict[str, Any], tmp_path: Path
) -> None:
    docs = {file: file.read_bytes() for file in (ROOT / "docs").glob("performance.*")}
    results, into = tmp_path / "results.json", tmp_path / "published"
    results.write_text(json.dumps({part: found | {"quick": False} for part, found in smoke.items()}))
    done = run("benchmarks.report", "--publish", "--source", results, "--into", into)
    assert done.returncode == 0, done.stderr
    assert {file.name for file in into.iterdir()} == {file.name for file in docs}
    assert "**Best batch size, " in (into / "performance.md").read_text(encoding="utf-8")
    assert {file: file.read_bytes() for file in docs} == docs


@pytest.mark.slow
def test_plans_of_questions_are_printed_with_their_times(tmp_path: Path) -> None:
    done = run("benchmarks.plans", "--rows", "2000", "--output", tmp_path / "plans.json")
    assert done.returncode == 0, done.stderr
    assert "| newest of all | " in done.stdout
    assert "## Newest of all\n\n`find`:\n\n```text\n" in done.stdout
    found = json.loads((tmp_path / "plans.json").read_text())["questions"]
    assert all("Execution Time" in way["plan"][-1] for ways in found.values() for way in ways.values())
