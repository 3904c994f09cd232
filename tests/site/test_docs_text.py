"""What the documentation says is so: its links, its code, its tables; and the tutorial, command by command."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from ast import PyCF_ALLOW_TOP_LEVEL_AWAIT
from pathlib import Path

import pytest

from astra_outputs import embedded
from astra_outputs.model import column_types
from astra_outputs.postgres import sql_files

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES = sorted([*ROOT.glob("*.md"), *DOCS.glob("*.md")])


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_python_in_the_pages_compiles(path: Path):
    for block in re.findall(
        r"^```python\n(.*?)^```$", path.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL
    ):
        compile(block, str(path), "exec", flags=PyCF_ALLOW_TOP_LEVEL_AWAIT)


@pytest.mark.parametrize("path", sorted(ROOT.glob("*.md")), ids=lambda path: path.name)
def test_links_of_the_pages_beside_the_code_lead_to_files(path: Path):
    links = re.findall(r"\]\(([^)#]+)", path.read_text(encoding="utf-8"))
    assert [link for link in links if "://" not in link and not (ROOT / link).exists()] == []


def test_the_types_of_columns_are_what_the_page_says():
    text = (DOCS / "api.md").read_text(encoding="utf-8")
    said = re.findall(
        r"^\.\. py:data:: (\w+)\n   :type: (.+)\n\n   ``([a-z \[\]]+?)(?: not null.*| default.*)?``",
        text,
        re.MULTILINE,
    )
    assert len(said) == text.count("py:data::")
    for name, annotation, sql in said:
        entry = getattr(column_types, name)
        (kind,) = [part for part in entry.__metadata__ if isinstance(part, column_types.ColumnType)]
        assert {"timestamp with time zone": "timestamp with time zone"}.get(sql, sql) == kind.sql, name
        assert ("None" in annotation.split("]")[-1]) == (
            type(None) in getattr(entry.__origin__, "__args__", ())
        )


def test_every_target_of_make_has_a_place():
    helped = subprocess.run(["make"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    targets = set(re.findall(r"^  make (\S+)", helped, re.MULTILINE))
    named = set(re.findall(r"\bmake ([a-z-]+)", "".join(path.read_text(encoding="utf-8") for path in PAGES)))
    assert {"test", "docs"} <= targets
    assert targets - named == set()


# The tutorial.


class Walk:
    """A reader who follows the tutorial from the top, in a folder of their own."""

    def __init__(self, folder: Path, dsn: str) -> None:
        self.folder, self.dsn = folder, dsn
        path = os.pathsep.join(
            [str(Path(sys.executable).parent), str(embedded.bin_dir()), os.environ["PATH"]]
        )
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("PG", "ASTRA_"))}
        told = {"PATH": path, "ASTRA_OUTPUTS_DSN": dsn, "PYTHONPATH": str(folder)}
        self.environment = kept | told | {"NO_COLOR": "1", "COLUMNS": "110", "PYTHONIOENCODING": "utf-8"}
        (folder / "schema").symlink_to(sql_files.schema_dir())

    def run(self, command: str, given: str = "") -> str:
        done = subprocess.run(
            ["sh", "-ec", command],
            cwd=self.folder,
            env=self.environment,
            input=given,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
        return done.stdout

    def ask(self, sql: str) -> str:
        return self.run('psql -q -v ON_ERROR_STOP=1 "$ASTRA_OUTPUTS_DSN"', sql)


def lines(text: str) -> list[str]:
    """Lines of an output, without the name of the server and empty ones."""
    text = re.sub(r"schema astra of [^,]+,", "schema astra of host/database,", text)
    return [line.rstrip() for line in text.splitlines() if line.strip()]


@pytest.mark.slow
def test_the_tutorial_does_what_it_shows(tmp_path: Path, empty_database: str):
    text = (DOCS / "tutorial.md").read_text(encoding="utf-8")
    walk, session, query = Walk(tmp_path, empty_database), "", ""
    for block in re.finditer(r"^```(\w+)\n(.*?)^```$", text, re.MULTILINE | re.DOTALL):
        language, body = block.groups()
        if language == "python":
            name = re.findall(r"\(`([\w/]+\.py)`\)", text[: block.start()])[-1]
            (tmp_path / name).write_text(body, encoding="utf-8")
        elif language == "console":
            for command, shown in re.findall(r"^\$ ((?:.*\\\n)*.*)\n((?:(?!\$ ).*\n)*)", body, re.MULTILINE):
                assert lines(walk.run(command)) == lines(shown), command
        elif language == "sql" and body.startswith("set "):
            session += body  # what was pasted before, into the same psql
        elif language == "sql":
            query = body
        else:
            assert lines(walk.ask(session + query)) == lines(body), query
