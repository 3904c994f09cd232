"""Published versions: the SQL that freezes one, and the question which ones are frozen."""

from __future__ import annotations

import re
from textwrap import fill

from astra_outputs.errors import InvalidName
from astra_outputs.model.pipeline import PipelineOutputMixin
from astra_outputs.model.version import major_minor, parse_version
from astra_outputs.names import Frozen, check_name
from astra_outputs.postgres.database import Connection
from astra_outputs.postgres.sql import literal, qualified, quote, templates

FILE = """\
-- {sentence}.
--
{says}
--
-- Run it as the owner of the table. Locks: exclusive on the table, for milliseconds. Undo:
--
--     alter table {table} drop constraint {name};
--     drop trigger {name} on {table};
--
-- and, where no other version of the table is frozen,
--
--     drop trigger {truncate} on {table};

begin;

set local lock_timeout = '10s';
set local citus.multi_shard_modify_mode to 'sequential'; -- where Citus distributes the table

{text};

commit;
"""


def frozen_as(record_class: type[PipelineOutputMixin], version: str, release: str) -> Frozen:
    """Return what is to be frozen: a version of a pipeline without its patch number, under the name of a release.

    Parameters
    ----------
    record_class : type[PipelineOutputMixin]
    version : str
        As "0.8": all patch releases of it.
    release : str
        As "DR20".

    Raises
    ------
    ValueError
        If the version has a patch number, or is none.
    InvalidName
        If the name of the release cannot be part of a constraint's name.
    """
    if not re.fullmatch(r"\d{1,4}\.\d{1,3}", version):
        raise ValueError(
            f'a version is frozen with all its patch releases: give "major.minor", as in "0.8", not {version!r}'
        )
    if not release.strip():
        raise InvalidName("the release needs a name, as in DR20")
    frozen = Frozen(record_class.table, major_minor(parse_version(f"{version}.0")), release)
    check_name(frozen.constraint, f"release frozen in {record_class.table}")
    return frozen


def sql_that_freezes(frozen: Frozen, schema: str) -> str:
    """Return the statements that freeze a version, for psql, with their reasons and how they are undone."""
    template = templates("freeze")["freeze"]
    table, name = qualified(schema, frozen.table), quote(frozen.constraint)
    function = qualified(schema, "refuse_frozen_change")
    text = template.fill(
        table=table,
        name=name,
        major_minor=str(frozen.major_minor),
        function=f"{function}()",
        says=literal(frozen.sentence),
        call=f"{function}(\n    {literal(frozen.constraint)}, {literal(frozen.sentence)}\n)",
        truncate=quote(check_name(f"{frozen.table}_frozen_truncate", "trigger")),
    )
    return FILE.format(
        sentence=frozen.sentence,
        says=fill(template.says, 110, initial_indent="-- ", subsequent_indent="-- "),
        table=table,
        name=name,
        truncate=quote(f"{frozen.table}_frozen_truncate"),
        text=text,
    )


async def frozen_versions(connection: Connection, schema: str, table: str) -> tuple[Frozen, ...]:
    """Return the versions of a table that are frozen, with the releases that they are published in."""
    rows = await connection.fetch(templates("freeze")["frozen_versions"].text, schema, table)
    found = (Frozen.named(name) for (name,) in rows)
    return tuple(frozen for frozen in found if frozen is not None and frozen.table == table)
