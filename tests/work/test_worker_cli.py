"""`astra-outputs run` and `replay`, as a batch scheduler starts and ends them."""

from __future__ import annotations

import signal
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from astra_outputs import ApogeeCoaddedSpectrumInApStar, Results, TheCannon, using_version
from astra_outputs.cli.named import result_class
from astra_outputs.spool.file_format import packed
from astra_outputs.spool.folder import Spool

sys.path.insert(0, str(Path(__file__).parents[1]))
import worker_pipelines

TESTS = Path(__file__).parents[1]

SPECTRA = ("--spectra", "apogee_coadded_spectrum_in_ap_star")


async def keys(connection) -> list[int]:
    rows = await connection.fetch(
        "select spectrum_pk from astra.the_cannon where teff = spectrum_pk order by 1"
    )
    return [row[0] for row in rows]


# Bad input first.


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["worker_pipelines"], "write package.module:function"),
        (["no_such_module:pipeline"], "no module no_such_module"),
        (["worker_pipelines:teff_is_kee"], "did you mean teff_is_key?"),
        (["worker_pipelines:says_nothing"], "pass --record"),
        (["worker_pipelines:teff_is_key", "--shard", "3"], "3/16"),
        (["worker_pipelines:teff_is_key", "--shard", "3/3"], "count from 0 to 2"),
        (["worker_pipelines:teff_is_key", "--v-astra", "zero"], "major.minor.patch"),
        (["worker_pipelines:teff_is_key", "--record", "the_canon"], "did you mean the_cannon?"),
        (["worker_pipelines:teff_is_key", "--spectra", "source"], "no table of spectra is named source"),
    ],
)
def test_what_makes_no_sense_is_one_message_without_a_traceback(command, arguments, words) -> None:
    version = () if "--v-astra" in arguments else ("--v-astra", "0.8.1")
    spectra = () if "--spectra" in arguments else SPECTRA
    code, _, err = command("run", *arguments, *version, *spectra)
    assert code in (1, 2)
    assert words in " ".join(err.replace("│", " ").split())
    assert "Traceback" not in err


def test_a_run_without_a_version_says_how_to_give_one(command) -> None:
    code, _, err = command("run", "worker_pipelines:teff_is_key", *SPECTRA)
    assert (code, "no v_astra" in err, "Traceback" in err) == (1, True, False)


# What it does.


async def test_it_works_off_its_share_and_reports(command, spectra, connection) -> None:
    stored = await spectra(20)
    arguments = ("run", "worker_pipelines:teff_is_key", *SPECTRA, "--v-astra", "0.8.1")
    code, out, err = command(*arguments, "--shard", "0/2")
    assert code == 0, err
    first = await keys(connection)
    assert 5 <= len(first) <= 15
    assert f"{len(first)} spectra, {len(first)} results: {len(first)} inserted" in out
    assert "stored table=the_cannon records=" in err
    assert command(*arguments, "--shard", "1/2")[0] == 0
    assert await keys(connection) == [spectrum.spectrum_pk for spectrum in stored]
    assert "0 spectra" in command(*arguments)[1]


async def test_a_limit_and_processes_and_a_class_by_name(command, spectra, connection) -> None:
    await spectra(5)
    code, _, err = command(
        "run", "worker_pipelines:says_nothing", "--record", "TheCannon", "--processes", "1", "--limit", "3",
        "--spectra", "ApogeeCoaddedSpectrumInApStar", ASTRA_OUTPUTS_V_ASTRA="0.8.1",
    )  # fmt: skip
    assert code == 0, err
    assert len(await keys(connection)) == 3


async def test_failures_of_the_pipeline_are_listed(command, spectra) -> None:
    await spectra(3)
    code, out, _ = command("run", "worker_pipelines:fails_on_every_third", *SPECTRA, "--v-astra", "0.8.1")
    assert (code, "ArithmeticError: no fit for" in out) == (0, True)


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
@pytest.mark.parametrize("processes", ["0", "1"])
async def test_a_signal_stores_what_is_finished_and_ends_within_the_grace(
    start, spectra, connection, number, code, processes
) -> None:
    stored = await spectra(6)
    process = start(
        "run", "worker_pipelines:hangs_after_three", *SPECTRA, "--v-astra", "0.8.1", "--grace", "4",
        "--processes", processes,
    )  # fmt: skip
    assert process.stdout.readline() == "hanging\n"
    process.send_signal(number)
    out, err = process.communicate(timeout=60)
    assert process.returncode == code, err
    assert "3 inserted" in out
    assert await keys(connection) == [spectrum.spectrum_pk for spectrum in stored[:3]]


