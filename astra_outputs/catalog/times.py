"""Times that another clock, or another time zone, has written: rows are numbered in the order in which they came."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from astra_outputs.catalog.difference import Difference, Says
from astra_outputs.model.record import Record
from astra_outputs.postgres.database import Connection
from astra_outputs.postgres.sql import literal, qualified, quote, templates

TIMES = ("created", "modified")


async def times_out_of_order(
    connection: Connection, schema: str, record_classes: Sequence[type[Record]], *, zone: str | None = None
) -> list[Difference]:
    """Return the tables in which times go back, or have not come yet, by more than ten minutes.

    A worker that writes the time of its own zone into a column without one, or through a session of another zone, is
    found by this: the row that it wrote seems to be hours older, or younger, than the one numbered before it.

    Parameters
    ----------
    connection : asyncpg.Connection
    schema : str
    record_classes : sequence of type[Record]
        Those without a table, or without times, are passed over. Each table is read once.
    zone : str, optional
        In which zone times are taken that have none; that of the session if not given.
    """
    found: list[Difference] = []
    for record_class in record_classes:
        table = record_class.table
        columns = await connection.fetch(templates("catalog")["types"].text, schema, table)
        types: dict[str, str] = {row["attname"]: row["type"] for row in columns}
        if not {*TIMES, record_class.primary_key} <= types.keys():
            continue
        statement = templates("times")["times_out_of_order"].fill(
            key=quote(record_class.primary_key),
            table=qualified(schema, table),
            **{name: _aware(name, types[name], zone) for name in TIMES},
        )
        row = await connection.fetchrow(statement)
        assert row is not None  # noqa: S101 (counts are one row)
        said = [
            (row["back"], row["back_by"], "go back by up to {} against the row numbered before"),
            (row["before"], row["before_by"], "were modified up to {} before they were created"),
            (row["ahead"], row["ahead_by"], "are of a time that has not come, by up to {}"),
        ]
        found += [
            Difference(table, None, "times", {Says.DATABASE: f"{count:,} rows {words.format(_hours(by))}"})
            for count, by, words in said
            if count
        ]
    return found


def _aware(name: str, kind: str, zone: str | None) -> str:
    if "with time zone" in kind:
        return quote(name)
    written_in = literal(zone) if zone else "current_setting('timezone')"
    return f"{quote(name)} at time zone {written_in}"


def _hours(by: timedelta) -> str:
    minutes = round(by.total_seconds() / 60)
    return f"{minutes // 60} h {minutes % 60:02} min"
