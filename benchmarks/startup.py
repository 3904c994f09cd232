"""How long an import takes, each time in a process of its own; beside the libraries below, and an older commit."""

from __future__ import annotations

import io
import os
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks.measure import ratio, say, turns

ROOT = Path(__file__).parents[1]
BEFORE = "1ed4d1c"
"""The commit that this one is measured against, if the history at hand goes back so far."""
BEFORE_BESIDE_LIBRARIES = 3.8
"""How many times as long as asyncpg and Pydantic an import took there: for a copy without that history."""

REPOSITORY = "import astra_outputs.repository"
LIBRARIES = "import asyncpg, pydantic"
WAYS = {
    "import astra_outputs": "import astra_outputs",
    "import astra_outputs.repository": REPOSITORY,
    "asyncpg and Pydantic": LIBRARIES,
}
CLOCK = "from time import perf_counter as clock; start = clock(); {}; print(clock() - start)"


def run(rounds: int) -> dict[str, Any]:
    """Return milliseconds of each import, and ratios within rounds."""
    say(f"imports, {rounds} rounds")
    with older_commit() as folder:
        ways = {name: (statement, ROOT) for name, statement in WAYS.items()}
        if folder is not None:
            ways["before"] = REPOSITORY, folder
        taken: dict[str, list[float]] = {name: [] for name in ways}
        for (
            statement,
            place,
        ) in ways.values():  # compiles what has not been, and reads files for the first time
            seconds(statement, place)
        for _, name in turns(list(ways), rounds):
            taken[name].append(seconds(*ways[name]))
    ours = taken["import astra_outputs.repository"]
    beside = ratio(ours, taken["asyncpg and Pydantic"])
    return {
        "rounds": rounds,
        "compared_with": BEFORE,
        "milliseconds": {name: round(1e3 * median(times), 1) for name, times in taken.items()},
        "beside_libraries": round(beside, 3),
        "beside_before": round(
            ratio(ours, taken["before"]) if "before" in taken else beside / BEFORE_BESIDE_LIBRARIES, 3
        ),
    }


def seconds(statement: str, folder: Path) -> float:
    """Return how long a statement takes in a new process that finds the package in a folder."""
    command = [sys.executable, "-c", CLOCK.format(statement)]
    environment = os.environ | {"PYTHONPATH": str(folder)}
    done = subprocess.run(command, env=environment, cwd=folder, capture_output=True, text=True, check=True)
    return float(done.stdout)


@contextmanager
def older_commit() -> Iterator[Path | None]:
    """Lend a folder with the package as it was in that commit, or None if there is no such commit."""
    command = ["git", "archive", "--format=tar", BEFORE, "astra_outputs", "schema"]
    try:
        archive = subprocess.run(command, cwd=ROOT, capture_output=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError):
        yield None
        return
    with TemporaryDirectory() as folder:
        with tarfile.open(fileobj=io.BytesIO(archive)) as files:
            files.extractall(folder, filter="data")
        yield Path(folder)
