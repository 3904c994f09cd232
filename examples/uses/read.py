"""Read results: as records, one by one, as columns."""

import asyncio

import astra_outputs
from astra_outputs import TheCannon


async def main() -> None:
    """Ask for the newest results, and print them."""
    async with astra_outputs.connect(schema="astra") as outputs:
        for result in await outputs.find(TheCannon, "teff > $1", 4_000, newest=True):
            print(result)
        async for result in outputs.stream(TheCannon, v_astra="0.9"):
            print(result.spectrum_pk, result.teff)
        columns = await outputs.columns(TheCannon, columns=["spectrum_pk", "teff"]).to_numpy()
        print(len(columns["teff"]), "values")


if __name__ == "__main__":
    asyncio.run(main())
