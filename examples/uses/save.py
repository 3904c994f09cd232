"""Store stars, their spectra and results: one by one, or many by one call."""

import asyncio

import astra_outputs
from astra_outputs import ApogeeCoaddedSpectrumInApStar, Source, TheCannon

STARS = {"2M00050116+2740290": 165.2, "2M00052642-1425198": 188.6, "2M00054195+1323465": 9.7}


async def main() -> None:
    """Store them; the database is the one of ASTRA_OUTPUTS_DSN."""
    async with astra_outputs.connect(schema="astra") as outputs:
        sources = [Source(sdss4_apogee_id=name) for name in STARS]
        print(await outputs.save_many(sources))
        spectra = [
            ApogeeCoaddedSpectrumInApStar(
                source_pk=source.pk,
                release="dr17",
                apred="dr17",
                telescope="apo25m",
                field="M42",
                obj=name,
                snr=snr,
            )
            for source, (name, snr) in zip(sources, STARS.items(), strict=True)
        ]
        print(await outputs.save_many(spectra))
        result = TheCannon.from_spectrum(spectra[0], v_astra="0.8.0", teff=5777.0, logg=4.4)
        await outputs.save(result)
        print(result.outcome)


if __name__ == "__main__":
    asyncio.run(main())
