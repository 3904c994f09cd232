"""Measure a line in five real spectra and store the results, in two processes.

    python examples/lines/run.py

Starts a private PostgreSQL that is gone at the end, stores sources and spectra, runs the pipeline over them, and
prints what the database then holds.
"""

from __future__ import annotations

import asyncio
import os

import asyncpg
from lines import HydrogenLine, measure
from spectra import ARCHIVE, read_spectra

from astra_outputs import connect, embedded
from astra_outputs.postgres import sql_files

V_ASTRA = "0.8.0"


async def main() -> None:
    """Do it all."""
    os.environ.setdefault("SAS_BASE_DIR", str(ARCHIVE))  # the processes of the pipeline have it from here
    with embedded.server() as server:
        await show(server.dsn)


async def show(dsn: str) -> None:
    """Make the tables, store the spectra, measure, and print what is stored."""
    connection = await asyncpg.connect(dsn)
    await sql_files.apply(connection, "astra", extra=[sql_files.sql_file(HydrogenLine)])
    await connection.close()
    async with connect(dsn, schema="astra") as outputs:
        spectra = {}
        for source, spectrum in read_spectra():
            if source is not None:
                spectrum.source_pk = (await outputs.save(source)).pk
            await outputs.save(spectrum)
            spectra[spectrum.spectrum_pk] = spectrum
        print(await outputs.run(measure, spectra.values(), v_astra=V_ASTRA, processes=2))
        print("file                              line [Angstrom]  width [Angstrom]")
        for result in await outputs.find(HydrogenLine, order_by="spectrum_pk"):
            name = spectra[result.spectrum_pk].path().name
            print(f"{name:<34}{result.wavelength:>15.2f}  {result.eqw:7.2f} +- {result.e_eqw:.2f}")


if __name__ == "__main__":
    asyncio.run(main())
