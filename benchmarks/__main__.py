"""The command line: run parts, write their results to one file."""

from __future__ import annotations

import asyncio
import json
import time
import traceback
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from benchmarks.measure import load_warning, reason, say
from benchmarks.parts import ALL, DEFAULT, LONG, Length, Only, parts
from benchmarks.report import show
from benchmarks.server import environment, server, set_autovacuum
from benchmarks.tables import KINDS, WIDTHS, Kind
from benchmarks.tuning import GUESS, Batches

FOLDER = Path(__file__).parent / "results"
PUBLISHED = Path(__file__).parents[1] / "docs" / "performance.json"


def main(
    chosen: Annotated[list[str] | None, typer.Argument(help=f"Parts to run: {', '.join(ALL)}.")] = None,
    *,
    quick: Annotated[
        bool,
        typer.Option(
            help="Only what the goals of saving ask: some minutes, twice that the first time, which tunes batches."
        ),
    ] = False,
    width: Annotated[
        list[int] | None, typer.Option(help="Throughput of this width alone: 20, 60 or 200; may be repeated.")
    ] = None,
    table: Annotated[
        list[str] | None, typer.Option(help=f"Throughput on this kind of table alone: {', '.join(KINDS)}.")
    ] = None,
    retune: Annotated[
        bool, typer.Option(help="Look for the best batch sizes again, where only some parts are run.")
    ] = False,
    smoke: Annotated[bool, typer.Option(help="Tiny sizes: does it run?")] = False,
    with_growth: Annotated[bool, typer.Option("--growth", help="Also a table of 10⁴ to 10⁷ rows.")] = False,
    with_layout: Annotated[
        bool, typer.Option("--layout", help="Also storage settings and autovacuum.")
    ] = False,
    with_reading: Annotated[
        bool, typer.Option("--reading", help="Also a million rows read as columns and as records.")
    ] = False,
    largest: Annotated[int, typer.Option(help="Rows up to which the table grows.")] = 10**7,
    output: Annotated[
        Path | None, typer.Option(help="File to which results are written, part by part.")
    ] = None,
) -> None:
    """Run the benchmarks and print what came of them."""
    length = Length.SMOKE if smoke else Length.QUICK if quick else Length.FULL
    output = output or FOLDER / f"{'performance' if length == Length.FULL else length}.json"
    names = list(chosen or (("throughput",) if length == Length.QUICK else DEFAULT))
    asked = {"growth": with_growth, "layout": with_layout, "reading": with_reading}
    names += [name for option in LONG if asked[option] for name in LONG[option] if name not in names]
    _refuse_unknown("part", names, ALL)
    _refuse_unknown("kind of table", table or (), tuple(KINDS))
    _refuse_unknown("width", map(str, width or ()), tuple(map(str, WIDTHS)))
    kinds: tuple[Kind, ...] = tuple(kind for kind in KINDS if kind in (table or KINDS))
    only = Only(tuple(width or WIDTHS), kinds)
    if length != Length.SMOKE and "tuning" not in names and {"throughput", "connections"} & set(names):
        known = _tuned(output)
        if retune or not all(known.knows(kind, width) for kind in only.kinds for width in only.widths):
            names.insert(0, "tuning")
    with server(quick=smoke, reading=set(names) <= set(LONG["reading"])) as dsn:
        found = asyncio.run(_run(dsn, names, length, only, largest=largest, output=output))
    show(found if length == Length.QUICK or only.narrowed else _known(output))
    if any("error" in part for part in found.values()):
        raise typer.Exit(1)


def _refuse_unknown(what: str, names: Iterable[str], known: Sequence[str]) -> None:
    unknown = [name for name in names if name not in known]
    if unknown:
        raise typer.BadParameter(f"no such {what}: {', '.join(unknown)}; there are {', '.join(known)}")


async def _run(
    dsn: str, names: list[str], length: Length, only: Only, *, largest: int, output: Path
) -> dict[str, Any]:
    """Run parts one after the other and return what came of them; each is written down as it ends."""
    await set_autovacuum(dsn, on=False)
    guess = GUESS if length != Length.SMOKE else 100
    todo = parts(dsn, length, only, lambda: _tuned(output, guess), largest=largest)
    done = {}
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
        short = length != Length.FULL or only.narrowed
        done[name] = {"environment": where, "minutes": minutes, "quick": short, **found}
        _write(output, {name: done[name]}, keep_cells=only.narrowed)
        say(f"{name} took {minutes} minutes; written to {output}")
    return done


def _tuned(output: Path, guess: int = GUESS) -> Batches:
    """Return the batch sizes found by this run or an earlier one, else those that were published."""
    known = _known(output)
    return Batches((known if "tuning" in known else _known(PUBLISHED)).get("tuning"), guess)


def _known(output: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(output.read_text(encoding="utf-8")) if output.is_file() else {}
    return found


def _write(output: Path, found: dict[str, Any], *, keep_cells: bool) -> None:
    """Put a part's results into the file; the others' stay, and the widths and tables not asked for."""
    output.parent.mkdir(parents=True, exist_ok=True)
    known = _known(output)
    results = _merged(known, found) if keep_cells else known | found
    output.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")


def _merged(known: Any, found: Any) -> Any:
    if not (isinstance(known, dict) and isinstance(found, dict)):
        return found
    return known | {name: _merged(known.get(name), value) for name, value in found.items()}


if __name__ == "__main__":
    typer.run(main)
