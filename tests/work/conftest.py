"""The command in processes of its own, for the tests of the worker."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]


@pytest.fixture
def start(database, tmp_path):
    """Start the command in a process of its own: `start("run", "worker_pipelines:teff_is_key", ...)`."""
    started = []

    def start(*arguments: str, **variables: str) -> subprocess.Popen:
        clean = {
            name: value for name, value in os.environ.items() if not name.startswith(("PG", "ASTRA_OUTPUTS_"))
        }
        given = {"ASTRA_OUTPUTS_DSN": database, "ASTRA_OUTPUTS_SPOOL": str(tmp_path / "spool"), **variables}
        process = subprocess.Popen(
            [sys.executable, "-m", "astra_outputs", *arguments],
            cwd=TESTS,
            env={**clean, **given},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


@pytest.fixture
def command(start):
    """Run the command to its end: exit code, output, errors."""

    def run(*arguments: str, **variables: str) -> tuple[int, str, str]:
        process = start(*arguments, **variables)
        out, err = process.communicate(timeout=300)
        return process.returncode, out, err

    return run
