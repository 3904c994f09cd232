"""Catalogue rows stored by `ingest` equal the files, value by value; the files are read here by other means.

The shipped samples are compared always, and the whole catalogues where `ASTRA_OUTPUTS_TEST_CATALOGUE`
names one of them, or the folder that holds them.
"""

from __future__ import annotations

import csv
import importlib.util
import os
import warnings
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import asyncpg
import numpy as np
import pytest
from astropy.io import fits

from astra_outputs import (
    ASPCAP,
    ApogeeCoaddedSpectrumInApStar,
    BossVisitSpectrum,
    Outputs,
    SnowWhite,
    TheCannon,
)
from astra_outputs.errors import UnreadableFile
from astra_outputs.ingest import IngestReport, ingest, read_mapping
from astra_outputs.model.outcome import Outcome
from astra_outputs.records import ApogeeSpectrumFlags, ApogeeTarget1Flags, ApogeeTarget2Flags

CATALOGUES = Path(__file__).parents[2] / "examples" / "catalogues"
GIVEN = Path(os.environ.get("ASTRA_OUTPUTS_TEST_CATALOGUE", "/nowhere"))
FULL = GIVEN if GIVEN.is_dir() else GIVEN.parent

ELEMENTS = ["c", "n", "o", "na", "mg", "al", "si", "s", "k", "ca", "ti", "v", "mn", "fe", "ni"]
"""In the order of ELEM, FELEM and ELEM_CHI2."""

FITTED_AS_METALS = {"na", "al", "k", "v", "mn", "fe", "ni"}
LABELS = {"teff": "TEFF", "logg": "LOGG", "m_h_atm": "PARAM_M_H", "alpha_m_atm": "PARAM_ALPHA_M"}
FIT = ["teff", "logg", "v_micro", "m_h_atm", "c_m_atm", "n_m_atm", "alpha_m_atm"]


def samples(shipped: str, whole: str) -> list[Any]:
    """The shipped part of a catalogue, and the whole one where it is at hand."""
    at_hand = [FULL / whole] if (FULL / whole).is_file() else []
    return [pytest.param(path, id=path.name) for path in (CATALOGUES / shipped, *at_hand)]


ASPCAP_FILES = samples("dr12_aspcap.fits.gz", "APOGEE-allStar-v603-Hipparcos.fits.gz")
WHOLE = pytest.param(
    FULL / "APOGEE-allStar-v603-Hipparcos.fits.gz",
    id="whole",
    marks=pytest.mark.skipif(len(ASPCAP_FILES) < 2, reason="ASTRA_OUTPUTS_TEST_CATALOGUE names no catalogue"),
)
LABEL_FILES = samples("dr12_labels.csv", "cannon_apogee_dr12_labels.csv")
WHITE_DWARFS = [CATALOGUES / "white_dwarfs" / f"{name}.csv" for name in ("gas_disc_screen", "hot_sources")]
WHITE_DWARFS.append(CATALOGUES / "white_dwarfs" / "zz_ceti_objects.csv")


def catalogue(path: Path) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # units that the FITS standard does not know
        return fits.getdata(path, 1)


def real(value: Any, *marks: float) -> float | None:
    """A number as a single-precision column holds it; the catalogues' marks are None."""
    if value in ("", None) or float(value) in (-9999.0, float(np.float32(-9999.99)), *marks):
        return None
    return float(np.float32(value))


def positive(value: Any) -> float | None:
    """An error of a magnitude, or None where 2MASS writes that there is none."""
    return real(value) if 0 <= float(value) <= 8 else None


def flags(*bits: tuple[int, Any, int]) -> int:
    """Bits of ours, each set where a bit of the catalogue's integer is: (ours, integer, theirs)."""
    return sum(1 << ours for ours, value, theirs in bits if int(value) >> theirs & 1)


