"""FITS files: what the database holds, as astropy, fitsverify and fitsio read it."""

from __future__ import annotations

import random
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from every_form import EveryForm
from exported import names_in, read, verified

from astra_outputs import (
    ASPCAP,
    ApogeeCoaddedSpectrumInApStar,
    BossVisitSpectrum,
    PipelineOutputMixin,
    Real,
    Source,
    column,
)
from astra_outputs.errors import FileExists, InvalidCondition, InvalidFile, NoRows, UnknownColumn
from astra_outputs.export.checksum import Sum, encoded
from astra_outputs.export.fits_fields import measures
from astra_outputs.reading.layout import Layout
from astra_outputs.reading.outputs import chosen
from astra_outputs.reading.scope import Scope

fits = pytest.importorskip("astropy.io.fits")


def escaped(text: str | None) -> str:
    return (text or "").encode("ascii", "backslashreplace").decode().replace("\n", "\\x0a")


# Bad input.


@pytest.mark.parametrize(
    ("asked", "kind", "said"),
    [
        ({"columns": ["tef"]}, UnknownColumn, r"did you mean teff\?"),
        ({"columns": ["source.g_ma"]}, UnknownColumn, r"did you mean source.g_mag\?"),
        ({"columns": []}, InvalidCondition, "no column is asked for"),
        ({"v_astra": "0.9"}, NoRows, "no row of aspcap is as asked for"),
        ({"v_astra": "nine"}, InvalidCondition, "major.minor"),
    ],
)
async def test_what_cannot_be_written_is_refused_and_leaves_no_file(
    outputs: Any, tmp_path: Path, asked: dict[str, Any], kind: type[Exception], said: str
) -> None:
    with pytest.raises(kind, match=said):
        await outputs.export(ASPCAP, tmp_path / "a.fits", **asked)
    assert names_in(tmp_path) == []


@pytest.mark.parametrize("name", ["a", "a.fit.xz", "a.xlsx"])
async def test_an_unknown_ending_is_refused_with_those_that_are_known(
    outputs: Any, tmp_path: Path, name: str
) -> None:
    with pytest.raises(InvalidFile, match=r"end it in .*\.fits"):
        await outputs.export(ASPCAP, tmp_path / name)


async def test_a_file_that_is_there_is_replaced_only_where_that_is_said(
    outputs: Any, tmp_path: Path, every_form: Any
) -> None:
    file = tmp_path / "a.fits"
    file.write_text("mine")
    with pytest.raises(FileExists, match="--overwrite"):
        await outputs.export(EveryForm, file)
    assert file.read_text() == "mine"
    await outputs.export(EveryForm, file, overwrite=True)
    assert len(read(file)) == 40
    assert names_in(tmp_path) == [file.name]


# What is written.


@pytest.mark.parametrize("ending", ["fits", "fits.gz"])
async def test_every_value_is_what_the_database_holds_and_null_is_masked(
    outputs: Any, tmp_path: Path, every_form: list[EveryForm], ending: str
) -> None:
    file = tmp_path / f"every.{ending}"
    report = await outputs.export(EveryForm, file, order_by="task_pk", v_astra="0.8")
    assert report.rows == {"BOSS": 0, "APOGEE": 40}
    verified(file)
    table = read(file)
    for name in ("a_real", "a_double", "an_integer", "a_bigint", "a_small", "a_status", "task_pk", "v_astra"):
        expected = [getattr(record, name) for record in every_form]
        found = [None if value is np.ma.masked else value.item() for value in table[name]]
        assert found == expected, name
    for name in ("result_flags", "other_flags"):
        assert [int(value) for value in table[name]] == [getattr(record, name) or 0 for record in every_form]
    assert list(np.ma.filled(table["a_text"], "")) == [escaped(record.a_text) for record in every_form]
    times = [
        record.a_time and record.a_time.replace(tzinfo=None).isoformat(timespec="microseconds")
        for record in every_form
    ]
    assert list(np.ma.filled(table["a_time"], "")) == [time or "" for time in times]
    for row, record in zip(table, every_form, strict=True):
        reals = [np.nan if value is None else value for value in record.some_reals or []]
        np.testing.assert_array_equal(
            np.ma.filled(row["some_reals"], np.nan),
            np.pad(np.array(reals, "f4"), (0, 10 - len(reals)), constant_values=np.nan),
        )
        assert bytes(row["some_bytes"]) == (record.some_bytes or b"").ljust(30, b"\0")
        assert row["sdss_id"] == record.source.sdss_id
        assert row["snr"] == record.spectrum.snr
    with fits.open(file, logical_as_bytes=True) as hdus:
        logical = {None: b"", True: b"T", False: b"F"}
        found = [bytes(value) for value in hdus["APOGEE"].data["a_boolean"]]
        assert found == [logical[record.a_boolean] for record in every_form]


