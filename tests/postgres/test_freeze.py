"""A version that was published stays as it is: the database refuses, whoever asks, and says so by name."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import numpy as np
import pytest
from on_citus import CITUS_DSN

from astra_outputs import Outcome, Results, SnowWhite, Source, TheCannon, cli, embedded
from astra_outputs.catalog import check_with_database
from astra_outputs.errors import CannotStart, DatabaseError, InvalidName, PermissionDenied, VersionFrozen
from astra_outputs.names import Frozen
from astra_outputs.postgres.frozen import frozen_as, frozen_versions, sql_that_freezes
from astra_outputs.spool.folder import Spool
from astra_outputs.spool.replay import replay

NAME = "the_cannon_frozen_8_as_DR20"
SAYS = "Version 0.8 of the_cannon is published as DR20 and stays as it is"


@pytest.fixture
async def frozen(connection: asyncpg.Connection, outputs: Any, spectra: Any) -> list[Any]:
    """Three spectra with a result of 0.8 and one of 0.9 each; 0.8 is frozen as DR20."""
    stored = await spectra(3)
    for version in ("0.8.1", "0.9.0"):
        await outputs.save_many(
            [TheCannon.from_spectrum(one, v_astra=version, teff=5000.0) for one in stored]
        )
    await connection.execute(sql_that_freezes(frozen_as(TheCannon, "0.8", "DR20"), "astra"))
    return stored


async def rows(connection: asyncpg.Connection) -> list[tuple[Any, ...]]:
    return list(
        map(
            tuple,
            await connection.fetch(
                "select spectrum_pk, v_astra, teff, modified from astra.the_cannon "
                "where v_astra_major_minor = 8 order by 1"
            ),
        )
    )


# Bad input first.


@pytest.mark.parametrize("version", ["0.8.1", "8", "", "0.8.x", "v0.8", "0.1000", "3000.1"])
def test_a_version_that_is_no_major_minor_is_refused(version: str) -> None:
    with pytest.raises(ValueError, match="version"):
        frozen_as(TheCannon, version, "DR20")


@pytest.mark.parametrize("release", ["", " ", "D" * 60, "DR\0"])
def test_a_release_whose_name_does_not_fit_is_refused(release: str) -> None:
    with pytest.raises(InvalidName):
        frozen_as(TheCannon, "0.8", release)


async def test_a_version_is_frozen_once(frozen: Any, connection: asyncpg.Connection) -> None:
    with pytest.raises(asyncpg.DuplicateObjectError):
        await connection.execute(sql_that_freezes(frozen_as(TheCannon, "0.8", "DR20"), "astra"))
    await connection.execute("rollback")
    assert await frozen_versions(connection, "astra", "the_cannon") == (Frozen("the_cannon", 8, "DR20"),)


@pytest.mark.parametrize("release", ["DR20", "DR'20", 'a "b" \\ $1 %s', "été"])
async def test_any_name_of_a_release_is_a_name(connection: asyncpg.Connection, release: str) -> None:
    freezing = frozen_as(SnowWhite, "1.2", release)
    await connection.execute(sql_that_freezes(freezing, "astra"))
    assert await frozen_versions(connection, "astra", "snow_white") == (freezing,)
    assert freezing.major_minor == 1002


# Whoever asks.


@pytest.mark.parametrize(
    "statement",
    [
        "update astra.the_cannon set teff = 1 where v_astra = 8001",
        "update astra.the_cannon set tag = 'x' where v_astra = 8001",
        "update astra.the_cannon set v_astra = 8002 where v_astra = 8001",
        "update astra.the_cannon set v_astra = 10000 where v_astra = 8001",
        "update astra.the_cannon set v_astra = 8002 where v_astra = 9000",
        "update astra.the_cannon set spectrum_pk = spectrum_pk + 1 where v_astra = 8001",
        "delete from astra.the_cannon",
        "delete from astra.the_cannon where v_astra = 8001",
        "truncate astra.the_cannon",
        (
            "insert into astra.the_cannon (spectrum_pk, v_astra) values (1, 8002) "
            "on conflict (spectrum_pk, v_astra_major_minor) do update set teff = 1"
        ),
        "insert into astra.the_cannon (spectrum_pk, v_astra) values (1, 8002) on conflict do nothing",
    ],
)
async def test_the_database_refuses_to_change_move_or_delete_what_is_frozen(
    frozen: Any, connection: asyncpg.Connection, statement: str
) -> None:
    before = await rows(connection)
    # Citus refuses some of it itself, and names no constraint.
    with pytest.raises(asyncpg.PostgresError if CITUS_DSN else asyncpg.CheckViolationError) as caught:
        await connection.execute(statement)
    assert CITUS_DSN or caught.value.constraint_name == NAME
    assert await rows(connection) == before


async def test_other_versions_and_tables_go_on(
    frozen: list[Any], connection: asyncpg.Connection, outputs: Any
) -> None:
    report = await outputs.save_many(
        [TheCannon.from_spectrum(one, v_astra="0.9.1", teff=6000.0) for one in frozen]
        + [TheCannon.from_spectrum(one, v_astra="0.10.0") for one in frozen]
    )
    assert report.counts == {Outcome.REPLACED: 3, Outcome.INSERTED: 3}
    await outputs.save(SnowWhite.from_spectrum(frozen[0], v_astra="0.8.2"))
    await connection.execute("delete from astra.the_cannon where v_astra > 9000")


async def test_a_version_that_is_released_again_can_be_stored(
    frozen: list[Any], connection: asyncpg.Connection, outputs: Any
) -> None:
    sql = sql_that_freezes(frozen_as(TheCannon, "0.8", "DR20"), "astra")
    undo = [line.removeprefix("--").strip() for line in sql.splitlines() if line.startswith("--     ")]
    assert len(undo) == 3
    for statement in undo:
        await connection.execute(statement)
    await outputs.save(TheCannon.from_spectrum(frozen[0], v_astra="0.8.2"))
    await connection.execute("truncate astra.the_cannon")


async def test_check_finds_no_fault_with_it(frozen: Any, connection: asyncpg.Connection) -> None:
    assert (await check_with_database(connection, "astra", [TheCannon, Source])).differences == ()


# By every door.


async def test_a_save_says_which_version_is_published(frozen: list[Any], outputs: Any) -> None:
    with pytest.raises(VersionFrozen) as caught:
        await outputs.save(TheCannon.from_spectrum(frozen[0], v_astra="0.8.2"))
    assert str(caught.value) == f"the_cannon: {SAYS}; give results another v_astra"
    assert (caught.value.constraint, caught.value.table) == (NAME, "the_cannon")


@pytest.mark.parametrize("size", [1, 3, 200])
async def test_a_batch_stores_the_rest_and_names_what_is_frozen(
    frozen: list[Any], outputs: Any, spectra: Callable[[int], Any], connection: asyncpg.Connection, size: int
) -> None:
    before = await rows(connection)
    others = await spectra(size)
    report = await outputs.save_many(
        [TheCannon.from_spectrum(one, v_astra="0.8.2") for one in frozen]
        + [TheCannon.from_spectrum(one, v_astra="0.9.2") for one in others],
        on_error="collect",
    )
    assert [rejected.position for rejected in report.rejected] == [0, 1, 2]
    assert all(SAYS in rejected.reason for rejected in report.rejected)
    assert report.counts[Outcome.INSERTED] == size
    assert await rows(connection) == before


async def test_a_table_of_results_stores_the_rest_and_names_what_is_frozen(
    frozen: list[Any], outputs: Any
) -> None:
    keys = [one.spectrum_pk for one in frozen]
    table = {
        "spectrum_pk": np.array(keys * 2),
        "v_astra": np.array([8002] * 3 + [9005] * 3),
        "teff": np.full(6, 4321.0),
    }
    with pytest.raises(VersionFrozen, match="published as DR20"):
        await outputs.save_table(TheCannon, table)
    report = await outputs.save_table(TheCannon, table, on_error="collect")
    assert [rejected.position for rejected in report.rejected] == [0, 1, 2]
    assert all(SAYS in rejected.reason for rejected in report.rejected)
    assert report.counts[Outcome.REPLACED] == 3


async def test_a_worker_goes_on_and_says_so_at_its_end(
    frozen: list[Any], outputs: Any, spectra: Any, tmp_path: Any
) -> None:
    def pipeline(each: Any) -> Any:
        for spectrum in each:
            version = "0.8.2" if spectrum.spectrum_pk <= 3 else "0.9.0"
            yield TheCannon.from_spectrum(spectrum, v_astra=version, teff=1.0)

    run = outputs.run(pipeline, [*frozen, *(await spectra(4))], spool=tmp_path / "spool")
    async for _ in run:
        pass
    assert run.report.counts[Outcome.INSERTED] == 4
    assert run.report.counts[Outcome.REJECTED] == 3
    assert "published as DR20" in str(run.report)


async def test_a_run_of_a_frozen_version_computes_nothing(
    frozen: list[Any], outputs: Any, tmp_path: Any
) -> None:
    drawn: list[Any] = []

    def pipeline(each: Any) -> Results[TheCannon]:
        for spectrum in each:
            drawn.append(spectrum)
            yield TheCannon.from_spectrum(spectrum, teff=1.0)

    run = outputs.run(pipeline, frozen, v_astra="0.8.2", spool=tmp_path / "spool")
    with pytest.raises(
        VersionFrozen, match=f"the_cannon: {SAYS}; give the run another .* Nothing was computed"
    ):
        await run
    assert drawn == []
    assert (await outputs.run(pipeline, frozen, v_astra="0.9.5", spool=tmp_path / "spool")).made == 3
    assert len(drawn) == 3


async def test_what_waited_on_the_disk_is_refused_by_name_and_the_rest_is_stored(
    frozen: list[Any], outputs: Any, connection: asyncpg.Connection, spectra: Any, tmp_path: Any
) -> None:
    before = await rows(connection)
    spool = Spool(tmp_path / "spool")
    spool.write(
        [TheCannon.from_spectrum(one, v_astra="0.8.2", teff=1.0) for one in frozen]
        + [TheCannon.from_spectrum(one, v_astra="0.9.5", teff=2.0) for one in frozen],
        datetime.now(UTC) + timedelta(hours=1),
    )
    report = await replay(outputs.store, [spool], [TheCannon])
    assert report.counts == {Outcome.REPLACED: 3, Outcome.REJECTED: 3}
    assert str(report).count(SAYS) >= 1
    assert not report.all_stored
    assert await rows(connection) == before


async def test_a_file_of_a_frozen_version_says_its_release_and_a_changed_one_is_told(
    frozen: list[Any], outputs: Any, tmp_path: Any
) -> None:
    fits = pytest.importorskip("astropy.io.fits")
    for name in ("published.fits", "published.parquet", "published.ecsv"):
        await outputs.export(TheCannon, tmp_path / name, v_astra="0.8")
    assert fits.getheader(tmp_path / "published.fits")["RELEASE"] == "DR20"
    assert "DR20" in (tmp_path / "published.ecsv").read_text()
    await outputs.export(TheCannon, tmp_path / "other.fits", v_astra="0.9")
    assert "RELEASE" not in fits.getheader(tmp_path / "other.fits")
    for name in ("published.fits", "published.parquet"):
        found = await outputs.verify(tmp_path / name)
        assert (found.same, found.release) == (True, "DR20")
        assert "of version 0.8, published as DR20" in str(found)
    with fits.open(tmp_path / "published.fits", mode="update") as file:
        table = next(hdu for hdu in file[1:] if len(hdu.data))
        table.data["teff"][1] = 4999.0
    found = await outputs.verify(tmp_path / "published.fits")
    assert list(found.changed.values()) == [["teff"]]


# The command.


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Any:
    def run(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr("sys.argv", ["astra-outputs", *arguments])
        try:
            cli.main()
            code = 0
        except SystemExit as end:
            code = int(end.code or 0)
        out, err = capsys.readouterr()
        return code, out, err

    return run


def test_the_command_refuses_what_is_no_pipeline_and_no_version(run: Any) -> None:
    code, _, err = run("freeze", "source", "--v-astra", "0.8", "--as", "DR20")
    assert (code, "source holds no results" in err) == (2, True)
    code, _, err = run("freeze", "the_cannon", "--v-astra", "0.8.1", "--as", "DR20")
    assert (code, "with all its patch releases" in err) == (2, True)


def test_what_the_command_prints_goes_through_psql(run: Any, database: str) -> None:
    try:
        psql = embedded.psql_program()
    except CannotStart as error:
        pytest.skip(str(error))
    code, out, _ = run("freeze", "TheCannon", "--v-astra", "0.8", "--as", "DR20")
    assert code == 0
    done = subprocess.run(
        [psql, "-X", "-q", "-v", "ON_ERROR_STOP=1", database],
        input=out,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_the_command_applies_it_once(run: Any, database: str) -> None:
    arguments = ("freeze", "the_cannon", "--v-astra", "0.8", "--as", "DR20", "--apply", "--dsn", database)
    assert run(*arguments)[0] == 0
    code, _, err = run(*arguments)
    assert (code, "already exists" in err) == (1, True)


def test_errors_of_freezing_are_database_errors() -> None:
    assert issubclass(VersionFrozen, DatabaseError)
    assert not issubclass(VersionFrozen, PermissionDenied)
