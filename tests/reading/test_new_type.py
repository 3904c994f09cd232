"""A type of columns is one object: what reads and writes files knows it by that alone."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any
from uuid import UUID

import asyncpg
import pytest
from pydantic import Field
from pydantic_core import core_schema

from astra_outputs import ApogeeCoaddedSpectrumInApStar, Flags, PipelineOutputMixin, Real, column
from astra_outputs.model.column_type import ColumnType

IDENTIFIER = ColumnType(
    sql="uuid",
    schema=core_schema.str_schema(strict=True),
    convert=str,
    payload=lambda value: UUID(value).bytes,
    parameter=UUID,
    from_server=lambda value: None if value is None else str(value),
    literal='"00000000-0000-0000-0000-000000000001"',
    example=lambda number: str(UUID(int=int(number))),
)
Identifier = Annotated[str | None, IDENTIFIER, Field(default=None)]


class Identified(PipelineOutputMixin):
    """Results with a column of a type that nothing else knows."""

    spectrum_class = ApogeeCoaddedSpectrumInApStar

    teff: Real = column(unit="K", description="Effective temperature")
    run_id: Identifier = column(description="Identifier of the run")
    result_flags: Flags = column(description="Quality of the result")


RUN = "3f2504e0-4f89-11d3-9a0c-0305e82c3301"


async def test_a_type_that_nothing_else_knows_is_read_and_written_as_text(
    outputs: Any, spectra: Any, connection: asyncpg.Connection, tmp_path: Path
) -> None:
    await connection.execute(
        "create table astra.identified (like astra.the_cannon including all);"
        "alter table astra.identified add column run_id uuid"
    )
    for spectrum, run in zip(await spectra(2), (RUN, None), strict=True):
        await connection.execute(
            "insert into astra.identified (spectrum_pk, source_pk, v_astra, run_id) values ($1, $2, 8000, $3)",
            *(spectrum.spectrum_pk, spectrum.source_pk, run),
        )
    found = await outputs.find(Identified, "run_id = $1 or run_id is null", RUN, order_by="task_pk")
    assert [record.run_id for record in found] == [RUN, None]
    columns = outputs.columns(Identified, columns=["run_id"], order_by="task_pk")
    assert (await columns.to_arrow())["run_id"].to_pylist() == [RUN, None]
    assert (await columns.to_numpy())["run_id"].tolist() == [RUN, None]
    for ending in ("fits", "csv", "ecsv", "parquet"):
        await outputs.export(Identified, tmp_path / f"a.{ending}", columns=["run_id"], order_by="task_pk")
    table = pytest.importorskip("astropy.table").Table.read(tmp_path / "a.fits", hdu="APOGEE")
    assert [value or None for value in table["run_id"].filled("")] == [RUN, None]
    assert (tmp_path / "a.csv").read_text().split("\n") == ["run_id", RUN, '""', ""]
