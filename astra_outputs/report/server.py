"""What a DBA looks at: sizes, dead rows, when tables were vacuumed, indexes, and the slowest statements."""

from __future__ import annotations

from astra_outputs.postgres.sql import qualified
from astra_outputs.report.asking import Asking
from astra_outputs.report.grid import Cell, count, grid, moment, real, share, size
from astra_outputs.report.markup import Html, element, joined
from astra_outputs.report.page import Section

STATEMENTS = 25
"""How many statements are shown."""

LONGEST = 600
"""Letters of a statement that are shown."""

SETTLED = 100
"""Pages of rows from which on an estimate of free space says something; bytes of a page: 8,192."""


async def for_dbas(asking: Asking) -> Section:
    """Return the part of the page about the database itself."""
    parts: list[Html] = []
    for title, part in (("Tables", _tables), ("Indexes", _indexes), ("Slowest statements", _statements)):
        with asking.unless_refused(title.lower()):
            parts.append(element("div", element("h3", title), await part(asking)))
    return Section("server", "For DBAs", joined(parts))


async def _tables(asking: Asking) -> Html:
    header = (
        "table",
        "rows",
        "size",
        "indexes",
        "dead rows",
        "dead",
        "free space",
        "updates in page",
        "vacuumed",
        "analysed",
    )
    rows = [
        (
            row["name"],
            count(row["estimated_rows"]),
            size(row["bytes"]),
            size(row["index_bytes"]),
            count(row["dead_rows"]),
            share(row["dead_rows"], (row["dead_rows"] or 0) + row["estimated_rows"]),
            _free(row["row_bytes"], row["needed_bytes"]),
            share(row["updated_in_page"], row["updated"]),
            moment(row["vacuumed"]),
            moment(row["analysed"]),
        )
        for row in await asking.rows("tables", asking.database.schema)
    ]
    told = element(
        "p",
        "Rows and free space are estimates from the last analysis. Free is what a table has beyond its rows, "
        "packed as its fill factor says: room for new rows, or bloat. Updates in page touched no index.",
        class_="faint",
    )
    return element(
        "div", told, grid("Tables", header, rows, nothing="The schema has no tables that this user may see.")
    )


def _free(there: int, needed: float | None) -> Cell:
    if needed is None or not needed or there < SETTLED * 8192:
        return share(None, None)
    return share(max(there - needed, 0), there)


async def _indexes(asking: Asking) -> Html:
    rows = [
        (
            row["name"],
            row["of_table"],
            size(row["bytes"]),
            count(row["scans"]),
            "unique" if row["keeps_unique"] else "",
            "" if row["is_valid"] else "invalid",
        )
        for row in await asking.rows("indexes", asking.database.schema)
    ]
    return grid("Indexes", ("index", "table", "size", "used", "kind", "state"), rows)


async def _statements(asking: Asking) -> Html:
    schemas = await asking.rows("schema_of_statements")
    if not schemas:
        return element("p", "pg_stat_statements is not installed in this database.", class_="nothing")
    found = await asking.rows(
        "slowest_statements", STATEMENTS, statements=qualified(schemas[0][0], "pg_stat_statements")
    )
    rows = [
        (
            element("code", _shortened(row["query"])),
            count(row["calls"]),
            real(row["total_exec_time"] / 1000),
            real(row["mean_exec_time"]),
            real(row["max_exec_time"]),
            count(row["rows"]),
        )
        for row in found
    ]
    header = ("statement", "calls", "total [s]", "mean [ms]", "longest [ms]", "rows")
    return grid("Slowest statements", header, rows)


def _shortened(query: str | None) -> str:
    words = " ".join((query or "").split())
    return words if len(words) <= LONGEST else f"{words[:LONGEST]} ..."
