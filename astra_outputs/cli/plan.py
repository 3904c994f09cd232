"""`astra-outputs plan`: how large a survey becomes, how long it takes, and when one machine ends."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from astra_outputs.cli.options import Json
from astra_outputs.cli.selection import complete_table
from astra_outputs.printable import as_json

if TYPE_CHECKING:
    from astra_outputs.planning import Plan, Wanted


def plan(
    spectra: Annotated[float, typer.Option("--spectra", help="Spectra with results, as 20e6.")],
    versions: Annotated[float, typer.Option("--versions", help="Major.minor versions that are kept.")] = 1,
    pipelines: Annotated[
        list[str] | None,
        typer.Option(
            "--pipelines",
            help="Tables of results, with commas between or given several times; or how many, of a mean width. "
            "All built-in ones if not given.",
            autocompletion=complete_table,
            show_default=False,
        ),
    ] = None,
    patches: Annotated[float, typer.Option(help="How often each version is stored again.")] = 1,
    days: Annotated[float, typer.Option(help="Days in which a version is to be stored.")] = 30,
    disk: Annotated[float, typer.Option(help="The server's disk, in TB.")] = 4,
    memory: Annotated[float, typer.Option(help="Its memory, in GiB.")] = 64,
    cores: Annotated[float, typer.Option(help="Its cores.")] = 16,
    workers: Annotated[float, typer.Option(help="Processes of pipelines at the same time.")] = 32,
    json: Json = False,
) -> None:
    """Predict size, time and connections of a survey, and say which step comes after one machine.

    From what each built-in table took when it was measured (`python -m benchmarks.planning`); docs/scale.md says on what.
    """
    from astra_outputs.planning import Wanted
    from astra_outputs.planning import plan as predicted

    wanted = Wanted(
        spectra, versions, _pipelines(pipelines or []), patches, days, disk, memory, cores, workers
    )
    found = predicted(wanted)
    typer.echo(as_json(found.as_dict()) if json else _in_words(found, wanted))


def _pipelines(given: list[str]) -> list[str] | float:
    names = [name.strip() for text in given for name in text.split(",") if name.strip()]
    if len(names) == 1:
        try:
            return float(names[0])
        except ValueError:
            pass
    return names


def _in_words(found: Plan, wanted: Wanted) -> str:
    widest = max(len(table.name) for table in found.tables)
    lines = [f"{'table':{widest}} {'rows':>15} {'size':>9} {'indexes':>9} {'to store':>9}"]
    lines += [
        f"{table.name:{widest}} {table.rows:15,} {_bytes(table.heap + table.indexes):>9} {_bytes(table.indexes):>9} "
        f"{_time(table.seconds):>9}"
        for table in found.tables
    ]
    lines += [
        "",
        f"size          {_bytes(found.size)}, of these {_bytes(found.indexes)} are indexes",
        f"log           {_bytes(found.wal)} for an archive or a standby, over all versions and patches",
        f"load          {_time(found.load)} on one connection; {found.loading} store a version within {wanted.days:g} days",
        f"connections   {found.connections} for {wanted.workers:g} workers"
        + (": a pooler before the server (docs/pgbouncer.md)" if found.pooler else ""),
        f"vacuum        {_time(found.vacuum)} after a patch of every version",
        f"backup        {_bytes(found.dump)}, {_time(found.dumping)} to dump, {_time(found.restoring)} to restore",
        "",
        f"now           {found.step}",
        *(f"              {reason}" for reason in found.why),
        *(f"{what:13} ends with {versions:,.1f} versions" for what, versions in found.ends.items()),
    ]
    return "\n".join(lines)


def _bytes(number: float) -> str:
    for unit in ("B", "kB", "MB", "GB"):
        if number < 1_000:
            return f"{number:.3g} {unit}"
        number /= 1_000
    return f"{number:,.3g} TB" if number < 1_000 else f"{number:,.0f} TB"


def _time(seconds: float) -> str:
    for unit, size in (("s", 60), ("min", 60), ("h", 48)):
        if seconds < size:
            return f"{seconds:.3g} {unit}"
        seconds /= size if unit != "h" else 24
    return f"{seconds:,.3g} d" if seconds < 1_000 else f"{seconds:,.0f} d"
