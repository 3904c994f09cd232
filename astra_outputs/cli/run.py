"""`astra-outputs run`: a worker for a batch scheduler, or for a terminal."""

from __future__ import annotations

import asyncio
import logging
import sys
from pathlib import Path
from typing import Annotated

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


def run(
    pipeline: Annotated[str, typer.Argument(help="Generator function, as package.module:function.")],
    spectra: Spectra,
    v_astra: Version = None,
    record: Annotated[
        str | None,
        typer.Option(
            help="Table or class of the results, where the function's annotation does not say it.",
            autocompletion=complete_table,
            show_default=False,
        ),
    ] = None,
    shard: Share = None,
    limit: Limit = None,
    redo: Again = None,
    sdss_ids: Stars = None,
    watch: Annotated[
        float | None,
        typer.Option(help="Look for new spectra again after so many seconds, for ever.", show_default=False),
    ] = None,
    processes: Annotated[
        int, typer.Option(help="Processes that the pipeline runs in; 0 for this one.", min=0)
    ] = 0,
    batch_size: Annotated[int, typer.Option(help="Results that are stored together.", min=1)] = 1_000,
    max_age: Annotated[
        float, typer.Option(help="Seconds after which a result is stored, however few there are.", min=0)
    ] = 300.0,
    spool: Annotated[
        Path | None,
        typer.Option(
            help="Folder for results while the database is away: one that outlives the job.",
            envvar="ASTRA_OUTPUTS_SPOOL",
            show_default="astra-outputs-spool",
        ),
    ] = None,
    trust_spool: Annotated[
        bool, typer.Option("--trust-spool", help="Accept a folder that others own or can write to.")
    ] = False,
    grace: Annotated[float, typer.Option(help="Seconds to end in after SIGTERM or Ctrl-C.", min=0)] = 30.0,
    retry_for: Annotated[
        float, typer.Option(help="Seconds for which the database may be away before results are spooled.")
    ] = 60.0,
    json: Json = False,
    records: Records = None,
    dsn: Dsn = None,
    schema: Schema = "astra",
) -> None:
    """Run a pipeline on the spectra that wait for it, and store the results.

    Start it again after it was killed, and it goes on where it was. Exits with 0 if every result is
    stored, and with 1 if some are refused, lost or still on the disk; failures of the pipeline are
    listed, and tried again by the next run.
    """
    from astra_outputs.cli.named import class_named, classes_of_module, pipeline_named, result_class
    from astra_outputs.cli.worker import Worker
    from astra_outputs.reading.pending import Pending
    from astra_outputs.work import RunOptions

    logging.basicConfig(
        level=logging.WARNING if sys.stderr.isatty() else logging.INFO,
        format="%(asctime)s %(levelname)s %(name)s %(message)s",
    )
    # The pool's own warnings, with the driver's traceback, say no more than ours.
    logging.getLogger("asyncpg").setLevel(logging.ERROR)
    function = pipeline_named(pipeline)
    version, nearby = wanted_version(v_astra), classes_of_module(function)
    made = result_class(function) if record is None else class_named(record, records or (), also=nearby)
    options = RunOptions(
        v_astra=version,
        batch_size=batch_size,
        max_age=max_age,
        processes=processes,
        spool=spool,
        trust_spool=trust_spool,
        grace=grace,
        progress=True,
    )
    kinds = spectra_named(spectra, records or (), nearby)
    asked = [Pending.of(made, kind, version, share(shard), None, redo, stars_in(sdss_ids)) for kind in kinds]
    worker = Worker(function, asked, options, watch, limit, json)
    asyncio.run(worker.work(dsn, schema, retry_for))
    if worker.code:
        raise typer.Exit(worker.code)
