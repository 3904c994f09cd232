"""The command line: what it prints, what it exits with, and that it never shows a traceback."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import asyncpg
import pytest
import typer

from astra_outputs.cli import app, main

PROBE = Path(__file__).parents[1] / "conftest.py"


class Done(NamedTuple):
    """How a command ended."""

    code: int
    out: str
    err: str


Run = Callable[..., Done]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run the command line in this process, with no database named by the environment."""
    for name in os.environ:
        if name.startswith(("PG", "ASTRA_OUTPUTS_")):
            monkeypatch.delenv(name)

    def run(*arguments: str) -> Done:
        monkeypatch.setattr(sys, "argv", ["astra-outputs", *arguments])
        with pytest.raises(SystemExit) as ended:
            main()
        return Done(int(ended.value.code or 0), *capsys.readouterr())

    return run


def test_an_unknown_option_exits_with_2(run: Run):
    done = run("check", "--no-such-option")

    assert done.code == 2
    assert "--no-such-option" in done.err


def test_an_unknown_command_exits_with_2(run: Run):
    assert run("no-such-command").code == 2


def test_a_wrong_name_of_records_is_one_line_and_exits_with_1(run: Run):
    done = run("check", "--records", "no_such_package")

    assert done.code == 1
    assert (
        done.err
        == "astra-outputs: there is no module no_such_package: install it, run from its folder, or give a path\n"
    )


@pytest.mark.parametrize(
    "dsn",
    [
        "postgresql://user:hush@localhost:1/survey",
        "postgresql://user:hu/sh@localhost:1/survey",
        "postgresql://user:hu@sh/@localhost:1/survey",
        "postgresql://user:hush:@localhost:hush/survey",
        "postgresql://user:#hush@localhost:1/survey",
        "host=localhost port=1 password=hush",
    ],
)
def test_no_server_is_one_line_without_the_password(run: Run, dsn: str):
    done = run("check", "--dsn", dsn)

    assert done.code == 1
    assert done.err.startswith("astra-outputs: ")
    assert len(done.err.splitlines()) == 1
    assert not re.search(r"\bhu|sh\b", done.err)


def test_check_says_how_much_agrees(run: Run):
    done = run("check")

    assert done.code == 0
    assert re.fullmatch(r"\d+ tables, \d+ columns, \d+ flags: record classes and SQL files agree\n", done.out)
    assert done.err == ""


def test_check_asks_a_database_that_is_named(run: Run, database: str):
    done = run("check", "--dsn", database)

    assert done.code == 0, done.out + done.err
    assert "record classes and SQL files, and schema astra of" in done.out


def test_check_finds_the_database_in_the_environment(
    run: Run, database: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("ASTRA_OUTPUTS_DSN", database)
    monkeypatch.setenv("ASTRA_OUTPUTS_SCHEMA", "another")

    assert "there is no schema another" in run("check").err
    assert "schema astra of" in run("check", "--schema", "astra").out
    assert "schema" not in run("check", "--offline").out


def test_check_prints_each_difference_in_a_row_and_exits_with_1(run: Run, database: str):
    done = run("check", "--dsn", database, "--records", str(PROBE))

    assert done.code == 1
    (row,) = [line for line in done.out.splitlines() if "other_pipeline " in line]
    assert re.findall(r"\w+", row) == ["other_pipeline", "table", "exists", "exists", "missing"]
    assert "record class says" in done.out
    assert re.search(r"^1 difference in \d+ tables, ", done.out, re.MULTILINE)


@pytest.fixture
def damaged(database: str) -> str:
    """DSN of a database that differs in what stops writing, in a type, and in what concerns nobody at work."""
    statements = (
        "drop view astra.the_cannon_quality",
        "comment on table astra.the_cannon is 'else'",
        "drop index astra.the_cannon_source_idx",
        "alter table astra.the_cannon drop column teff",
        "alter table astra.the_cannon alter tag type varchar(9)",
        "alter table astra.flag_definition disable trigger user",
        "delete from astra.flag_definition where table_name = 'the_cannon'",
    )

    async def damage() -> None:
        connection = await asyncpg.connect(database)
        for statement in statements:
            await connection.execute(statement)
        await connection.close()

    asyncio.run(damage())
    return database


def test_check_says_first_what_stops_writing_and_what_mends_it(run: Run, damaged: str):
    done = run("check", "--dsn", damaged)

    assert done.code == 1
    places = [done.out.index(word) for word in ("stops writing", "teff", "the rest", '"else"', "mended by")]
    assert places == sorted(places)
    assert 'alter table "astra"."the_cannon" add column "teff" real;' in done.out
    assert "index" not in done.out[done.out.index("mended by") :]


def test_check_leaves_out_what_it_is_told_to(run: Run, damaged: str):
    done = run("check", "--dsn", damaged, "--ignore", "comments,flags", "--ignore", "indexes, checks")

    assert done.code == 1
    assert "flag " not in done.out
    assert '"else"' not in done.out
    assert re.search(
        r"^\d+ differences of comments, flags, indexes, checks left out$", done.out, re.MULTILINE
    )
    assert "teff" in done.out


def test_check_agrees_if_nothing_but_the_ignored_differs(run: Run, database: str):
    async def damage() -> None:
        connection = await asyncpg.connect(database)
        await connection.execute("comment on table astra.the_cannon is 'else'")
        await connection.close()

    asyncio.run(damage())
    assert run("check", "--dsn", database).code == 1
    done = run("check", "--dsn", database, "--ignore", "comments")
    assert done.code == 0
    assert "agree" in done.out


def test_check_knows_what_may_be_left_out(run: Run):
    done = run("check", "--offline", "--ignore", "comments,colours")

    assert done.code == 2
    assert "'colours' is none of" in done.err
    assert "foreign-keys" in done.err


def command(*arguments: str, **options: object) -> subprocess.Popen[str]:
    """Start the command line as a process of its own."""
    whole = [sys.executable, "-m", "astra_outputs", *arguments]
    return subprocess.Popen(
        whole,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        **options,  # type: ignore[call-overload]
    )


def test_the_version_is_that_of_the_package():
    from importlib.metadata import version

    with command("--version") as process:
        assert process.communicate() == (version("astra-outputs") + "\n", "")


def test_help_loads_neither_driver_nor_parser():
    code = (
        "import sys; from astra_outputs.cli import app\n"
        "print(*{'asyncpg', 'sqlglot', 'numpy', 'astropy', 'pyarrow', 'matplotlib'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == ""


def test_a_reader_that_goes_away_is_no_error():
    with command("--help") as process:
        assert process.stdout is not None
        process.stdout.close()
        process.wait()
        assert process.stderr is not None
        assert process.stderr.read() == ""


def test_ctrl_c_ends_a_command_without_a_traceback(tmp_path: Path):
    module = "import os, signal\nclass R: pass\nos.kill(os.getpid(), signal.SIGINT)\n"
    (tmp_path / "interrupted.py").write_text(module)
    with command("check", "--records", "interrupted", cwd=tmp_path) as process:
        _, err = process.communicate()

    assert process.returncode in (130, 1, -signal.SIGINT)
    assert "Traceback" not in err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["run"], "astra-outputs run: Missing argument 'pipeline'"),
        (["nope"], "astra-outputs: No such command 'nope'"),
        (["replay", "--nope"], "astra-outputs replay: No such option: --nope"),
        (["run", "a:b", "--spectra", "x", "--limit", "two"], "Invalid value for '--limit'"),
    ],
)
def test_a_command_line_that_makes_no_sense_is_one_line(arguments, words) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "astra_outputs", *arguments], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout, len(done.stderr.splitlines())) == (2, "", 1)
    assert words in done.stderr
    assert "--help)" in done.stderr


