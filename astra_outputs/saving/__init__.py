"""Rows on their way into the database, from records and from tables alike."""
