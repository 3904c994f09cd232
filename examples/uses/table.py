"""Store a table of results, here of NumPy arrays; data frames, Arrow and FITS tables go the same way."""

import numpy as np

import astra_outputs
from astra_outputs import TheCannon

if __name__ == "__main__":
    with astra_outputs.open(schema="astra") as outputs:
        spectra = np.arange(1, 4)
        table = {"spectrum_pk": spectra, "teff": 4800.0 + 10 * spectra, "logg": np.array([4.4, np.nan, 2.1])}
        print(outputs.save_table(TheCannon, table, v_astra="1.0.0"))
