"""Compare two versions of the same spectra's results, without async."""

import astra_outputs
from astra_outputs import TheCannon

if __name__ == "__main__":
    with astra_outputs.open(schema="astra") as outputs:
        print(outputs.compare(TheCannon, "0.8", "0.9"))