def test_help_breaks_lines_where_the_terminal_ends() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "astra_outputs", "run", "--help"],
        env=os.environ | {"COLUMNS": "80", "TERMINAL_WIDTH": "80"},
        capture_output=True,
        text=True,
        check=False,
    )
    text = done.stdout.split("Usage")[1].split("Arguments")[0]
    lines = [line.strip() for line in text.splitlines()[1:] if line.strip()]
    short = [line for line in lines if len(line) < 50 and not line.endswith((".", "─"))]
    assert short == []


def test_every_command_has_an_option_for_programs() -> None:
    import typer.main

    from astra_outputs.cli import app

    found = typer.main.get_command(app).commands  # type: ignore[attr-defined]
    commands = {name: entry for name, entry in found.items() if not hasattr(entry, "commands")}
    commands |= {f"schema {name}": entry for name, entry in found["schema"].commands.items()}
    without = {
        name for name, entry in commands.items() if "--json" not in [o for p in entry.params for o in p.opts]
    }
    assert without == set()


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["check", "--offline"], lambda said: said["differences"] == [] and said["tables"] > 5),
        (["describe", "the_cannon"], lambda said: said["name"] == "the_cannon"),
        (["statements", "the_cannon"], lambda said: "select" in said[0]["text"].lower()),
        (["schema", "path"], lambda said: (Path(said["path"]) / "install.sql").is_file()),
    ],
    ids=lambda value: value[0] if isinstance(value, list) else "",
)
def test_programs_read_what_a_command_says(arguments, says) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "astra_outputs", *arguments, "--json"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert says(json.loads(done.stdout))


def test_the_shell_completes_names_of_tables() -> None:
    for words, position in (("astra-outputs describe the_c", 2), ("astra-outputs pending the_c", 2)):
        done = subprocess.run(
            [sys.executable, "-c", "from astra_outputs.cli import main; main()"],
            env=os.environ
            | {"_ASTRA_OUTPUTS_COMPLETE": "complete_bash", "COMP_WORDS": words, "COMP_CWORD": str(position)},
            capture_output=True,
            text=True,
            check=False,
        )
        assert "the_cannon" in done.stdout.split(), done.stderr


def test_every_command_speaks_json_and_completes_the_names_of_tables() -> None:
    def parameters(command: Any, path: str) -> Iterator[tuple[str, Any]]:
        commands = getattr(command, "commands", None)
        if commands is None:
            assert "--json" in {option for one in command.params for option in one.opts}, path
            yield from ((path, one) for one in command.params)
        for name, inner in (commands or {}).items():
            yield from parameters(inner, f"{path} {name}")

    top = typer.main.get_command(app)
    tables = [
        (path, one)
        for path, one in parameters(top, "astra-outputs")
        if (getattr(one, "help", None) or "").startswith("Table")
    ]
    assert len(tables) >= 10
    assert {
        f"{path} {one.name}"
        for path, one in tables
        if "the_cannon" not in {item.value for item in one.shell_complete(typer.Context(top), "the_c")}
    } == set()
