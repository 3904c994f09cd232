"""The files of spectra: where the survey keeps them, and how their pixels are read."""
