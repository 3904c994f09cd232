"""The values of records as columns: as they were when they were read, whatever their dictionaries look like."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
from on_citus import distribute_table

from astra_outputs import ASPCAP, Json, PipelineOutputMixin, RealArray, TheCannon, column
from astra_outputs.postgres import sql_files
from astra_outputs.saving import columns
from astra_outputs.saving.columns import RecordColumns

NAMES = ("spectrum_pk", "source_pk", "v_astra", "tag", "teff", "logg", "ier", "result_flags")


def record(number: int) -> TheCannon:
    spectrum = SimpleNamespace(spectrum_pk=number, source_pk=None if number % 3 else number)
    values = {"teff": None if number % 5 else number / 4, "tag": f"run {number % 2}", "ier": number}
    return TheCannon.from_spectrum(spectrum, values, v_astra="0.8.1", logg=float(number))


def shuffled(one: TheCannon) -> TheCannon:
    """The same record, its dictionary in another order."""
    values = dict(one.__dict__)
    one.__dict__.clear()
    one.__dict__.update(sorted(values.items(), reverse=True))
    return one


def saved(one: TheCannon) -> TheCannon:
    one.__dict__["outcome"] = "inserted"
    return one


@pytest.mark.parametrize("many", [10, 10**9], ids=["as arrays", "as they are"])
@pytest.mark.parametrize("count", [1, 2, 31, 32, 33, 300])
def test_every_value_stands_where_it_belongs(monkeypatch, many: int, count: int) -> None:
    monkeypatch.setattr(columns, "MANY", many)
    changes = [lambda one: one, shuffled, saved, lambda one: shuffled(saved(one))]
    records = [record(number) for number in range(count)]
    expected = {name: [getattr(one, name) for one in records] for name in NAMES}
    read = RecordColumns(TheCannon)
    for number, one in enumerate(records):
        read.read([changes[number % len(changes)](one)])
    order = np.arange(count)[::-1]
    for name in NAMES:
        assert read.values(name, np.arange(count)) == expected[name]
        assert read.values(name, order) == expected[name][::-1]
    keys = read.keys(("spectrum_pk", "v_astra_major_minor"), order)
    assert keys is not None
    assert list(keys.columns[0]) == list(range(count))[::-1]
    assert set(keys.columns[1]) == {8}
    assert read.keys(("source_pk",), order) is None or count == 1


@pytest.mark.parametrize("many", [10, 10**9], ids=["as arrays", "as they are"])
def test_what_is_sent_does_not_change_with_the_record(monkeypatch, many: int) -> None:
    monkeypatch.setattr(columns, "MANY", many)
    one = ASPCAP.from_spectrum(SimpleNamespace(spectrum_pk=1, source_pk=2), v_astra="0.8.1", teff=1.0)
    read = RecordColumns(ASPCAP)
    read.read([one, one])
    one.teff = 2.0
    read.read([one])
    assert read.values("teff", np.arange(3)) == [1.0, 1.0, 2.0]


class Noted(PipelineOutputMixin):
    """Results with notes."""

    notes: Json = column(description="Notes")
    some_reals: RealArray = column(description="Some reals")


@pytest.mark.parametrize("many", [1, 10**9], ids=["as arrays", "as they are"])
async def test_json_that_python_takes_for_equal_is_stored_as_it_is(
    monkeypatch, outputs, connection, spectra, many: int
) -> None:
    monkeypatch.setattr(columns, "MANY", many)
    sql = sql_files.sql_file(TheCannon).read_text().replace("the_cannon", "noted")
    await connection.execute(f"set search_path to astra; {sql}")
    await connection.execute("alter table astra.noted add notes jsonb, add some_reals real[]")
    await distribute_table(connection, "noted")
    stored = await spectra(3)
    notes = [{"a": 1}, {"a": True}, {"a": 1.0}]
    reals = [[0.0], [-0.0], [0.0]]
    pairs = zip(stored, notes, reals, strict=True)
    await outputs.save_many(
        Noted.from_spectrum(spectrum, v_astra="0.8.1", notes=note, some_reals=real)
        for spectrum, note, real in pairs
    )
    found = [await outputs.get_result(Noted, spectrum) for spectrum in stored]
    assert [repr(one.notes) for one in found] == [repr(note) for note in notes]
    assert [repr(one.some_reals) for one in found] == [repr(real) for real in reals]