def aspcap_of(row: Any) -> dict[str, Any]:
    """What an ASPCAP result should hold."""
    wanted: dict[str, Any] = {
        "v_astra": 0,
        "tag": "SDSS DR12, results v603",
        "rchi2": real(row["ASPCAP_CHI2"]),
    }
    for ours, theirs in LABELS.items():
        wanted |= {ours: real(row[theirs]), f"e_{ours}": real(row[f"{theirs}_ERR"], -1)}
    for place, name in enumerate(FIT):
        value, variance = real(row["FPARAM"][place]), float(row["FPARAM_COV"][8 * place])
        if name == "v_micro":
            wanted["raw_v_micro"] = real(10 ** float(row["FPARAM"][place]))
        else:
            wanted |= {f"raw_{name}": value, f"raw_e_{name}": real(variance**0.5)}
    for place, name in enumerate(ELEMENTS):
        theirs = f"{name.upper()}_H"
        wanted |= {f"{name}_h": real(row[theirs]), f"e_{name}_h": real(row[f"{theirs}_ERR"])}
        wanted[f"{name}_h_rchi2"] = real(row["ELEM_CHI2"][place], 0)
        wanted[f"{name}_h_flags"] = flags((8, row[f"{theirs}_FLAG"], 0), (9, row[f"{theirs}_FLAG"], 8))
        if name in FITTED_AS_METALS:
            wanted[f"raw_{name}_h"] = real(row["FELEM"][place])
            wanted[f"raw_e_{name}_h"] = real(row["FELEM_ERR"][place])
    warn = {
        "teff": 5,
        "logg": 7,
        "v_micro": 9,
        "m_h_atm": 13,
        "c_m_atm": 17,
        "n_m_atm": 19,
        "alpha_m_atm": 15,
    }
    edges = [(warn[name], row["PARAMFLAG"][place], 8) for place, name in enumerate(FIT)]
    edges += [(warn[name] + 1, row["PARAMFLAG"][place], 0) for place, name in enumerate(FIT)]
    return wanted | {"result_flags": flags(*edges)}


def spectrum_of(row: Any) -> dict[str, Any]:
    """What an APOGEE spectrum should hold."""
    return {
        "release": "dr12",
        "apred": "r5",
        "apstar": "commissioning" if row["COMMISS"] else "stars",
        "obj": row["APOGEE_ID"].strip(),
        "telescope": row["TELESCOPE"].strip(),
        "field": row["FIELD"].strip(),
        "n_visits": row["NVISITS"],
        "snr": real(row["SNR"]),
        "v_rad": real(row["VHELIO_AVG"]),
        "e_v_rad": real(row["VERR"]),
        "median_e_v_rad": real(row["VERR_MED"]),
        "std_v_rad": real(row["VSCATTER"]) if row["NVISITS"] > 1 else None,
        "ccfwhm": real(row["RV_CCFWHM"]),
        "autofwhm": real(row["RV_AUTOFWHM"]),
        "spectrum_flags": int(row["STARFLAG"]),
    }


def source_of(row: Any) -> dict[str, Any]:
    """What a source should hold, but for its target flags."""
    wanted = {"sdss4_apogee_id": row["APOGEE_ID"].strip(), "l": row["GLON"], "b": row["GLAT"]}
    for name in ("ra", "dec"):
        wanted[name] = row[name.upper()]
    for name in ("j", "h", "k"):
        wanted[f"{name}_mag"] = real(row[name.upper()])
        wanted[f"e_{name}_mag"] = positive(row[f"{name.upper()}_ERR"])
    return wanted


async def stored(connection: asyncpg.Connection, table: str, *key: str) -> dict[Any, asyncpg.Record]:
    """The rows of a table by some of their columns."""
    rows = await connection.fetch(f"select * from astra.{table}")
    return {tuple(row[name] for name in key): row for row in rows}


