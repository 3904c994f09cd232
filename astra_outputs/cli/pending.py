"""`astra-outputs pending`: the spectra that wait for a pipeline."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from itertools import islice
from typing import TYPE_CHECKING, Annotated, Any

import typer

from astra_outputs.cli.options import Dsn, Json, Records, Schema
from astra_outputs.cli.selection import (
    Again,
    Limit,
    Share,
    Spectra,
    Stars,
    Version,
    complete_table,
    share,
    spectra_named,
    stars_in,
    wanted_version,
)
from astra_outputs.printable import as_json

if TYPE_CHECKING:
    from astra_outputs.model.pipeline import PipelineOutputMixin
    from astra_outputs.reading.pending import Pending


def pending(
    table: Annotated[
        str, typer.Argument(help="Table or class of the results.", autocompletion=complete_table)
    ],
    spectra: Spectra,
    v_astra: Version = None,
    shard: Share = None,
    limit: Limit = None,
    redo: Again = None,
    sdss_ids: Stars = None,
    count: Annotated[bool, typer.Option("--count", help="Print how many there are.")] = False,
    json: Json = False,
    records: Records = None,
    dsn: Dsn = None,
    schema: Schema = "astra",
) -> None:
    """List the keys (spectrum_pk) of the spectra that wait for a pipeline, one a line."""
    from astra_outputs.cli.named import class_named
    from astra_outputs.reading.pending import Pending

    made: type[PipelineOutputMixin] = class_named(table, records or ())
    version = wanted_version(v_astra)
    stars, part = stars_in(sdss_ids), share(shard)
    asked = [
        Pending.of(made, kind, version, part, limit, redo, stars)
        for kind in spectra_named(spectra, records or ())
    ]
    if count:
        found = asyncio.run(_count(asked, dsn, schema))
        found = found if limit is None else min(found, limit)
        typer.echo(as_json({"pending": found}) if json else found)
        return
    keys: list[int] = []
    asyncio.run(_list(asked, dsn, schema, keys.append if json else typer.echo, limit))
    if json:
        typer.echo(as_json({"pending": keys}, indent=None))


async def _count(asked: list[Pending[Any]], dsn: str | None, schema: str) -> int:
    from astra_outputs.repository import connect

    async with connect(dsn, schema=schema, connections=1) as outputs:
        return sum([await one.count(outputs.store.database) for one in asked])


async def _list(
    asked: list[Pending[Any]], dsn: str | None, schema: str, take: Callable[[Any], Any], limit: int | None
) -> None:
    from astra_outputs.repository import connect

    left = iter(range(limit)) if limit is not None else None
    async with connect(dsn, schema=schema, connections=1) as outputs:
        for one in asked:
            async for spectrum in one.stream(outputs.store.database):
                if left is not None and not list(islice(left, 1)):
                    return
                take(spectrum.spectrum_pk)
