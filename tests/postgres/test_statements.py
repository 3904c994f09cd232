"""Statements are templates that stay valid SQL, and each is one that a real server takes, for every table."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import asyncpg
import pytest

from astra_outputs import ApogeeCoaddedSpectrumInApStar, PipelineOutputMixin, embedded
from astra_outputs.cli import main
from astra_outputs.cli.statements import numbered, statements_of
from astra_outputs.discover import record_classes
from astra_outputs.errors import CannotStart
from astra_outputs.model.record import Record
from astra_outputs.postgres import sql_files
from astra_outputs.postgres.sql import Statement, Template, parsed, templates

FILES = sorted(path.stem for path in (sql_files.schema_dir().parent / "astra_outputs" / "sql").glob("*.sql"))
STATISTICS = """
create temporary table pg_stat_statements (
    dbid oid, query text, calls bigint, rows bigint,
    total_exec_time double precision, mean_exec_time double precision, max_exec_time double precision
)
"""
Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    def run(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["astra-outputs", "statements", *arguments])
        with pytest.raises(SystemExit) as ended:
            main()
        return int(ended.value.code or 0), *capsys.readouterr()

    return run


@pytest.fixture
async def with_history(
    plain_tables: None, database: str, connection: asyncpg.Connection
) -> asyncpg.Connection:
    """A connection to a database that keeps the history of its results."""
    script = sql_files.schema_dir() / "add-ons" / "history.sql"
    psql(database, "-v", "schema=astra", "-f", str(script))
    await connection.execute("set search_path = astra")
    return connection


def psql(dsn: str, *arguments: str, given: str = "") -> None:
    try:
        program = embedded.psql_program()
    except CannotStart as error:
        pytest.skip(str(error))
    command = [program, "-X", "-q", "-v", "ON_ERROR_STOP=1", *arguments, dsn]
    done = subprocess.run(command, input=given, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


# Bad templates.


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("-- name: a\nselect 1;\n", "a sentence in comments"),
        ("-- name: a b\n-- Two words.\nselect 1;\n", "a sentence in comments"),
        (
            "-- name: a\n-- One.\nselect 1;\n-- name: a\n-- Another.\nselect 2;\n",
            "two statements are called a",
        ),
    ],
)
def test_a_file_whose_statements_cannot_be_told_apart_is_refused(text: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        parsed(text, "file")


@pytest.mark.parametrize("given", [{}, {"columns": "b", "tables": "c"}])
def test_a_mark_without_a_value_and_a_value_without_a_mark_are_refused(given: dict[str, str]) -> None:
    with pytest.raises(ValueError, match=r"statement a: its marks .* differ in (columns|tables)"):
        Template("a", "Says.", "select /*= columns */ b /*=*/").fill(**given)


def test_a_value_that_looks_like_a_mark_stays_as_it_is() -> None:
    template = Template("a", "Says.", "select /*= one */ x /*=*/, /*= two */ y /*=*/")
    assert template.fill(one="/*= two */ z /*=*/", two="b") == "select /*= two */ z /*=*/, b"


# The files.


@pytest.mark.parametrize("file", FILES)
async def test_each_template_is_valid_as_it_stands_in_its_file(
    file: str, with_history: asyncpg.Connection
) -> None:
    if file == "gate":  # it asks that table of Citus, where there is Citus
        await with_history.execute(
            'create temporary table pg_dist_partition (logicalrelid regclass, partmethod "char")'
        )
    if file == "report":  # it asks that extension, where there is one
        await with_history.execute(STATISTICS)
    for template in templates(file).values():
        await explain(with_history, Statement(template.name, template.says, template.text))


# Every statement of every table.


@pytest.mark.parametrize("record_class", record_classes(()), ids=lambda entry: entry.table)
async def test_a_server_prepares_and_explains_every_statement_of_a_table(
    record_class: type[Record], with_history: asyncpg.Connection
) -> None:
    for statement in numbered(statements_of(record_class, "astra", ApogeeCoaddedSpectrumInApStar)):
        await explain(with_history, statement)


async def explain(connection: asyncpg.Connection, statement: Statement) -> None:
    """Have the server plan a statement; one that it cannot plan (`create`) is run."""
    parameters = {int(number) for number in re.findall(r"\$([0-9]+)", statement.text)}
    assert parameters == set(range(1, len(parameters) + 1)), f"{statement.name} skips a parameter"
    if re.match(r"\s*(create|alter|truncate|set)\b", statement.text):
        await connection.execute(statement.text)
        return
    execute = f"execute {statement.name}" + (
        f"({', '.join(['null'] * len(parameters))})" if parameters else ""
    )
    await connection.execute(f"prepare {statement.name} as {statement.text}")
    assert await connection.fetch(f"explain {execute}")
    await connection.execute(f"deallocate {statement.name}")


@pytest.mark.parametrize("record_class", record_classes(()), ids=lambda entry: entry.table)
def test_every_statement_says_what_it_is_for_and_has_a_name_of_its_own(record_class: type[Record]) -> None:
    found = list(numbered(statements_of(record_class, "astra", ApogeeCoaddedSpectrumInApStar)))
    assert len({statement.name for statement in found}) == len(found)
    assert all(re.match(r"[A-Z].*[.]", statement.says) for statement in found)
    assert any(statement.name == "pending_page" for statement in found) == issubclass(
        record_class, PipelineOutputMixin
    )


# The command.


async def test_what_the_command_prints_goes_through_psql(
    run: Run, database: str, with_history: asyncpg.Connection
) -> None:
    code, printed, _ = run("the_cannon")
    assert code == 0
    psql(database, given=printed + "explain execute pending_page(8, 0, 2000);")


def test_all_tables_are_printed_where_none_is_named_and_no_statement_twice(run: Run) -> None:
    _, printed, _ = run()
    for record_class in record_classes(()):
        assert f'from "astra"."{record_class.table}"' in printed
    names = re.findall(r"^prepare (\w+) as$", printed, re.MULTILINE)
    assert len(set(names)) == len(names)


def test_a_schema_of_another_name_is_in_each_statement(run: Run) -> None:
    _, printed, _ = run("the_cannon", "--schema", "o'clock")
    assert '"astra".' not in printed
    assert 'from "o\'clock"."the_cannon"' in printed


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["the_canon"], "did you mean the_cannon"),
        (["the_cannon", "--spectra", "source"], "no table of spectra is named source"),
        (["the_cannon", "--schema", ""], "schema"),
    ],
)
def test_a_table_that_is_not_known_is_refused_with_the_nearest(
    run: Run, arguments: list[Any], reason: str
) -> None:
    code, printed, said = run(*arguments)
    assert (code > 0, printed) == (True, "")
    assert reason in said
