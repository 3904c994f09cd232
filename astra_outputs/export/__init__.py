"""Files of results, as the survey publishes them: FITS, Parquet, CSV and ECSV, streamed."""
