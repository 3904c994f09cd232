"""A column that is added to a pipeline of one's own: in its record class, its SQL file, and as an upgrade."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Sequence
from pathlib import Path

from astra_outputs.catalog.remedy import definition
from astra_outputs.errors import FileExists, MissingFile
from astra_outputs.model.pipeline import PipelineOutputMixin
from astra_outputs.postgres import sql_files
from astra_outputs.scaffold.files import Pipeline, text_of
from astra_outputs.scaffold.new_column import NewColumn

_UPGRADE = """\
-- Adds {what} to {table}, before the new record class is used; yesterday's goes on without.
--
--     psql -v schema=astra -f {file}
--
-- Run it as the owner of the table, as often as you like. Transaction: yes. Locks: exclusive on the table, for
-- milliseconds, since no row is written; waits ten seconds for it at most, and can then be tried again.
--
-- Undo: {before}alter table {table} drop column {undo};

\\set ON_ERROR_STOP on

\\if :{{?schema}}
\\else
do $$
begin
    raise exception 'no schema given' using hint = 'Name it: psql -v schema=astra -f {file}';
end
$$;
\\endif

begin;

set local client_min_messages = warning;
set local lock_timeout = '10s';
set local search_path to :"schema";

alter table {table}
{columns};

{comments}{view}

commit;
"""


def added(record_class: type[PipelineOutputMixin], columns: Sequence[NewColumn]) -> dict[Path, str]:
    """Return the files that change when columns are added, path to content, the upgrade first; writes nothing.

    Parameters
    ----------
    record_class : type[PipelineOutputMixin]
        With its own module and SQL file, as `new-pipeline` writes them.
    columns : sequence of NewColumn
        At least one.

    Raises
    ------
    ValueError
        If a column exists already or is given twice, the table is one of the survey's, or its files are not
        of the form in which a line can be added.
    MissingFile
        If the class has no SQL file, or was not read from a file.
    """
    table = record_class.table
    names = [column.name for column in columns]
    for name in names:
        if names.count(name) > 1:
            raise ValueError(f"{name} is given twice")
        if name in {column.name for column in record_class.columns()}:
            raise ValueError(f"{table} has a column {name} already")
    if any(column.is_flags for column in columns):
        raise ValueError(
            f"flags need names for their bits: add {names[0]} by hand, as an upgrade of your own"
        )
    sql, module = (
        sql_files.sql_file(record_class),
        getattr(sys.modules[record_class.__module__], "__file__", None),
    )
    if sql_files.schema_dir() in sql.parents:
        raise ValueError(
            f"{table} is a table of the survey: it changes with this package, by schema/upgrades/"
        )
    if module is None:
        raise MissingFile(
            f"{record_class.__name__} was not read from a file, so that no line can be added to it"
        )
    folder = sql.parent / "upgrades"
    number = max((int(path.name[:4]) for path in folder.glob("[0-9][0-9][0-9][0-9]_*.sql")), default=0) + 1
    upgrade = folder / f"{number:04}_pre_{table}_{'_'.join(names)[:80]}.sql"
    if upgrade.exists():
        raise FileExists(f"{upgrade} exists")
    return {
        upgrade: _upgrade(upgrade, table, columns, _view(sql, table)),
        sql: _with_columns(sql, record_class, columns),
        Path(module): _with_fields(Path(module), record_class, columns),
    }


def _view(sql: Path, table: str) -> str:
    """Return the statement of a SQL file that makes the view of a table's columns, which gets the new ones; or nothing."""
    found = re.search(
        rf"^create or replace view {table}_quality .*?;$",
        sql.read_text(encoding="utf-8"),
        re.MULTILINE | re.DOTALL,
    )
    return f"\n\n{found[0]}" if found else ""


def _upgrade(file: Path, table: str, columns: Sequence[NewColumn], view: str) -> str:
    return _UPGRADE.format(
        view=view,
        before=f"drop view {table}_quality; " if view else "",
        what=", ".join(column.name for column in columns),
        undo=", drop column ".join(column.name for column in columns),
        table=table,
        file=f"{file.parent.name}/{file.name}",
        columns=",\n".join(
            f"    add column if not exists {entry.name} {definition(entry.column)}" for entry in columns
        ),
        comments="\n".join(_comments(table, columns)),
    )


def _comments(table: str, columns: Sequence[NewColumn]) -> list[str]:
    return [
        f"comment on column {table}.{entry.name} is {text_of(entry.column.comment)};" for entry in columns
    ]


def _with_columns(file: Path, record_class: type[PipelineOutputMixin], columns: Sequence[NewColumn]) -> str:
    """Return a SQL file with the columns behind the last one of its table, and their comments."""
    table, last = record_class.table, list(record_class.model_fields)[-1]
    text = file.read_text(encoding="utf-8")
    column = list(re.finditer(rf"^    {last} .*,\n", text, re.MULTILINE))
    comment = list(
        re.finditer(rf"^comment on column {table}\.{last}\s+is\s+'(?:[^']|'')*';\n", text, re.MULTILINE)
    )
    if len(column) != 1 or len(comment) != 1 or column[0].start() > comment[0].start():
        raise ValueError(
            f"{file} is not written as new-pipeline does: there is no line of {last} to add one behind"
        )
    lines = "".join(f"    {entry.name} {definition(entry.column)},\n" for entry in columns)
    says = "".join(f"{line}\n" for line in _comments(table, columns))
    middle = text[column[0].end() : comment[0].end()]
    return text[: column[0].end()] + lines + middle + says + text[comment[0].end() :]


def _with_fields(file: Path, record_class: type[PipelineOutputMixin], columns: Sequence[NewColumn]) -> str:
    """Return a module with the columns behind the last one of a record class, and what they import."""
    text = file.read_text(encoding="utf-8")
    tree = ast.parse(text)
    found = [n for n in tree.body if isinstance(n, ast.ClassDef) and n.name == record_class.__name__]
    fields = [
        n
        for n in (found[0].body if found else [])
        if isinstance(n, ast.AnnAssign) and isinstance(n.value, ast.Call)
    ]
    if not fields:
        raise ValueError(f"{file} has no class {record_class.__name__} with a column to add one behind")
    pipeline = Pipeline(record_class.table, record_class.title, tuple(columns), "")
    lines = text.splitlines(keepends=True)
    end = fields[-1].end_lineno or len(lines)
    lines[end:end] = [pipeline.field(column) for column in columns]
    return _importing({column.annotation for column in columns}, tree, lines)


def _importing(names: set[str], tree: ast.Module, lines: list[str]) -> str:
    """Return the lines of a module with names of this package that it does not import yet."""
    known = {alias.name for node in tree.body if isinstance(node, ast.ImportFrom) for alias in node.names}
    missing = sorted(names - known)
    if missing:
        imports = [node for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom)]
        end = imports[-1].end_lineno if imports else 0
        lines.insert(end or 0, f"from astra_outputs import {', '.join(missing)}\n")
    return "".join(lines)
