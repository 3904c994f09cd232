"""The simulated year, very small; and that its model finds out what is wrong."""

from __future__ import annotations

import re
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

import model
import plan
import pytest
import worker
from shares import at_full_size

from astra_outputs import ApogeeCoaddedSpectrumInApStar

EXAMPLE = Path(__file__).parents[2] / "examples" / "year"
PLAN = plan.Plan(seed=1, spectra=24, pipelines=2)


@pytest.mark.slow
@pytest.mark.soak
def test_a_small_year_ends_as_it_must_whatever_breaks() -> None:
    spectra, pipelines, workers = (at_full_size(*sizes) for sizes in ((240, 24), (20, 3), (3, 1)))
    words = f"--spectra {spectra} --pipelines {pipelines} --workers {workers} --faults 1 --seed 3".split()
    done = subprocess.run(
        [sys.executable, EXAMPLE / "year.py", *words],
        capture_output=True,
        text=True,
        check=False,
        timeout=at_full_size(1_800, 300),
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "every result is there, once, with its values" in done.stdout


def test_a_worker_that_finds_no_server_asks_to_be_started_again(tmp_path) -> None:
    dsn = f"postgresql://nobody@/postgres?host={tmp_path}"
    share = worker.Share(dsn, str(tmp_path / "spool"), asdict(PLAN), 1, (0, 1))
    done = subprocess.run(share.command(), capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == worker.NO_SERVER
    assert "start the server" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.fixture
async def january(outputs, connection):
    """What is stored after the first month, and a model of it."""
    arrived = PLAN.arrived(1)
    await connection.execute("set search_path to astra")
    await connection.execute(
        f"insert into source (pk, sdss_id) select n, n from generate_series(1, {arrived}) n"
    )
    keys = {"release": "dr20", "apred": "1", "telescope": "apo25m", "field": "f"}
    spectra = [
        ApogeeCoaddedSpectrumInApStar(spectrum_pk=key, source_pk=key, obj=str(key), **keys)
        for key in range(1, arrived + 1)
    ]
    await outputs.save_many(spectra)
    for number, record_class in enumerate(PLAN.record_classes):
        names = plan.labels(record_class)
        await outputs.save_many(
            record_class.from_spectrum(
                spectrum, plan.values_of(names, number, spectrum.spectrum_pk, 1), v_astra="0.6.0", tag="1"
            )
            for spectrum in spectra
            if not PLAN.fails(number, spectrum.spectrum_pk)
        )
    january = model.Model(PLAN)
    january.pass_month(1)
    return january


async def test_what_is_as_it_must_be_has_no_differences(january, connection) -> None:
    assert await january.differences(connection) == []


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        ("update snow_white set teff = 1 where spectrum_pk = 2", "teff is 1.0, not"),
        ("update snow_white set v_astra = 6001 where spectrum_pk = 2", "v_astra is 6001, not 6000"),
        ("update snow_white set source_pk = null where spectrum_pk = 2", "source_pk is None"),
        ("update aspcap set modified = created - interval '1 s' where spectrum_pk = 1", "is after modified"),
        ("delete from aspcap where spectrum_pk = 2", r"aspcap: the result of \(2, 6\) is missing"),
        (
            "insert into aspcap (spectrum_pk, v_astra) values (1, 7000)",
            r"there must be no result of \(1, 7\)",
        ),
        ("insert into spectrum (pk) values (99)", "spectrum 99 belongs to no spectrum"),
    ],
)
async def test_every_kind_of_damage_is_found(january, connection, damage: str, words: str) -> None:
    await connection.execute(damage)
    assert any(re.search(words, line) for line in await january.differences(connection))


async def test_a_row_that_was_deleted_and_made_again_is_found_by_its_number(
    connection, outputs, january
) -> None:
    sampled = model.SAMPLE
    model.SAMPLE = 1
    try:
        assert await january.differences(connection) == []
        row = dict(await connection.fetchrow("delete from aspcap where spectrum_pk = 1 returning *"))
        names = [name for name in row if name not in ("task_pk", "v_astra_major_minor")]
        places = ", ".join(f"${place}" for place in range(1, len(names) + 1))
        await connection.execute(
            f"insert into aspcap ({', '.join(names)}) values ({places})", *(row[name] for name in names)
        )
        assert any("(task_pk, created) was" in line for line in await january.differences(connection))
    finally:
        model.SAMPLE = sampled
