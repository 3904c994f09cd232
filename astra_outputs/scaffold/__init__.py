"""A pipeline's first files, written for its author."""
