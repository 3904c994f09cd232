"""The files of a release by their names: which rows, which tables, which columns, how they are called."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import asyncpg
import pytest
from exported import command, names_in, read, verified

from astra_outputs import ASPCAP, BossCombinedSpectrum, BossVisitSpectrum, SnowWhite, Source, using_version
from astra_outputs.errors import (
    FileExists,
    InvalidCondition,
    InvalidFile,
    MissingVersion,
    NoRows,
    WrongRecordClass,
)
from astra_outputs.export.products import product_named, product_names

pytest.importorskip("astropy")


@pytest.fixture
async def stars(outputs: Any, spectra: Any) -> list[ASPCAP]:
    """Three results of ASPCAP of version 0.8, one of 0.7, and spectra of BOSS of two versions of Astra."""
    coadds = await spectra(4)
    results = [
        ASPCAP.from_spectrum(spectrum, v_astra=version, teff=4000.0 + number, result_flags=number)
        for number, (spectrum, version) in enumerate(
            zip(coadds, ("0.8.0", "0.8.1", "0.7.0", "0.8.0"), strict=True)
        )
    ]
    await outputs.save_many(results)
    boss = [
        BossCombinedSpectrum(
            source_pk=spectrum.source_pk,
            release="sdss5",
            v_astra=version,
            sdss_id=number,
            run2d="v6",
            telescope="apo25m",
        )
        for number, (spectrum, version) in enumerate(
            zip(coadds, ("0.8.0", "0.8.1", "0.80.0", "0.7.0"), strict=True), 1
        )
    ]
    await outputs.save_many(boss)
    return results


# Bad input.


@pytest.mark.parametrize(
    ("name", "asked", "kind", "said"),
    [
        ("mwmAllStars", {"v_astra": "0.8"}, WrongRecordClass, "no file of a release: those are mwmTargets"),
        ("astraAllStarASPCUP", {"v_astra": "0.8"}, WrongRecordClass, r"did you mean ASPCAP\?"),
        ("astraAllStar", {"v_astra": "0.8"}, WrongRecordClass, "no pipeline is named nothing"),
        ("mwmAllStar", {"v_astra": "eight"}, InvalidCondition, "major.minor"),
        ("mwmAllStar", {}, MissingVersion, "version"),
        ("mwmAllStar", {"v_astra": "0.8", "newest": True}, InvalidCondition, "has no versions"),
        ("astraAllStarASPCAP", {"v_astra": "0.9"}, NoRows, "no row of aspcap"),
    ],
)
async def test_what_is_no_file_of_a_release_is_refused_and_leaves_no_file(
    outputs: Any, tmp_path: Path, name: str, asked: dict[str, Any], kind: type[Exception], said: str
) -> None:
    with pytest.raises(kind, match=said):
        await outputs.export(name, tmp_path, **asked)
    assert names_in(tmp_path) == []


async def test_a_record_class_needs_the_name_of_a_file(outputs: Any) -> None:
    with pytest.raises(InvalidFile, match="the file has no name"):
        await outputs.export(ASPCAP)


# What is written.


async def test_results_are_in_the_table_of_their_instrument_and_of_one_version(
    outputs: Any, tmp_path: Path, stars: list[ASPCAP]
) -> None:
    report = await outputs.export("astraallstaraspcap", tmp_path, v_astra="0.8.1")
    assert report.file == tmp_path / "astraAllStarASPCAP-0.8.fits.gz"
    assert report.rows == {"BOSS": 0, "APOGEE": 1}
    with using_version("0.8.0"):
        report = await outputs.export("astraAllStarASPCAP", tmp_path / "all.fits")
    assert report.rows == {"BOSS": 0, "APOGEE": 3}
    verified(report.file)
    table = read(report.file)
    assert sorted(table["task_pk"]) == [stars[n].task_pk for n in (0, 1, 3)]
    names = table.colnames
    assert names.index("ra") < names.index("snr") < names.index("teff")
    assert names[(at := names.index("result_flags")) : at + 3] == ["result_flags", "flag_warn", "flag_bad"]
    expected = {record.task_pk: (record.flag_warn, record.flag_bad) for record in stars}
    assert all(expected[row["task_pk"]] == (row["flag_warn"], row["flag_bad"]) for row in table)
    boss = read(report.file, "BOSS").colnames
    assert "flag_bad" in boss, "the table without rows has the columns of results"


async def test_results_on_visits_are_in_the_other_file(outputs: Any, tmp_path: Path, stars: Any) -> None:
    (source,) = await outputs.find(Source, limit=1)
    visit = BossVisitSpectrum(
        source_pk=source.pk,
        release="a",
        run2d="a",
        fieldid=1,
        mjd=1,
        catalogid=1,
        healpix=1,
        spec_file="a",
        filetype="specFull",
    )
    await outputs.save(visit)
    await outputs.save(SnowWhite.from_spectrum(visit, v_astra="0.8.0", teff=20_000.0))
    report = await outputs.export("astraAllVisitSnowWhite", tmp_path / "a.fits", v_astra="0.8")
    assert report.rows == {"BOSS": 1, "APOGEE": 0}
    with pytest.raises(NoRows):
        await outputs.export("astraAllStarSnowWhite", tmp_path / "b.fits", v_astra="0.8")


async def test_spectra_of_stars_are_those_of_one_version_of_astra_with_their_sources(
    outputs: Any, tmp_path: Path, stars: Any, connection: asyncpg.Connection
) -> None:
    report = await outputs.export("mwmAllStar", tmp_path / "a.fits", v_astra="0.8")
    assert report.rows == {"BOSS": 2, "APOGEE": 4}
    verified(report.file)
    table = read(report.file, "BOSS")
    assert sorted(table["v_astra"]) == ["0.8.0", "0.8.1"]
    assert table.colnames.index("ra") < table.colnames.index("run2d")
    await connection.execute("drop table astra.boss_combined_spectrum cascade")
    async with asyncpg_outputs(connection) as fresh:
        report = await fresh.export("mwmAllStar", tmp_path / "b.fits", v_astra="0.8")
    assert report.rows == {"BOSS": 0, "APOGEE": 4}
    verified(report.file)


def asyncpg_outputs(connection: asyncpg.Connection) -> Any:
    from astra_outputs import connect

    return connect(connection=connection, schema="astra")


async def test_targets_are_one_table_of_sources(outputs: Any, tmp_path: Path, stars: Any) -> None:
    report = await outputs.export("mwmTargets", tmp_path, "sdss_id > $1", 1, v_astra="0.8", upper=True)
    assert (report.file.name, report.rows) == ("mwmTargets-0.8.fits.gz", {"SOURCE": 3})
    assert {"SDSS_ID", "RA"} <= set(read(report.file, "SOURCE").colnames)


async def test_a_file_of_one_table_has_the_spectra_of_the_pipeline_or_those_that_are_asked_for(
    outputs: Any, tmp_path: Path, stars: list[ASPCAP]
) -> None:
    pytest.importorskip("pyarrow")
    report = await outputs.export("astraAllStarASPCAP", tmp_path / "a.parquet", v_astra="0.8")
    assert report.rows == {"aspcap": 3}
    found = await outputs.verify(report.file)
    assert (found.same, found.searched, found.rows) == (True, True, 3)
    with pytest.raises(InvalidCondition, match=r"holds one table: pass one spectrum_class \(--spectra\)"):
        await outputs.export("mwmAllStar", tmp_path / "b.parquet", v_astra="0.8")
    with pytest.raises(WrongRecordClass, match="mwmAllStar has no table of aspcap; it has those of boss_com"):
        await outputs.export("mwmAllStar", tmp_path / "b.parquet", v_astra="0.8", spectrum_class=ASPCAP)
    assert names_in(tmp_path) == ["a.parquet"]
    asked = {"v_astra": "0.8", "spectrum_class": BossCombinedSpectrum}
    for name in ("b.parquet", "c.fits"):
        report = await outputs.export("mwmAllStar", tmp_path / name, **asked)
        assert sum(report.rows.values()) == 2
        found = await outputs.verify(report.file)
        assert (found.same, found.searched, found.rows) == (True, True, 2)


async def test_the_definition_for_casjobs_stands_beside_the_file(
    outputs: Any, tmp_path: Path, stars: Any
) -> None:
    columns = [
        "teff",
        "v_sini",
        "tag",
        "result_flags",
        "flag_bad",
        "created",
        "spectrum.telescope",
        "source.ra",
    ]
    file = tmp_path / "a-0.8.fits.gz"
    report = await outputs.export("astraAllStarASPCAP", file, columns=columns, v_astra="0.8", casjobs=True)
    assert report.definition == tmp_path / "a-0.8.sql"
    lines = report.definition.read_text().splitlines()
    assert "create table [a_0_8_APOGEE] (" in lines
    assert not any("BOSS" in line for line in lines), "a table without rows has no widths"
    assert "    [teff] real null, --/U K --/D Effective temperature" in lines
    assert "    [result_flags] bigint not null, --/D Quality of the result" in [
        line.rstrip() for line in lines
    ]
    assert any("[telescope] varchar(6) null," in line for line in lines)
    assert any(line.strip().startswith("[created] datetime2(6) not null,") for line in lines)
    assert lines[-1] == ");"
    assert lines[-2].strip().startswith("[ra] float null --/U deg"), "no comma behind the last column"
    with pytest.raises(FileExists, match=r"a-0.8.sql exists already"):
        await outputs.export(ASPCAP, tmp_path / "a-0.8.csv", v_astra="0.8", casjobs=True)
    assert sorted(names_in(tmp_path)) == ["a-0.8.fits.gz", "a-0.8.sql"]


async def test_the_command_names_the_file(database: str, tmp_path: Path, stars: Any) -> None:
    done = command(database, "astraAllStarASPCAP", "--v-astra", "0.8", "-o", tmp_path, "--casjobs")
    assert done.returncode == 0, done.stderr
    assert "tables for CasJobs" in done.stdout
    assert sorted(names_in(tmp_path)) == ["astraAllStarASPCAP-0.8.fits.gz", "astraAllStarASPCAP-0.8.sql"]


def test_every_pipeline_has_its_files_under_any_spelling_of_its_name() -> None:
    for name in product_names():
        for spelling in (name, name.lower(), name.upper()):
            product = product_named(spelling)
            assert product is not None
            assert product.name == name
    assert {"astraAllStarASPCAP", "astraAllVisitBossNet"} < set(product_names())
    assert product_named("aspcap") is None
