"""The whole script: renames, views out of the way, columns, keys, checks, then the files for all that is new."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from astra_outputs.amend.columns import NAIVE, Columns
from astra_outputs.amend.existing import Existing, View, existing_of, in_the_way, recognised, views_upon
from astra_outputs.amend.rules import Rules
from astra_outputs.amend.step import EXCLUSIVE, Step
from astra_outputs.amend.wanted import FORMER_NAMES, Wanted, wanted_of
from astra_outputs.errors import InvalidName, SchemaMismatch
from astra_outputs.postgres import sql_files
from astra_outputs.postgres.schema_version import upgrades
from astra_outputs.postgres.sql import literal, qualified, quote, templates
from astra_outputs.printable import printable

if TYPE_CHECKING:
    from astra_outputs.model.record import Record
    from astra_outputs.postgres.database import Connection

_VIEW = re.compile(r"^create or replace view (\w+)", re.MULTILINE)

HEADER = """\
-- Brings schema {schema} of {where} to the SQL files, statement by statement. Nothing of it was run.
--
--     psql -v ON_ERROR_STOP=1 -f FILE
--
-- Read it first, and keep a copy of the database. Run it as the owner of the tables, while nobody writes: it is one
-- transaction up to `commit`, and holds its locks until then. An error leaves all as it was.
{notes}
\\set ON_ERROR_STOP on
begin;
set local lock_timeout = '10s';
set local client_min_messages = warning;
set local search_path to {name};
"""


async def script_for(
    connection: Connection,
    schema: str,
    record_classes: Sequence[type[Record]],
    *,
    zone: str | None = None,
    where: str = "the database",
) -> str:
    """Return the SQL that brings a schema of upstream Astra, or an older one of ours, to the SQL files.

    Parameters
    ----------
    connection : asyncpg.Connection
        Only the catalogue is read.
    schema : str
    record_classes : sequence of type[Record]
    zone : str, optional
        The time zone in which times were written that have none: "UTC", "America/Denver".
    where : str
        The server and database, for the heading.

    Returns
    -------
    str
        A script for psql; empty if nothing differs but comments and flags, which `install.sql` brings up to date.

    Raises
    ------
    SchemaMismatch
        If the schema is neither Astra's nor one of ours, or has times without a zone and none is given.
    """
    tables = await recognised(connection, schema, where)
    wanted = wanted_of(record_classes)
    former = {one.name: FORMER_NAMES[one.name] for one in wanted if _has_former_name(one.name, tables)}
    names = [former.get(one.name, one.name) for one in wanted]
    found = await existing_of(connection, schema, names)
    existing = {one.name: found[name] for one, name in zip(wanted, names, strict=True) if name in found}
    if zone is not None:
        await check_zone(connection, zone)
    elif any(column.type == NAIVE for one in existing.values() for column in one.facts.columns.values()):
        raise SchemaMismatch(
            f"times in schema {schema} have no zone: say in which one the workers wrote them, by --times-in UTC or "
            "--times-in America/Denver"
        )
    plan = _Plan(schema, wanted, existing, former, zone or "UTC")
    views = await views_upon(connection, schema, [former.get(name, name) for name in plan.changed])
    stuck = await in_the_way(connection, schema, [former.get(name, name) for name in plan.retyped])
    steps = list(plan.steps(views))
    version = None
    if "schema_version" in tables:
        version = await connection.fetchval(f"select max(version) from {qualified(schema, 'schema_version')}")
    missing = [one for one in wanted if one.name not in existing and not one.record_class.may_be_left_out]
    newest = max((upgrade.number for upgrade in upgrades()), default=0)
    if not steps and not missing and version == newest:
        return ""
    return "\n\n".join(
        [
            HEADER.format(
                schema=printable(schema),
                where=printable(where),
                name=quote(schema),
                notes=plan.notes(version, stuck),
            ),
            *map(str, steps),
            _ending(schema, wanted, existing, plan.put_back(views), newest),
        ]
    )


async def check_zone(connection: Connection, zone: str) -> None:
    """Refuse a time zone that the server does not know.

    Raises
    ------
    InvalidName
        If there is none of this name.
    """
    if not await connection.fetchval(templates("amend")["is_a_zone"].text, zone):
        raise InvalidName(f"there is no time zone {zone!r}: name one as UTC or America/Denver")


def _has_former_name(name: str, tables: Sequence[str]) -> bool:
    return name not in tables and FORMER_NAMES.get(name) in tables


class _Plan:
    """The steps of all tables, in an order in which none is in the way of another."""

    def __init__(
        self,
        schema: str,
        wanted: Sequence[Wanted],
        existing: dict[str, Existing],
        former: dict[str, str],
        zone: str,
    ) -> None:
        self._schema, self._former = schema, former
        self._tables = [(one, existing[one.name]) for one in wanted if one.name in existing]
        self._columns = {one.name: Columns(one, has, zone) for one, has in self._tables}
        self._ours = {view for file in sql_files.install_files() for view in _VIEW.findall(_text(file))}

    @property
    def changed(self) -> list[str]:
        """Tables whose columns change, upon which no view may stand meanwhile."""
        return [name for name, columns in self._columns.items() if columns.changes_anything]

    @property
    def retyped(self) -> list[str]:
        """Tables of which a column gets another type."""
        return [name for name, columns in self._columns.items() if columns.retyped]

    def steps(self, views: Sequence[View]) -> Iterator[Step]:
        """Yield the steps."""
        for new, old in self._former.items():
            yield from _rename(old, new)
        for view in views:
            yield self._without(view)
        rules = [Rules(one, has) for one, has in self._tables]
        for one in rules:
            yield from one.foreign_keys_off(self.retyped)
        for columns in self._columns.values():
            yield from columns.steps()
        for columns in self._columns.values():
            yield from columns.numbers()
        for one in rules:
            yield from one.keys()
        for one in rules:
            yield from one.checks()
        for one in rules:
            yield from one.foreign_keys_on(self.retyped)

    def put_back(self, views: Sequence[View]) -> list[Step]:
        """Return what makes the views again that no file makes, and gives those that one makes their rights."""
        others = [self._again(view) for view in reversed(views) if not self._is_ours(view)]
        ours = [view for view in views if self._is_ours(view) and view.name in self._ours and view.more]
        return [*(_rights(view) for view in ours), *others]

    def notes(self, version: int | None, stuck: Sequence[str]) -> str:
        """Return what a DBA has to know besides, as comments."""
        lines = []
        if stuck:
            lines.append(
                "The server changes no type of a column that these are made of: drop them before, and make them again "
                f"afterwards: {', '.join(map(printable, stuck))}."
            )
        if version is not None or self._former:
            lines.append(
                "This is an earlier schema of ours: the files of schema/upgrades/ lead to the same by short steps, "
                "and need nobody to stop."
            )
        unknown = [f"{name}.{one.name}" for name, columns in self._columns.items() for one in columns.unknown]
        if unknown:
            lines.append(f"Columns that no file has stay as they are: {', '.join(map(printable, unknown))}.")
        naive = any(old.type == NAIVE for columns in self._columns.values() for old, _ in columns.retyped)
        if naive:
            lines.append(
                "Times without a zone are read in the zone of --times-in. Where workers wrote in several, what they "
                "finished may be pending again: set one zone for all, see docs/from-astra.md."
            )
        return "".join(f"--\n-- {line}\n" for line in lines)

    def _is_ours(self, view: View) -> bool:
        names = self._ours | {f"{old}_quality" for old in self._former.values()}
        return view.schema == self._schema and view.name in names

    def _without(self, view: View) -> Step:
        kind, name = "materialized view" if view.materialized else "view", qualified(view.schema, view.name)
        return Step(
            f"drop {kind} {name}",
            f"{view.name} stands upon columns that change; it is made again below, with its rights",
            f"exclusive on {view.name}, for milliseconds",
            undo=f"{_create(view)}",
        )

    def _again(self, view: View) -> Step:
        return Step(
            ";\n".join([_create(view).removesuffix(";"), *view.more]),
            f"{view.name} as it was, with its owner and rights",
            f"share on its tables{', as long as it takes to fill' if view.materialized else ''}",
            undo=f"drop {'materialized ' * view.materialized}view {qualified(view.schema, view.name)}",
        )


def _rights(view: View) -> Step:
    return Step(
        ";\n".join(view.more),
        f"{view.name}, which a file has made again, gets the owner and the rights that it had",
        f"exclusive on {view.name}, for milliseconds",
    )


def _create(view: View) -> str:
    kind, name = "materialized view" if view.materialized else "view", qualified(view.schema, view.name)
    options = f" with ({', '.join(view.options)})" if view.options else ""
    return f"create {kind} {name}{options} as\n{view.definition}"


def _rename(old: str, new: str) -> Iterator[Step]:
    yield Step(
        f"alter table {quote(old)} rename to {quote(new)}",
        f"{old} is called {new} now, as the survey's own scripts ask for it",
        EXCLUSIVE.format(old),
        undo=f"alter table {quote(new)} rename to {quote(old)}",
    )


def _ending(
    schema: str, wanted: Sequence[Wanted], existing: dict[str, Existing], views: Iterable[Step], newest: int
) -> str:
    """Return what follows the steps: the version, the files that make what is new, the views of others."""
    folder = sql_files.schema_dir()
    own = [one for one in wanted if folder not in one.file.parents]
    without = [one.name for one in wanted if one.record_class.may_be_left_out and one.name not in existing]
    version = Step(
        f"{_create_version_table()};\ninsert into schema_version (version, upgrade)\n"
        f"values ({newest}, 'schema diff') on conflict do nothing",
        f"from here on the schema is of version {newest}, and has later upgrades",
        EXCLUSIVE.format("schema_version"),
        undo="drop table schema_version, or delete its row",
    )
    files = Step(
        f"\\set schema {_variable(schema)}\n\\set without {_variable(' '.join(without))}\n"
        f"\\i {_variable(str(folder / 'install.sql'))}\n"
        f"select set_config('search_path', {literal(quote(schema))}, false)",
        "the files make the tables, comments, names of flags, functions and views that are missing, and leave alone what "
        "is there; tables that may be left out, and are, stay so",
        "none that stops anyone for longer than milliseconds",
        undo="drop what is not wanted",
    )
    parts = [str(version), "commit;", str(files)]
    parts += [f"-- {printable(one.file.name)}\n\\i {_variable(str(one.file))}" for one in own]
    return "\n\n".join([*parts, *map(str, views)])


def _create_version_table() -> str:
    text = _text(sql_files.schema_dir() / "schema_version.sql")
    found = re.search(r"^create table .*?^\)", text, re.MULTILINE | re.DOTALL)
    assert found is not None  # noqa: S101 (a file of ours)
    return found[0]


def _variable(text: str) -> str:
    """Return a text as psql takes it behind a command."""
    escaped = text.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


def _text(file: Path) -> str:
    return file.read_text(encoding="utf-8")
