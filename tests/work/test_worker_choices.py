"""What `run` and `pending` choose, what `status` shows, and what programs read of them."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

from astra_outputs import BossVisitSpectrum, TheCannon
from astra_outputs.spool.folder import Spool

SPECTRA = ("--spectra", "ApogeeCoaddedSpectrumInApStar")
RUN = ("run", "worker_pipelines:teff_is_key", *SPECTRA)


async def versions(connection) -> dict[int, int]:
    rows = await connection.fetch("select spectrum_pk, v_astra from astra.the_cannon order by 1, 2")
    return dict(map(tuple, rows))


@pytest.fixture
async def boss(outputs, spectra):
    """Two spectra of another kind."""
    sources = [spectrum.source_pk for spectrum in await spectra(2)]
    stored = [
        BossVisitSpectrum(
            source_pk=source,
            release="sdss5",
            run2d="v6",
            mjd=60_000 + n,
            fieldid=n,
            catalogid=n,
            healpix=n,
            spec_file=f"{n}.fits",
        )
        for n, source in enumerate(sources)
    ]
    await outputs.save_many(stored)
    return stored


# Bad input first.


@pytest.mark.parametrize("line", ["x", "-5", "1.5", "99999999999999999999", "\x1b[2J", "1 2"])
def test_a_file_of_stars_with_another_line_is_refused_and_names_the_line(command, tmp_path, line) -> None:
    (tmp_path / "stars").write_text(f"# stars\n5\n\n{line}\n")
    code, _, err = command(*RUN, "--v-astra", "0.8.1", "--sdss-ids", str(tmp_path / "stars"))
    assert (code, "line 4" in err, "Traceback" in err) == (2, True, False)


def test_another_wish_to_make_again_is_refused(command) -> None:
    code, _, err = command(*RUN, "--v-astra", "0.8.1", "--redo", "some")
    assert (code, "older" in err) == (2, True)


# What is made again.


async def test_a_patch_release_makes_the_results_of_older_patches_again_and_those_alone(
    command, outputs, spectra, connection
) -> None:
    stored = await spectra(3)
    for spectrum, version in zip(stored, ("0.8.0", "0.8.1", "0.8.2"), strict=True):
        await outputs.save(TheCannon.from_spectrum(spectrum, v_astra=version))
    keys = [spectrum.spectrum_pk for spectrum in stored]
    code, out, _ = command(*RUN, "--v-astra", "0.8.1", "--redo", "older")
    assert (code, "1 spectra, 1 results: 1 replaced" in out) == (0, True)
    assert await versions(connection) == dict(zip(keys, (8001, 8001, 8002), strict=True))
    code, out, _ = command(*RUN, "--v-astra", "0.8.1", "--redo", "older")
    assert "0 spectra" in out
    code, out, _ = command(*RUN, "--v-astra", "0.8.3", "--redo", "all", "--limit", "2")
    assert (code, "2 spectra, 2 results: 2 replaced" in out) == (0, True)


# Which spectra.


async def test_only_spectra_of_the_stars_in_a_file_are_worked_on(
    command, spectra, connection, tmp_path
) -> None:
    await spectra(4)
    rows = await connection.fetch(
        "select spectrum_pk, sdss_id from astra.apogee_coadded_spectrum_in_ap_star join astra.source "
        "on source.pk = source_pk where sdss_id is not null order by 1"
    )
    wanted = rows[1:3]
    (tmp_path / "stars").write_text("".join(f"{row['sdss_id']}\n" for row in wanted) + "999999999 # nobody\n")
    code, _, err = command(*RUN, "--v-astra", "0.8.1", "--sdss-ids", str(tmp_path / "stars"))
    assert code == 0, err
    assert list(await versions(connection)) == [row["spectrum_pk"] for row in wanted]


async def test_spectra_of_several_kinds_are_worked_on_by_one_run(command, boss, connection) -> None:
    arguments = (*RUN, "--spectra", "boss_visit_spectrum", "--v-astra", "0.8.1")
    code, out, err = command(*arguments, "--limit", "3")
    assert (code, "3 spectra, 3 results" in out) == (0, True), err
    code, out, err = command(*arguments)
    assert (code, "1 spectra, 1 results" in out) == (0, True), err
    assert {spectrum.spectrum_pk for spectrum in boss} <= set(await versions(connection))


async def test_a_record_class_is_found_through_the_module_of_the_pipeline(
    command, spectra, other_pipeline, connection, tmp_path
) -> None:
    await spectra(1)
    code, _, err = command(
        "run", "own_records:pipeline", *SPECTRA, "--v-astra", "0.8.1", "--record", "OtherPipeline",
        PYTHONPATH=str(tmp_path),
    )  # fmt: skip
    assert code == 1
    (tmp_path / "own_records.py").write_text(
        "from astra_outputs import Flags, PipelineOutputMixin, Real, column\n"
        "class OtherPipeline(PipelineOutputMixin):\n"
        "    teff: Real = column(unit='K', description='Effective temperature')\n"
        "    result_flags: Flags = column(description='Flags of the result')\n"
        "def pipeline(spectra):\n"
        "    for s in spectra: yield OtherPipeline.from_spectrum(s, teff=1.0)\n"
    )
    code, _, err = command(
        "run", "own_records:pipeline", *SPECTRA, "--v-astra", "0.8.1", "--record", "OtherPipeline",
        PYTHONPATH=str(tmp_path),
    )  # fmt: skip
    assert code == 0, err
    assert await connection.fetchval("select count(*) from astra.other_pipeline") == 1


async def test_what_another_job_left_in_the_spool_is_told_before_it_is_stored(
    command, spectra, tmp_path
) -> None:
    (spectrum, _) = await spectra(2)
    Spool(tmp_path / "spool").write([TheCannon.from_spectrum(spectrum, v_astra="0.7.1")], datetime.now(UTC))
    code, _, err = command(*RUN, "--v-astra", "0.8.1")
    assert code == 0
    told, stored = err.index("storing what waits in the spool"), err.index("spool file stored")
    assert told < stored
    assert "the_cannon 0.7: 1" in err[told:stored]


# Keys, status, and JSON.


async def test_pending_lists_keys_counts_them_and_says_so_to_programs(command, spectra) -> None:
    stored = [spectrum.spectrum_pk for spectrum in await spectra(3)]
    asked = ("pending", "the_cannon", *SPECTRA, "--v-astra", "0.8.1")
    code, out, err = command(*asked)
    assert (code, list(map(int, out.split()))) == (0, stored), err
    assert command(*asked, "--count")[1] == "3\n"
    assert json.loads(command(*asked, "--json", "--limit", "2")[1]) == {"pending": stored[:2]}
    assert json.loads(command(*asked, "--json", "--count")[1]) == {"pending": 3}


async def test_a_run_and_a_replay_report_in_json(command, spectra, tmp_path) -> None:
    await spectra(3)
    code, out, _ = command(
        "run", "worker_pipelines:fails_on_every_third", *SPECTRA, "--v-astra", "0.8.1", "--json"
    )
    said = json.loads(out)
    assert (code, said["results"], len(said["failed"]), said["all_stored"]) == (0, 2, 1, False)
    assert said["counts"] == {"inserted": 2}
    (tmp_path / "x.spool").write_bytes(b"nonsense")
    code, out, _ = command("replay", str(tmp_path), "--json")
    assert (code, json.loads(out)["damaged"][0]["file"]) == (1, str(tmp_path / "x.corrupt"))


async def test_status_shows_what_is_done_pending_failed_and_spooled_by_version(
    command, outputs, spectra, tmp_path
) -> None:
    stored = await spectra(5)
    for spectrum in stored[:2]:
        await outputs.save(TheCannon.from_spectrum(spectrum, v_astra="0.7.0"))
    command("run", "worker_pipelines:fails_on_every_third", *SPECTRA, "--v-astra", "0.8.1", "--limit", "4")
    Spool(tmp_path / "spool").write([TheCannon.from_spectrum(stored[4], v_astra="0.8.1")], datetime.now(UTC))
    code, out, err = command("status", "--json")
    assert code == 0, err
    newest, oldest = json.loads(out)
    failed = sum(spectrum.spectrum_pk % 3 == 0 for spectrum in stored[:4])
    counts = {"spectra": 5, "done": 4 - failed, "pending": 1 + failed, "failed": failed, "spooled": 1}
    assert newest.items() >= {"table": "the_cannon", "version": "0.8", **counts}.items()
    assert newest["last_hour"] == newest["done"]
    assert oldest.items() >= {"version": "0.7", "done": 2, "pending": 3, "spooled": 0, "failed": 0}.items()
    shown = command("status", "the_cannon")[1]
    assert re.search(rf"the_cannon.*0\.8.*5.*{4 - failed}.*{1 + failed}", shown)
    assert command("status", "aspcap")[1] == "no results are stored\n"


def test_the_sql_files_are_where_the_command_says(command) -> None:
    code, out, _ = command("schema", "path")
    assert code == 0
    assert (Path(out.strip()) / "install.sql").is_file()
