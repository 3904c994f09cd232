"""What `make` promises before anything is installed."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
MAKEFILE = (ROOT / "Makefile").read_text()


def make(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["make", "--no-print-directory", *arguments], cwd=ROOT, capture_output=True, text=True, check=False
    )


# Bad input first.


def test_a_python_that_does_not_exist_is_refused_saying_what_to_do(tmp_path: Path) -> None:
    done = make("dev", f"VENV={tmp_path}/venv", f"PYTHON={tmp_path}/python9")
    assert done.returncode != 0
    assert f'No Python 3.11 or newer with its venv module among: "{tmp_path}/python9"' in done.stderr
    assert "PYTHON=/path/to/python3" in done.stderr
    assert not (tmp_path / "venv").exists()


@pytest.mark.parametrize("says", ["exit 1", "exit 127"], ids=["too old", "a stub of a version manager"])
def test_a_python_that_will_not_do_is_refused(tmp_path: Path, says: str) -> None:
    python = tmp_path / "python3"
    python.write_text(f"#!/bin/sh\n{says}\n")
    python.chmod(0o755)
    done = make("dev", f"VENV={tmp_path}/venv", f"PYTHON={python}")
    assert done.returncode != 0
    assert "No Python 3.11 or newer" in done.stderr


# What it offers.


def test_make_alone_lists_every_target() -> None:
    targets = re.findall(r"^\.PHONY: (.+)$", MAKEFILE, re.MULTILINE)
    listed = re.findall(r"^  make (\S+) +\S", make().stdout, re.MULTILINE)
    assert listed == targets


def test_the_server_of_compose_is_the_one_that_the_tests_ask_for() -> None:
    user, password, host, port = re.search(r"postgresql://(\w+):(\w+)@([\d.]+):(\d+)/", MAKEFILE).groups()
    compose = (ROOT / "compose.yaml").read_text()
    assert user == "postgres"
    assert f"POSTGRES_PASSWORD: {password}" in compose
    assert f'"{host}:{port}:5432"' in compose


def test_every_sql_file_but_the_scripts_for_psql_is_linted() -> None:
    linted = set(make("-n", "lint").stdout.split())
    files = [file for folder in ("schema", "examples") for file in (ROOT / folder).rglob("*.sql")]
    scripts = {file for file in files if re.search(r"^\\\w", file.read_text(), re.MULTILINE)}
    assert {str(file.relative_to(ROOT)) for file in files if file not in scripts} <= linted


def test_a_dsn_with_a_password_is_not_printed() -> None:
    installed = [f"VENV={sys.prefix}", "-o", f"{sys.prefix}/.installed"]
    done = make(
        "test",
        "DSN=postgresql://me:hush@127.0.0.1:1/x",
        "ARGS=-n0 --collect-only tests/model/test_version.py",
        *installed,
    )
    assert done.returncode == 0, done.stderr
    assert "hush" not in done.stdout + done.stderr
