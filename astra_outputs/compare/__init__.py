"""Results of the same spectra side by side: two versions of a pipeline, or two pipelines."""
