"""Write results with their spectra and sources to a file."""

import astra_outputs
from astra_outputs import TheCannon

if __name__ == "__main__":
    with astra_outputs.open(schema="astra") as outputs:
        print(outputs.export(TheCannon, "the_cannon.csv", v_astra="0.9", overwrite=True))
