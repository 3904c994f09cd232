"""The command line: run parts, write their results to one file."""

from __future__ import annotations

import asyncio
import json
import time
import traceback
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import typer

from benchmarks import growth, layout, memory, small, throughput, validation, workers
from benchmarks.measure import load_warning, reason, say
from benchmarks.peers import CONNECTIONS, MODULES, REFERENCE
from benchmarks.report import show
from benchmarks.server import environment, server, set_autovacuum

RESULTS = Path(__file__).parent / "results" / "performance.json"
DEFAULT = ("throughput", "connections", "single", "batches", "validation", "workers", "memory")
LONG = ("growth", "layout", "autovacuum")


def parts(dsn: str, *, quick: bool, largest: int) -> dict[str, Callable[[], Awaitable[dict[str, Any]]]]:
    """Return every part, ready to run."""
    sizes = [10**power for power in range(2 if quick else 4, 8) if 10**power <= largest]

    async def validate() -> dict[str, Any]:
        return validation.run(*((200, 3) if quick else (2_000, 15)))

    if quick:
        ours = (name for name, place in MODULES.items() if place.startswith("benchmarks.peers.ours:"))
        ways = ("peewee", "peewee_models", "asyncpg_copy", "encoded_copy", *ours)
        return {
            "throughput": lambda: throughput.run(dsn, throughput.QUICK, ways),
            "connections": lambda: throughput.run(
                dsn, replace(throughput.QUICK, phases=("existing",)), (REFERENCE, *CONNECTIONS)
            ),
            "single": lambda: small.single(dsn, {20: 50}),
            "batches": lambda: small.batches(dsn, (20,), 200, 2),
            "validation": validate,
            "workers": lambda: workers.run(dsn, 400, 200, 1),
            "memory": lambda: memory.run(dsn, 2_000, 500),
            "growth": lambda: growth.run(dsn, sizes[:2], 100, 100, 2),
            "layout": lambda: layout.run(dsn, {20: 500}, 2, layout.variants((100, 50))),
            "autovacuum": lambda: layout.run_autovacuum(dsn, {20: 500}, 2, layout.autovacuums((100,))),
        }
    return {
        "throughput": lambda: throughput.run(dsn, throughput.FULL),
        "connections": lambda: throughput.run(dsn, throughput.RERUN, (REFERENCE, *CONNECTIONS)),
        "single": lambda: small.single(dsn, small.SINGLE),
        "batches": lambda: small.batches(dsn, (20, 60, 200), 2_000, 15),
        "validation": validate,
        "workers": lambda: workers.run(dsn, 10_000, 1_000, 2),
        "memory": lambda: memory.run(dsn, 1_000_000, 2_000),
        "growth": lambda: growth.run(dsn, sizes, 20_000, 2_000, 7),
        "layout": lambda: layout.run(dsn, {20: 40_000, 200: 10_000}, 8, layout.variants()),
        "autovacuum": lambda: layout.run_autovacuum(dsn, {20: 100_000, 200: 20_000}, 4, layout.autovacuums()),
    }


def main(
    chosen: Annotated[
        list[str] | None, typer.Argument(help=f"Parts to run: {', '.join(DEFAULT + LONG)}.")
    ] = None,
    *,
    quick: Annotated[bool, typer.Option(help="Tiny sizes: does it run?")] = False,
    with_growth: Annotated[bool, typer.Option("--growth", help="Also a table of 10⁴ to 10⁷ rows.")] = False,
    with_layout: Annotated[
        bool, typer.Option("--layout", help="Also storage settings and autovacuum.")
    ] = False,
    largest: Annotated[int, typer.Option(help="Rows up to which the table grows.")] = 10**7,
    output: Annotated[Path, typer.Option(help="File to which results are written, part by part.")] = RESULTS,
) -> None:
    """Run the benchmarks and print what came of them."""
    names = list(chosen or DEFAULT)
    names += [
        name for name in LONG if name not in names and (with_growth if name == "growth" else with_layout)
    ]
    unknown = [name for name in names if name not in DEFAULT + LONG]
    if unknown:
        raise typer.BadParameter(f"no such part: {', '.join(unknown)}; there are {', '.join(DEFAULT + LONG)}")
    with server(quick=quick) as dsn:
        asyncio.run(_run(dsn, names, quick=quick, largest=largest, output=output))
    results = json.loads(output.read_text(encoding="utf-8"))
    show(results)
    if any("error" in results[name] for name in names):
        raise typer.Exit(1)


async def _run(dsn: str, names: list[str], *, quick: bool, largest: int, output: Path) -> None:
    await set_autovacuum(dsn, on=False)
    todo = parts(dsn, quick=quick, largest=largest)
    for name in names:
        warning = load_warning()
        if warning:
            say(f"[yellow]{warning}[/]")
        start, where = time.monotonic(), await environment(dsn)
        try:
            found = await todo[name]()
        except Exception as error:  # noqa: BLE001 (a part that fails is reported, and the next one runs)
            traceback.print_exc()
            found = {"error": reason(error)}
        minutes = round((time.monotonic() - start) / 60, 2)
        _write(output, name, {"environment": where, "minutes": minutes, "quick": quick, **found})
        say(f"{name} took {minutes} minutes; written to {output}")


def _write(output: Path, name: str, found: dict[str, Any]) -> None:
    """Put one part's results into the file; the others' stay."""
    output.parent.mkdir(parents=True, exist_ok=True)
    known = json.loads(output.read_text(encoding="utf-8")) if output.is_file() else {}
    output.write_text(json.dumps(known | {name: found}, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    typer.run(main)
