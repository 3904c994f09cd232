"""What a survey takes, from measured rows: nonsense is refused, and numbers follow what is asked."""

from __future__ import annotations

import json
import sys
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from astra_outputs import PipelineOutputMixin
from astra_outputs.cli import main
from astra_outputs.discover import record_classes
from astra_outputs.errors import InvalidPlan
from astra_outputs.planning import Wanted, plan
from astra_outputs.planning.measured import costs

# Bad input first.


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"spectra": 0}, "spectra = 0: give a whole number from 1"),
        ({"spectra": -5}, "spectra = -5"),
        ({"spectra": 1.5}, "spectra = 1.5"),
        ({"spectra": float("nan")}, "spectra = nan"),
        ({"spectra": float("inf")}, "spectra = inf"),
        ({"spectra": 1e12}, r"spectra = 1e\+12: give a whole number from 1 to 1e\+11"),
        ({"versions": 0}, "versions = 0"),
        ({"versions": 0.8}, "versions = 0.8"),
        ({"pipelines": 0.0}, "pipelines = 0"),
        ({"pipelines": float("nan")}, "pipelines = nan"),
        ({"patches": -1}, "patches = -1: give a whole number from 0"),
        ({"days": 0}, "days = 0: give a number above 0"),
        ({"disk": -4}, "disk = -4"),
        ({"memory": float("inf")}, "memory = inf"),
        ({"cores": 0}, "cores = 0"),
        ({"workers": -1}, "workers = -1"),
        ({"pipelines": ["thecannon"]}, "thecannon is no table of results.*did you mean the_cannon"),
        ({"pipelines": ["spectrum"]}, "spectrum is no table of results"),
        ({"pipelines": ["x"]}, "x is no table of results that was measured; those are apogee_net, "),
    ],
)
def test_numbers_that_nobody_can_mean_are_refused_with_their_limits(given: dict[str, Any], says: str) -> None:
    with pytest.raises(InvalidPlan, match=says):
        plan(Wanted(**{"spectra": 1e6, "versions": 1, **given}))


def command(monkeypatch: pytest.MonkeyPatch, *words: str) -> Any:
    monkeypatch.setattr(sys, "argv", ["astra-outputs", "plan", *words])
    with pytest.raises(SystemExit) as ended:
        main()
    return ended.value.code


def test_the_command_says_in_one_line_what_makes_no_sense(monkeypatch, capsys) -> None:
    assert command(monkeypatch, "--spectra", "1e6", "--versions", "-1") == 1
    assert capsys.readouterr().err.strip().endswith("versions = -1: give a whole number from 1 to 1000")


# What it predicts.


def test_every_built_in_table_of_results_was_measured() -> None:
    tables = {one.table for one in record_classes(()) if issubclass(one, PipelineOutputMixin)}
    builtin = {one.table for one in record_classes(()) if one.__module__.startswith("astra_outputs.records")}
    assert tables & builtin <= costs().keys()
    for table, cost in costs().items():
        assert cost.heap > 0, table
        assert cost.indexes > 0, table
        assert min(vars(cost).values()) >= 0, table


numbers = st.integers(1, 10**6)


@given(
    numbers,
    st.integers(1, 50),
    st.integers(0, 20),
    st.sampled_from([["aspcap"], ["the_cannon", "slam"], 20.0]),
)
def test_twice_the_spectra_take_twice_as_much(
    spectra: int, versions: int, patches: int, pipelines: Any
) -> None:
    once = plan(Wanted(spectra, versions, pipelines, patches=patches))
    twice = plan(Wanted(2 * spectra, versions, pipelines, patches=patches))
    for name in ("size", "indexes", "wal", "load", "vacuum", "dumping", "restoring", "dump"):
        assert getattr(twice, name) == pytest.approx(2 * getattr(once, name))
    assert sum(one.rows for one in twice.tables) == 2 * sum(one.rows for one in once.tables)
    for what, ends in once.ends.items():
        assert twice.ends[what] <= ends


@given(numbers, st.integers(1, 50))
def test_a_patch_takes_time_and_log_but_no_room(spectra: int, versions: int) -> None:
    none, some = (plan(Wanted(spectra, versions, ["snow_white"], patches=number)) for number in (0, 3))
    assert some.size == none.size
    assert some.load > none.load
    assert some.wal > none.wal


def test_a_number_of_pipelines_stands_for_the_mean_of_the_built_in_ones() -> None:
    results = [name for name in costs() if name != "source" and "spectrum" not in name]
    named = plan(Wanted(1e6, 2, results))
    counted = plan(Wanted(1e6, 2, float(len(results))))
    assert counted.size == pytest.approx(named.size)
    assert plan(Wanted(1e6, 2)).size == named.size
    assert plan(Wanted(1e6, 2, [*results, *results])).size == named.size


def test_the_step_after_one_machine_comes_with_its_reason() -> None:
    def step(**given: Any) -> tuple[str, str]:
        found = plan(Wanted(**{"spectra": 1e6, "versions": 2, "pipelines": ["the_cannon"], **given}))
        return found.step, " ".join(found.why)

    assert step() == ("one machine", "")
    assert step(spectra=1e8)[0] == "partitions"
    assert "200,000,000 rows" in step(spectra=1e8, disk=100)[1]
    assert "indexes of the_cannon take" in step(spectra=1e7, memory=1)[1]
    assert step(disk=0.001)[0] == "several servers"
    assert "of a disk of 0.001 TB" in step(disk=0.001)[1]
    assert step(days=0.0001, cores=1)[0] == "several servers"


def test_one_machine_ends_where_its_disk_is_full() -> None:
    wanted = Wanted(1e7, 1, ["aspcap"], disk=2)
    last = int(plan(wanted).ends["one machine"])
    assert plan(Wanted(1e7, last, ["aspcap"], disk=2)).step != "several servers"
    assert plan(Wanted(1e7, last + 1, ["aspcap"], disk=2)).step == "several servers"


def test_many_workers_need_a_pooler() -> None:
    assert not plan(Wanted(1e6, 1, workers=50)).pooler
    many = plan(Wanted(1e6, 1, workers=500))
    assert (many.connections, many.pooler) == (1000, True)


def test_the_command_prints_a_page_or_json(monkeypatch, capsys) -> None:
    words = (
        "--spectra",
        "20e6",
        "--versions",
        "4",
        "--pipelines",
        "the_cannon,aspcap",
        "--pipelines",
        "slam",
    )
    assert command(monkeypatch, *words) == 0
    page = capsys.readouterr().out
    assert "the_cannon" in page
    assert "80,000,000" in page
    assert command(monkeypatch, *words, "--json") == 0
    found = json.loads(capsys.readouterr().out)
    assert found == json.loads(json.dumps(plan(Wanted(20e6, 4, ["the_cannon", "aspcap", "slam"])).as_dict()))
    assert command(monkeypatch, "--spectra", "1e6", "--pipelines", "20") == 0
    assert "pipeline 20" in capsys.readouterr().out