async def test_the_header_says_what_the_file_is_and_what_each_column_means(
    outputs: Any, tmp_path: Path, every_form: Any
) -> None:
    file = tmp_path / "every.fits"
    await outputs.export(EveryForm, file, v_astra="0.8")
    with fits.open(file) as hdus:
        assert [hdu.name for hdu in hdus] == ["PRIMARY", "BOSS", "APOGEE"]
        first, boss, apogee = (hdu.header for hdu in hdus)
        assert any("HDU 2: APOGEE" in line for line in first["COMMENT"])
        assert len(hdus["BOSS"].data) == 0
        for header in (first, boss, apogee):
            assert (header["PIPELINE"], header["V_ASTRA"]) == ("every_form", "0.8")
            assert datetime.fromisoformat(header["CREATED"])
        names = hdus["APOGEE"].columns.names
        assert names.index("sdss_id") < names.index("snr") < names.index("a_real")
        assert not {"pk", "v_astra_major_minor", "source_pk_1"} & set(names)
        number = names.index("spectrum_created") + 1
        assert "created of the spectrum" in apogee[f"TCOMM{number}"]
        real = names.index("a_real") + 1
        assert apogee[f"TUNIT{real}"] == "K"
        assert apogee.comments[f"TTYPE{real}"] == apogee[f"TCOMM{real}"] == "A real"
        assert f"TNULL{names.index('a_small') + 1}" in apogee
        assert apogee[f"TNULL{names.index('a_small') + 1}"] == -1
        taken = names.index("an_integer") + 1
        assert apogee[f"TNULL{taken}"] == -(2**31), "-1 is a value of a row"
        lines = [str(card).strip() for card in apogee.cards]
        assert "Astrometry" in lines
        assert lines.index("Astrometry") < next(n for n, line in enumerate(lines) if "'ra " in line)


async def test_names_are_written_in_upper_case_where_that_is_asked_for(
    outputs: Any, tmp_path: Path, every_form: Any
) -> None:
    await outputs.export(EveryForm, tmp_path / "a.fits", columns=["a_real", "source.ra"], upper=True)
    assert read(tmp_path / "a.fits").colnames == ["A_REAL", "RA"]


async def test_conditions_and_a_limit_choose_the_rows_that_are_counted_and_written(
    outputs: Any, tmp_path: Path, every_form: list[EveryForm]
) -> None:
    file = tmp_path / "a.fits"
    seen: list[tuple[int, int]] = []
    report = await outputs.export(
        EveryForm,
        file,
        "a_small > $1 and source.sdss_id > 0",
        1,
        columns=["a_small", "a_text"],
        order_by="-task_pk",
        limit=7,
        progress=lambda *so_far: seen.append(so_far),
    )
    expected = [record for record in reversed(every_form) if (record.a_small or 0) > 1][:7]
    assert report.rows["APOGEE"] == len(expected)
    assert seen[-1] == (len(expected), len(expected))
    table = read(file)
    assert list(table["a_small"]) == [record.a_small for record in expected]
    assert list(np.ma.filled(table["a_text"], "")) == [escaped(record.a_text) for record in expected]


async def test_spectra_and_sources_have_files_of_their_own(
    outputs: Any, tmp_path: Path, spectra: Any
) -> None:
    await spectra(3)
    await outputs.export(Source, tmp_path / "source.fits")
    assert len(read(tmp_path / "source.fits", "SOURCE")) == 3
    await outputs.export(ApogeeCoaddedSpectrumInApStar, tmp_path / "spectra.fits")
    table = read(tmp_path / "spectra.fits")
    assert table.colnames.index("sdss_id") < table.colnames.index("snr")
    for name in ("source.fits", "spectra.fits"):
        verified(tmp_path / name)


