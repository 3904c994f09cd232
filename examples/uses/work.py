"""Run a pipeline on what waits for it, in two processes; results are stored as they are made."""

import asyncio
from collections.abc import Iterator

import astra_outputs
from astra_outputs import ApogeeCoaddedSpectrumInApStar, Results, TheCannon


def the_cannon(spectra: Iterator[ApogeeCoaddedSpectrumInApStar]) -> Results[TheCannon]:
    """Yield a result for each spectrum; real ones would look at its pixels."""
    yield ...  # what all spectra have in common, a model for one, is loaded here
    for spectrum in spectra:
        yield TheCannon.from_spectrum(spectrum, teff=5000.0 + (spectrum.snr or 0.0))


async def main() -> None:
    """Run it, and count what is left."""
    async with astra_outputs.connect(schema="astra") as outputs:
        waiting = outputs.pending(TheCannon, ApogeeCoaddedSpectrumInApStar, v_astra="0.9.0")
        print(await outputs.run(the_cannon, waiting, v_astra="0.9.0", processes=2))
        print(await outputs.count_pending(TheCannon, ApogeeCoaddedSpectrumInApStar, v_astra="0.9.0"), "left")


if __name__ == "__main__":
    asyncio.run(main())
