"""What a run shows and logs."""

from __future__ import annotations

import asyncio
import io
import logging

from rich.console import Console

from astra_outputs import Outcome
from astra_outputs.events import tell
from astra_outputs.work import Failure, RunReport
from astra_outputs.work.progress import Progress


def report() -> RunReport:
    counts = {Outcome.INSERTED: 1_000, Outcome.REPLACED: 200, Outcome.SPOOLED: 30, Outcome.REJECTED: 4}
    report = RunReport(drawn=1_500, made=1_234, failures=[Failure(7, "ArithmeticError: no fit")])
    report.counts.update(counts)
    return report


async def shown(console: Console, until: str, **options) -> str:
    """Run a progress until its output contains some text, and return all that it wrote."""
    task = asyncio.create_task(Progress(report(), console=console, **options).run())
    async with asyncio.timeout(60):
        while until not in console.file.getvalue():  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    task.cancel()
    await task
    return console.file.getvalue()


async def test_a_file_gets_plain_lines_with_all_counts() -> None:
    text = await shown(Console(file=io.StringIO(), width=200), "\n", every=0.0, total=2_000)
    first = text.splitlines()[0]
    assert first.startswith(
        "1,234 results from 1,500 of 2,000 spectra, 1,200 stored, 30 spooled, 1 failed, 4 refused, "
    )
    assert "\x1b" not in text


async def test_a_file_gets_a_last_line_even_of_a_short_run() -> None:
    console = Console(file=io.StringIO(), width=200)
    task = asyncio.create_task(Progress(report(), console=console, every=3600.0).run())
    await asyncio.sleep(0)
    task.cancel()
    await task
    assert console.file.getvalue().count("1,234 results") == 1


async def test_a_terminal_gets_a_line_that_moves() -> None:
    console = Console(file=io.StringIO(), width=200, force_terminal=True)
    assert "\x1b[" in await shown(console, "1,234 results from 1,500 of 2,000 spectra", total=2_000)


def test_a_log_line_is_readable_and_carries_its_facts(caplog) -> None:
    log = logging.getLogger("astra_outputs.worker")
    with caplog.at_level(logging.INFO):
        tell(log, logging.INFO, "stored", table="the_cannon", seconds=0.04123, why="two words")
    (record,) = caplog.records
    assert record.getMessage() == "stored table=the_cannon seconds=0.041 why='two words'"
    assert (record.event, record.facts["seconds"]) == ("stored", 0.04123)


def test_a_report_of_many_failures_prints_some_and_counts_the_rest() -> None:
    long = RunReport(failures=[Failure(pk, "ArithmeticError") for pk in range(100)])
    assert str(long).count("failed: spectrum") == 20
    assert "failed: 80 more" in str(long)