def differences(row: asyncpg.Record, wanted: dict[str, Any]) -> dict[str, tuple[Any, Any]]:
    """What a row holds, and should hold, where the two are not the same."""
    return {name: (row[name], value) for name, value in wanted.items() if row[name] != value}


async def ingest_dr12(outputs: Outputs, path: Path) -> IngestReport:
    mapping = read_mapping(CATALOGUES / "dr12_aspcap.toml")
    return await ingest(outputs, [path], mapping, ApogeeCoaddedSpectrumInApStar, ASPCAP)


# A catalogue that is not as the map says.


async def test_a_catalogue_of_another_release_is_refused_before_anything_is_stored(
    outputs: Outputs, connection: asyncpg.Connection, tmp_path: Path
):
    path = tmp_path / "allStar.fits"
    fits.BinTableHDU(catalogue(CATALOGUES / "dr12_aspcap.fits.gz")).writeto(path)
    with fits.open(path, mode="update") as units:
        units[1].columns.change_name("PARAMFLAG", "PARAMFLAGS")
    with pytest.raises(UnreadableFile, match=r"no column PARAMFLAG \(did you mean PARAMFLAGS\?\)$"):
        await ingest_dr12(outputs, path)
    assert await connection.fetchval("select count(*) from astra.source") == 0


# ASPCAP.


@pytest.mark.parametrize("path", ASPCAP_FILES)
async def test_every_value_of_dr12s_aspcap_results_is_the_catalogues(
    outputs: Outputs, connection: asyncpg.Connection, path: Path
):
    rows = [row for row in catalogue(path) if row["FPARAM"][0] > -9999]
    report = await ingest_dr12(outputs, path)
    assert report.refused == []
    assert report.outcomes == {Outcome.INSERTED: len(rows)}
    key = ("release", "apred", "apstar", "obj", "telescope", "field")
    spectra = await stored(connection, "apogee_coadded_spectrum_in_ap_star", *key)
    results = await stored(connection, "aspcap", "spectrum_pk")
    sources = await stored(connection, "source", "pk")
    assert len(spectra) == len(results) == len(rows)
    last = {row["APOGEE_ID"]: row for row in rows}
    assert len(sources) == len(last)
    for row in rows:
        wanted = spectrum_of(row)
        spectrum = spectra[tuple(wanted[name] for name in key)]
        result = results[spectrum["spectrum_pk"],]
        assert differences(spectrum, wanted) == {}
        assert differences(result, aspcap_of(row)) == {}
        assert result["source_pk"] == spectrum["source_pk"]
        # Rows of one star give positions that differ in the ninth digit: the last row has its way.
        wanted = source_of(last[row["APOGEE_ID"]])
        assert differences(sources[spectrum["source_pk"],], wanted) == {}


async def test_the_columns_that_are_compared_are_all_that_are_stored(
    outputs: Outputs, connection: asyncpg.Connection
):
    path = CATALOGUES / "dr12_aspcap.fits.gz"
    await ingest_dr12(outputs, path)
    row = catalogue(path)[0]
    filled = set()
    for result in await connection.fetch("select * from astra.aspcap"):
        filled |= {name for name, value in result.items() if value not in (None, 0, -1, "")}
    keys = {"task_pk", "source_pk", "spectrum_pk", "created", "modified"}
    assert filled - keys <= set(aspcap_of(row))


@pytest.mark.parametrize("path", ASPCAP_FILES)
async def test_the_reasons_for_observing_a_star_add_up_over_its_spectra(
    outputs: Outputs, connection: asyncpg.Connection, path: Path
):
    await ingest_dr12(outputs, path)
    words: dict[str, list[int]] = {}
    for row in catalogue(path):
        if row["FPARAM"][0] > -9999:
            both = words.setdefault(row["APOGEE_ID"].strip(), [0, 0])
            for place in (0, 1):
                both[place] |= int(row[f"APOGEE_TARGET{place + 1}"]) & 0x7FFFFFFF
    for (name,), source in (await stored(connection, "source", "sdss4_apogee_id")).items():
        flagged = [source["sdss4_apogee_target1_flags"], source["sdss4_apogee_target2_flags"]]
        assert flagged == words[name]


