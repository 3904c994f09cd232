"""What tests do otherwise where results are distributed: `make test CITUS_DSN=...`."""

from __future__ import annotations

import asyncio
import os
import subprocess
from typing import Any

import asyncpg

from astra_outputs import PipelineOutputMixin, embedded
from astra_outputs.postgres import sql_files

CITUS_DSN = os.environ.get("ASTRA_OUTPUTS_TEST_CITUS_DSN")

SETTINGS = (
    "enable_local_reference_table_foreign_keys = off",
    "enable_unsafe_triggers = on",
    "override_table_visibility = off",
)
"""What schema/add-ons/citus.sql sets for a database, and a clone of it does not have.

The last one is the tests': a driver's first question for types takes 0.01 seconds, and 0.3 where shards are hidden.
"""


class OneByOne(asyncpg.Connection):
    """Sends the statements of a script one by one, as Citus wants them."""

    async def execute(self, query: str, *args: Any, timeout: float | None = None) -> str:  # noqa: ASYNC109
        status = ""
        for statement in [query] if args else sql_files.statements_of(query):
            if statement.startswith("reassign owned"):  # which ends the server where no role is named
                user = await self.fetchval("select quote_ident(current_user)")
                statement = statement.replace("to current_user", f"to {user}")  # noqa: PLW2901
            status = await super().execute(statement, *args, timeout=timeout)
        return status


CONNECTION = OneByOne if CITUS_DSN else asyncpg.Connection


async def add_table(connection: asyncpg.Connection, record_class: type[PipelineOutputMixin]) -> None:
    """Make the table of a record class, distributed where the others are."""
    await sql_files.apply(connection, "astra", files=[sql_files.sql_file(record_class)])
    await distribute_table(connection, record_class.table)


async def distribute_table(connection: asyncpg.Connection, name: str) -> None:
    """Distribute one more table of results, where the others are."""
    if CITUS_DSN:
        key = f"alter table astra.{name} drop constraint {name}_pkey"
        await connection.execute(f"{key}, add constraint {name}_pkey primary key (task_pk, spectrum_pk)")
        await connection.execute(
            "select create_distributed_table($1::text::regclass, 'spectrum_pk', colocate_with => 'astra.the_cannon')",
            f"astra.{name}",
        )


def distribute(dsn: str) -> None:
    """Make Citus' extension, and apply `schema/add-ons/citus.sql`."""
    asyncio.run(_execute(dsn, "create extension if not exists citus"))
    done = run_add_on("citus", dsn)
    assert done.returncode == 0, done.stderr


def run_add_on(name: str, dsn: str, **values: object) -> subprocess.CompletedProcess[str]:
    """Apply a file of `schema/add-ons/` with psql."""
    command = [str(embedded.psql_program()), "-X", "-q", "-v", "schema=astra"]
    for variable, value in values.items():
        command += ["-v", f"{variable}={value}"]
    command += ["-f", str(sql_files.schema_dir() / "add-ons" / f"{name}.sql"), dsn]
    return subprocess.run(command, capture_output=True, text=True, check=False)


async def _execute(dsn: str, sql: str) -> None:
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute(sql)
    finally:
        await connection.close()