async def test_a_killed_worker_started_again_goes_on_where_it_was(
    start, command, spectra, connection
) -> None:
    stored = await spectra(6)
    arguments = (*SPECTRA, "--v-astra", "0.8.1")
    process = start("run", "worker_pipelines:hangs_after_three", *arguments, "--batch-size", "1")
    assert process.stdout.readline() == "hanging\n"
    process.kill()
    process.communicate()
    before = len(await keys(connection))
    code, out, _ = command("run", "worker_pipelines:teff_is_key", *arguments)
    assert (code, f"{6 - before} spectra" in out) == (0, True)
    assert await keys(connection) == [spectrum.spectrum_pk for spectrum in stored]


async def test_a_worker_that_watches_takes_what_comes_later(start, spectra, outputs) -> None:
    await spectra(2)
    process = start("run", "worker_pipelines:teff_is_key", *SPECTRA, "--v-astra", "0.8.1", "--watch", "0.05")
    assert any("2 spectra, 2 results" in line for line in process.stdout)
    await spectra(1)
    assert any("1 spectra, 1 results" in line for line in process.stdout)
    assert await outputs.count_pending(TheCannon, ApogeeCoaddedSpectrumInApStar, v_astra="0.8.1") == 0
    process.terminate()
    process.communicate(timeout=60)
    assert process.returncode == 143


# Replay.


async def test_replay_stores_what_is_spooled_and_says_so(command, spectra, connection, tmp_path) -> None:
    stored = await spectra(3)
    with using_version("0.8.1"):
        Spool(tmp_path / "a").write(list(worker_pipelines.teff_is_key(stored)), datetime.now(UTC))
    code, out, err = command("replay", str(tmp_path / "a"))
    assert (code, out) == (0, "1 files stored: 3 inserted\n"), err
    assert await keys(connection) == [spectrum.spectrum_pk for spectrum in stored]


async def test_replay_exits_with_1_where_something_is_left(command, tmp_path) -> None:
    (tmp_path / "x.spool").write_text("nonsense")
    code, out, _ = command("replay", str(tmp_path))
    assert (code, "x.corrupt: does not begin with" in out) == (1, True)


@pytest.mark.soak
@pytest.mark.parametrize("name", ["x.spool", "x.rejected", "x.corrupt"])
async def test_results_that_wait_or_were_refused_or_are_damaged_are_no_success(
    command, spectra, tmp_path, name
) -> None:
    await spectra(1)
    folder = tmp_path / "spool"
    path = Spool(folder).keep(
        packed(
            [b'{"record_class":"a:B","table":"t","since":"2026-01-01T00:00:00+00:00","columns":{}}', b"[]"]
        ),
        datetime.now(UTC),
    )
    path.rename(folder / name)
    for _ in range(2):
        code, out, _ = command("replay", str(folder))
        assert (code, name in out) == (1, True)
    code, out, _ = command("run", "worker_pipelines:teff_is_key", *SPECTRA, "--v-astra", "0.8.1")
    assert (code, "1 inserted" in out, name in out) == (1, True, True)
    code, out, _ = command("run", "worker_pipelines:teff_is_key", *SPECTRA, "--v-astra", "0.8.1")
    assert (code, "0 spectra" in out) == (1, True)


def test_replay_of_a_folder_that_is_not_there_is_refused(command, tmp_path) -> None:
    assert command("replay", str(tmp_path / "nowhere"))[0] == 2


# What a function says of its results.


def test_the_annotation_says_what_a_pipeline_makes() -> None:
    assert result_class(worker_pipelines.teff_is_key) is TheCannon
    assert result_class(worker_pipelines.teff_is_key_async) is TheCannon

    def with_overheads(_) -> Results[TheCannon]:
        yield ...

    assert result_class(with_overheads) is TheCannon