@pytest.mark.parametrize("path", [WHOLE])
def test_bits_that_are_taken_over_have_the_names_that_the_catalogue_itself_gives(path: Path):
    renamed = {"1MTARGET": "1M_TARGET", "EMBEDDEDCLUSTER_STAR": "EMBEDDED_CLUSTER_STAR"}
    for row in catalogue(path):
        told = [name for name in row["TARGFLAGS"].strip().removeprefix("APOGEE_").split(",APOGEE_") if name]
        ours = ApogeeTarget1Flags.names(int(row["APOGEE_TARGET1"]) & 0x7FFFFFFF)
        ours += ApogeeTarget2Flags.names(int(row["APOGEE_TARGET2"]) & 0x7FFFFFFF)
        said = Counter(renamed.get(name, name) for name in told)
        assert Counter(name.removeprefix("sdss4_apogee_").upper() for name in ours) == said
        told = [name for name in row["STARFLAGS"].strip().split(",") if name]
        assert Counter(name.upper() for name in ApogeeSpectrumFlags.names(int(row["STARFLAG"]))) == Counter(
            told
        )


@pytest.mark.parametrize("path", [WHOLE])
def test_the_script_makes_the_shipped_sample_from_the_catalogue(path: Path, tmp_path: Path):
    spec = importlib.util.spec_from_file_location("make_dr12_aspcap", CATALOGUES / "make_dr12_aspcap.py")
    assert spec is not None
    assert spec.loader is not None
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    script.main(path, tmp_path / "again.fits.gz")
    again, shipped = catalogue(tmp_path / "again.fits.gz"), catalogue(CATALOGUES / "dr12_aspcap.fits.gz")
    assert again.tobytes() == shipped.tobytes()


@pytest.mark.parametrize("path", ASPCAP_FILES)
async def test_a_second_run_changes_nothing_but_times_and_not_even_those_of_spectra(
    outputs: Outputs, connection: asyncpg.Connection, path: Path
):
    async def rows() -> list[Any]:
        found = []
        for table in ("spectrum", "apogee_coadded_spectrum_in_ap_star"):
            found += await connection.fetch(f"select * from astra.{table} order by pk")
        for table, key in (("source", "pk"), ("aspcap", "task_pk")):
            rows = await connection.fetch(f"select * from astra.{table} order by {key}")
            found += [{**row, "modified": None} for row in rows]
        return found

    first = await ingest_dr12(outputs, path)
    before = await rows()
    again = await ingest_dr12(outputs, path)
    assert again.outcomes == {Outcome.REPLACED: first.outcomes[Outcome.INSERTED]}
    assert await rows() == before


# The Cannon's training labels.


@pytest.mark.parametrize("path", LABEL_FILES)
async def test_every_training_label_is_the_lists_and_says_what_it_is(
    outputs: Outputs, connection: asyncpg.Connection, path: Path
):
    mapping = read_mapping(CATALOGUES / "dr12_labels.toml")
    report = await ingest(outputs, [path], mapping, ApogeeCoaddedSpectrumInApStar, TheCannon)
    rows = [row for row in lines(path) if float(row["teff"]) != -9999]
    assert report.refused == []
    assert report.outcomes == {Outcome.INSERTED: len(rows)}
    spectra = await stored(connection, "apogee_coadded_spectrum_in_ap_star", "obj")
    results = await stored(connection, "the_cannon", "spectrum_pk")
    assert len(spectra) == len(results) == len(rows)
    for row in rows:
        name = row["apogee_id"].removeprefix("aspcapStar-r5-v603-").removesuffix(".fits")
        spectrum = spectra[name,]
        measured = {"snr": real(row["snr"]), "std_v_rad": real(row["vscatter"])}
        assert differences(spectrum, {"release": "synthetic", **measured}) == {}
        labels = {"teff": real(row["teff"]), "logg": real(row["logg"]), "fe_h": real(row["mh"]), "v_astra": 0}
        tag = "training labels, SDSS DR12; fe_h is [M/H]"
        assert differences(results[spectrum["spectrum_pk"],], labels | {"tag": tag}) == {}


