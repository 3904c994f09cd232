"""The report page: how far the pipelines are and what the database is like, in one file that needs no other."""