async def test_several_kinds_of_spectra_are_several_tables(
    outputs: Any, tmp_path: Path, every_form: Any
) -> None:
    source = await outputs.find(Source, limit=1)
    boss = BossVisitSpectrum(source_pk=source[0].pk, **BOSS)
    await outputs.save(boss)
    await outputs.save(EveryForm.from_spectrum(boss, v_astra="0.8.1", a_real=1.25))
    kinds = (BossVisitSpectrum, ApogeeCoaddedSpectrumInApStar)
    report = await outputs.export(EveryForm, tmp_path / "both.fits", spectrum_class=kinds)
    assert report.rows == {"BOSS": 1, "APOGEE": 40}
    verified(tmp_path / "both.fits")
    assert read(tmp_path / "both.fits", "BOSS")["a_real"][0] == 1.25


BOSS = {
    "release": "sdss5",
    "filetype": "specFull",
    "run2d": "v6",
    "fieldid": 1,
    "mjd": 59000,
    "catalogid": 1,
    "healpix": 1,
    "spec_file": "a",
}


async def test_a_file_of_every_column_of_aspcap_passes_every_check(
    outputs: Any, tmp_path: Path, spectra: Any, filled: Any
) -> None:
    made = [filled(ASPCAP, spectrum, number + 1) for number, spectrum in enumerate(await spectra(5))]
    await outputs.save_many(made)
    file = tmp_path / "astraAllStarASPCAP-0.6.fits"
    await outputs.export(ASPCAP, file, v_astra="0.6")
    verified(file)
    table = read(file)
    assert str(table["teff"].unit) == "K"
    assert not [name for name in table.colnames if name.startswith("rho_")]
    teff = {record.task_pk: record.teff for record in made}
    assert {int(row["task_pk"]): float(row["teff"]) for row in table} == teff


class Wide(PipelineOutputMixin):
    """Results of more columns than FITS takes."""

    spectrum_class = ApogeeCoaddedSpectrumInApStar
    __annotations__ = {f"c{n}": Real for n in range(1000)}
    locals().update({f"c{n}": column(description="A number") for n in range(1000)})


async def test_more_columns_than_fits_takes_are_refused_with_a_way_out(outputs: Any, tmp_path: Path) -> None:
    with pytest.raises(InvalidFile, match=r"at most 999 columns, and these are \d{4}: .*parquet"):
        await outputs.export(Wide, tmp_path / "a.fits")
    assert names_in(tmp_path) == []


# Checksums.


def test_a_checksum_does_not_depend_on_how_the_bytes_came() -> None:
    draw = random.Random(3)
    data = draw.randbytes(4000)
    whole, pieces = Sum(), Sum()
    whole.add(data)
    at = 0
    while at < len(data):
        size = draw.randint(0, 9)
        pieces.add(data[at : at + size])
        at += size
    assert whole.value == pieces.value


@pytest.mark.parametrize("total", [0, 1, 0xFFFFFFFF, 0x80808080, 0x3A5B405F, 868229149])
def test_an_encoded_checksum_has_letters_and_digits_and_makes_the_sum_zero(total: int) -> None:
    text = encoded(total)
    assert text.isalnum()
    left = Sum()
    zeros = Sum()
    left.add((text[1:] + text[:1]).encode())
    zeros.add(b"0" * 16)
    assert (total + left.value - zeros.value) % 0xFFFFFFFF == 0


async def test_what_needs_no_full_measures_is_written_at_once_and_the_rest_anew(
    outputs: Any, tmp_path: Path, every_form: list[EveryForm]
) -> None:
    taken = [record for record in every_form if record.an_integer == -1]
    assert taken
    for name in ("a_small", "an_integer", "a_text"):
        counted: list[int] = []
        await outputs.export(
            EveryForm,
            tmp_path / f"{name}.fits",
            columns=[name],
            progress=lambda _, rows, counted=counted: counted.append(rows),
        )
        assert len(counted) == 1, "a batch that cannot be written is not told of"
        assert len(read(tmp_path / f"{name}.fits")) == 40
    layout = Layout.of(chosen(Scope.of(EveryForm), ["a_small", "a_text", "a_real", "some_reals"]))
    few, _ = measures(layout.outputs, fully=False)
    assert [output.name for output in few] == ["a_text", "some_reals"]
    every, _ = measures(layout.outputs)
    assert [output.name for output in every] == ["a_small", "a_text", "some_reals"]