# White dwarfs.


async def ingest_white_dwarfs(outputs: Outputs, paths: list[Path]) -> IngestReport:
    mapping = read_mapping(CATALOGUES / "white_dwarfs.toml")
    return await ingest(outputs, paths, mapping, BossVisitSpectrum, SnowWhite)


async def test_every_white_dwarf_of_the_three_lists_is_stored_with_its_values(
    outputs: Outputs, connection: asyncpg.Connection
):
    report = await ingest_white_dwarfs(outputs, WHITE_DWARFS)
    assert (report.read, report.refused, report.outcomes) == (41, [], {Outcome.INSERTED: 41})
    sources = await stored(connection, "source", "gaia_dr3_source_id")
    spectra = await stored(connection, "boss_visit_spectrum", "source_pk")
    results = await stored(connection, "snow_white", "source_pk")
    for path in WHITE_DWARFS:
        for row in lines(path):
            source = sources[int(row["gaia_dr3"]),]
            ra, dec = row.get("ra", row.get("ra_deg")), row.get("dec", row.get("dec_deg"))
            wanted = {"sdss_id": int(row["sdss_id"]), "g_mag": real(row["G"])}
            wanted |= {"ra": float(ra) if ra else None, "dec": float(dec) if dec else None}
            wanted |= {"plx": real(row.get("parallax_mas")), "e_plx": real(row.get("e_parallax_mas"))}
            assert differences(source, wanted) == {}
            spectrum = {"release": "synthetic", "mjd": 0, "healpix": -1}
            spectrum |= {"snr": real(row.get("snr", row.get("snr_cat")))}
            assert differences(spectra[source["pk"],], spectrum) == {}
            labels = {"teff": real(row.get("snowwhite_teff")), "logg": real(row.get("snowwhite_logg"))}
            labels |= {"classification": row["snowwhite_class"], "e_teff": None, "v_astra": 8001}
            assert differences(results[source["pk"],], labels) == {}


@pytest.mark.parametrize("first", [0, 1])
async def test_a_white_dwarf_of_two_lists_is_one_result_with_what_both_say(
    outputs: Outputs, connection: asyncpg.Connection, tmp_path: Path, first: int
):
    hot, cool = WHITE_DWARFS[1], WHITE_DWARFS[2]
    star = lines(cool)[0]
    header = hot.read_text().splitlines()[0]
    double = tmp_path / "hot_sources.csv"
    values = {
        "sdss_id": star["sdss_id"],
        "gaia_dr3": star["gaia_dr3"],
        "snowwhite_class": "DA",
        "snr": "25.4",
    }
    double.write_text(header + "\n" + ",".join(values.get(name, "") for name in header.split(",")) + "\n")
    report = await ingest_white_dwarfs(outputs, [[double, cool], [cool, double]][first])
    assert (report.merged, report.outcomes) == (1, {Outcome.INSERTED: 5})
    row = await connection.fetchrow(
        """select w.teff, b.snr, s.ra from astra.snow_white w
           join astra.boss_visit_spectrum b using (spectrum_pk) join astra.source s on s.pk = w.source_pk
           where s.gaia_dr3_source_id = $1""",
        int(star["gaia_dr3"]),
    )
    assert tuple(row) == (real(star["snowwhite_teff"]), real("25.4"), float(star["ra_deg"]))


def lines(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(_lines(file))


def _lines(file: Any) -> Iterator[dict[str, str]]:
    for row in csv.DictReader(file):
        yield {name.removeprefix("#"): value for name, value in row.items()}
