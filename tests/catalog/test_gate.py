"""A table that is otherwise is refused before the first row, with the statement that mends it."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from typing import Any

import asyncpg
import pytest

from astra_outputs import ApogeeCoaddedSpectrumInApStar, Outcome, Outputs, TheCannon
from astra_outputs.errors import SchemaMismatch

VERSION = "0.8.1"


@pytest.fixture(autouse=True)
async def no_views(connection: asyncpg.Connection) -> None:
    """Views hold on to their columns; none is in the way of the damage done here."""
    for name in await connection.fetch("select viewname from pg_views where schemaname = 'astra'"):
        await connection.execute(f'drop view if exists astra."{name[0]}" cascade')


def result(spectrum: Any, **values: Any) -> TheCannon:
    return TheCannon.from_spectrum(spectrum, v_astra=VERSION, **values)


MENDED = {
    "a column is missing": "alter table astra.the_cannon drop column teff",
    "a column with a default is missing": "alter table astra.the_cannon drop column result_flags",
    "a required column is missing": "alter table astra.the_cannon drop column tag",
    "the time of storing is missing": "alter table astra.the_cannon drop column modified",
    "the default of the time is missing": "alter table astra.the_cannon alter column created drop default",
    "a column is of another type": "alter table astra.the_cannon alter column teff type double precision",
    "a column must have a value": "alter table astra.the_cannon alter column teff set not null",
    "the key is missing": "alter table astra.the_cannon drop constraint the_cannon_spectrum_version_key",
    "the generated column is missing": (
        "alter table astra.the_cannon drop column v_astra_major_minor cascade"
    ),
}  # fmt: skip


@pytest.mark.parametrize("damage", MENDED.values(), ids=MENDED)
async def test_what_the_gate_advises_mends_the_table(
    outputs: Outputs, connection: asyncpg.Connection, spectrum: Any, damage: str
) -> None:
    await connection.execute(damage)
    with pytest.raises(SchemaMismatch, match="cannot store a TheCannon") as caught:
        await outputs.save(result(spectrum))
    statements = re.findall(r"mend it by: (.*;)$", str(caught.value), re.MULTILINE)
    assert statements
    for statement in statements:
        await connection.execute(statement)
    assert (await outputs.save(result(spectrum))).outcome is Outcome.INSERTED


async def test_a_table_that_is_missing_is_mended_by_its_file(
    outputs: Outputs, connection: asyncpg.Connection, spectrum: Any
) -> None:
    await connection.execute("drop table astra.the_cannon cascade")
    with pytest.raises(SchemaMismatch, match=r"apply the SQL file of the_cannon, the_cannon\.sql"):
        await outputs.save(result(spectrum))


async def test_spectra_whose_column_must_have_a_value_are_refused_as_a_whole(
    outputs: Outputs, connection: asyncpg.Connection
) -> None:
    await connection.execute("alter table astra.apogee_coadded_spectrum_in_ap_star alter snr set not null")
    spectrum = ApogeeCoaddedSpectrumInApStar(
        release="dr17", apred="1", obj="x", telescope="apo25m", field="f"
    )
    with pytest.raises(SchemaMismatch, match=r'snr, nullability.*\n.*alter column "snr" drop not null'):
        await outputs.save(spectrum)


# Reading.


async def get_by_id(outputs: Outputs) -> Any:
    return await outputs.get_by_id(TheCannon, 1)


async def get_result(outputs: Outputs) -> Any:
    return await outputs.get_result(TheCannon, 1)


async def find(outputs: Outputs) -> Any:
    return await outputs.find(TheCannon, "teff > 0")


reads = pytest.mark.parametrize("read", [get_by_id, get_result, find], ids=lambda read: read.__name__)


@reads
@pytest.mark.parametrize(
    ("damage", "said"),
    [
        ("alter table astra.the_cannon alter column created type timestamp", "the_cannon.created, type"),
        ("alter table astra.the_cannon alter column tag type varchar(20)", "the_cannon.tag, type"),
        ("alter table astra.the_cannon drop column e_teff", "the_cannon.e_teff: missing in the database"),
        ("drop table astra.the_cannon cascade", "the_cannon: missing in the database"),
    ],
)
async def test_rows_of_a_table_that_is_otherwise_are_not_read(
    outputs: Outputs,
    connection: asyncpg.Connection,
    spectrum: Any,
    read: Callable[[Outputs], Awaitable[Any]],
    damage: str,
    said: str,
) -> None:
    await connection.execute(damage)
    with pytest.raises(SchemaMismatch, match=said):
        await read(outputs)


async def test_pending_spectra_of_a_table_that_is_otherwise_are_not_read(
    outputs: Outputs, connection: asyncpg.Connection, spectrum: Any
) -> None:
    await connection.execute(
        "alter table astra.apogee_coadded_spectrum_in_ap_star alter column modified type timestamp"
    )
    with pytest.raises(SchemaMismatch, match="modified, type"):
        [s async for s in outputs.pending(TheCannon, ApogeeCoaddedSpectrumInApStar, v_astra=VERSION)]


@reads
async def test_what_does_not_concern_reading_stops_no_reader(
    outputs: Outputs, connection: asyncpg.Connection, spectrum: Any, read: Callable[[Outputs], Awaitable[Any]]
) -> None:
    await connection.execute(
        "alter table astra.the_cannon add column extra text, alter column teff set not null"
    )
    await connection.execute("alter table astra.the_cannon drop constraint the_cannon_spectrum_version_key")
    await connection.execute("comment on table astra.the_cannon is 'else'")
    assert not await read(outputs)
