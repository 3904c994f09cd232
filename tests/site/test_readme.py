"""The README keeps its word: its code runs, its output is real, its links lead somewhere."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from astra_outputs import embedded
from astra_outputs.postgres import sql_files

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
DEMO = ROOT / "examples" / "irfm" / "demo.py"


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)


def run(command: list[str | Path], folder: Path, **environment: str) -> str:
    done = subprocess.run(
        command,
        cwd=folder,
        env=os.environ | {"COLUMNS": "160", "NO_COLOR": "1"} | environment,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture
def author(tmp_path: Path) -> Path:
    """An author's folder, with the four files that the README shows."""
    pipeline, script, reader = blocks("python")
    (table,) = blocks("sql")
    files = {"my_pipeline.py": pipeline, "run.py": script, "read.py": reader, "my_pipeline.sql": table}
    for name, text in files.items():
        assert f"`{name}`" in README
        (tmp_path / name).write_text(text, encoding="utf-8")
    return tmp_path


def test_the_pipeline_of_the_readme_stores_its_result_and_then_replaces_it(author: Path, database: str):
    psql = embedded.psql_program()
    run(
        [psql, "-v", "ON_ERROR_STOP=1", "-c", "set search_path to astra", "-f", "my_pipeline.sql", database],
        author,
    )
    first = run([sys.executable, "run.py"], author, ASTRA_OUTPUTS_DSN=database)
    second = run([sys.executable, "run.py"], author, ASTRA_OUTPUTS_DSN=database)
    assert first.startswith("Outcome.INSERTED 1 ")
    assert second.startswith("Outcome.REPLACED 1 ")
    assert "teff=5777.0" in first
    assert "low_snr" in first
    read = run([sys.executable, "read.py"], author, ASTRA_OUTPUTS_DSN=database)
    assert read.startswith("5777.0 2M")
    assert re.search(r"my_pipeline|teff", read)


def test_the_readmes_commands_for_psql_make_the_tables(author: Path, empty_database: str):
    commands = re.findall(r"^    (psql .*)$", README, re.MULTILINE)
    assert len(commands) == 2
    (author / "schema").symlink_to(sql_files.schema_dir())
    path = f"{embedded.bin_dir()}{os.pathsep}{os.environ['PATH']}"
    for command in commands:
        run(["sh", "-ec", command], author, ASTRA_OUTPUTS_DSN=empty_database, PATH=path)
    listed = run([embedded.psql_program(), "-Atc", "\\dt astra.*", empty_database], author)
    assert "astra|source|table" in listed
    assert "astra|my_pipeline|table" in listed


@pytest.fixture
def written(tmp_path: Path) -> Path:
    """The folder with what the README's command writes."""
    (command,) = re.findall(r"^    astra-outputs (new-pipeline (?:.*\\\n)*.*)$", README, re.MULTILINE)
    folder = tmp_path / "written"
    folder.mkdir()
    run([sys.executable, "-m", "astra_outputs", *shlex.split(command.replace("\\\n", ""))], folder)
    return folder


def test_the_check_of_the_readme_agrees_with_the_files_and_with_the_database(written: Path, database: str):
    command = re.findall(r"^    astra-outputs (check .*)$", README, re.MULTILINE)[0].split()
    astra_outputs = [sys.executable, "-m", "astra_outputs"]
    assert "agree" in run([*astra_outputs, *command, "--offline"], written)
    psql = [embedded.psql_program(), "-q", "-v", "ON_ERROR_STOP=1", "-c", "set search_path to astra"]
    run([*psql, "-f", "my_pipeline.sql", database], written)
    assert "agree" in run([*astra_outputs, *command], written, ASTRA_OUTPUTS_DSN=database)


def test_the_files_that_the_readme_shows_are_those_that_its_command_writes(author: Path, written: Path):
    for name in ("my_pipeline.py", "my_pipeline.sql"):
        there = iter((written / name).read_text(encoding="utf-8").splitlines())
        shown = (author / name).read_text(encoding="utf-8").splitlines()
        assert [line for line in shown if line.removesuffix(";").strip() and line not in there] == []


def test_the_output_shown_is_what_the_demonstration_prints(tmp_path: Path):
    def lines(text: str) -> list[str]:
        without_times = re.sub(r"\d+\.\d+ s\b|\d\.\d\d *$", "TIME", text, flags=re.MULTILINE)
        return [line.rstrip() for line in without_times.splitlines() if line.strip()]

    (shown,) = blocks("text")
    told = iter(lines(run([sys.executable, DEMO], tmp_path)))
    missing = [line for line in lines(shown) if line != "..." and line not in told]
    assert missing == []


def test_links_lead_to_files_that_exist():
    links = re.findall(r"\]\(([^)#]+)", README)
    assert links
    assert [link for link in links if "://" not in link and not (ROOT / link).exists()] == []


def test_every_make_target_that_is_named_exists():
    targets = set(re.findall(r"(?:`|^    )make ([a-z-]+)", README, re.MULTILINE))
    assert {"demo", "test", "psql"} <= targets
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert {target for target in targets if not re.search(rf"^{target}:", makefile, re.MULTILINE)} == set()


def test_it_is_short_enough_to_be_read():
    assert len(README.splitlines()) < 160
