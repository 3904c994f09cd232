"""The README keeps its word: its code runs, its output is real, its links lead somewhere."""

from __future__ import annotations

import os
import re
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
        timeout=120,
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


@pytest.mark.usefixtures("spectrum")
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


def test_the_check_of_the_readme_finds_the_comments_that_its_sql_leaves_out(author: Path):
    (command,) = re.findall(r"^    astra-outputs (check .*)$", README, re.MULTILINE)
    done = subprocess.run(
        [sys.executable, "-m", "astra_outputs", *command.split(), "--offline"],
        cwd=author,
        env=os.environ | {"COLUMNS": "200", "NO_COLOR": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    found = re.findall(r"my_pipeline +\W* *(\w*) +\W* *(comment|flag low_snr)", done.stdout)
    assert done.returncode == 1
    assert ("teff", "comment") in found
    assert ("result_flags", "flag low_snr") in found
    assert len(found) == done.stdout.count("my_pipeline")


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
