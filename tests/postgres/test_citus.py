"""The add-on that distributes results with Citus: what it refuses, and what it makes (on a coordinator)."""

from __future__ import annotations

import asyncio
import subprocess
from collections.abc import Callable
from typing import Any

import asyncpg
import pytest
from on_citus import CITUS_DSN, distribute, run_add_on

import astra_outputs
from astra_outputs import TheCannon
from astra_outputs.errors import CannotStart, DatabaseError, SchemaMismatch
from astra_outputs.postgres import sql_files
from astra_outputs.saving.traits import PLAIN_TABLE, Traits

citus = pytest.mark.skipif(not CITUS_DSN, reason="needs Citus: make test CITUS_DSN=...")
no_citus = pytest.mark.skipif(bool(CITUS_DSN), reason="the extension is there")

DISTRIBUTED = "select logicalrelid::text from pg_dist_partition where partmethod = 'h' order by 1"


@pytest.fixture
def add_on() -> Callable[..., subprocess.CompletedProcess[str]]:
    """Apply an add-on with psql: `add_on("citus", dsn)`."""
    try:
        astra_outputs.embedded.psql_program()
    except CannotStart as error:
        pytest.skip(str(error))
    return run_add_on


def refused(done: subprocess.CompletedProcess[str], *words: str) -> None:
    assert done.returncode == 3, done.stdout + done.stderr
    for word in words:
        assert word in done.stderr


# Bad input first.


@no_citus
async def test_a_server_without_the_extension_is_told_what_to_do_and_stays_as_it_is(
    database, connection, add_on
) -> None:
    refused(add_on("citus", database), "Citus is not in database", "docs/scale.md")
    keys = await connection.fetchval(
        "select count(*) from pg_constraint where contype = 'p' and cardinality(conkey) = 2 and conname = 'the_cannon_pkey'"
    )
    assert keys == 0


async def test_without_a_schema_or_its_tables_it_says_so(empty_database, add_on) -> None:
    refused(add_on("citus", empty_database), "there are no tables in a schema astra", "install.sql")


@pytest.mark.parametrize("shards", ["many", "-4", "0.5", "10000"])
async def test_nonsense_numbers_of_shards_are_refused(database, add_on, shards) -> None:
    refused(add_on("citus", database, shards=shards), f"shards={shards} is no number of shards")


@pytest.fixture
def plain(server: Any, install: Callable[..., None]) -> Any:
    """DSN of a database of the coordinator whose tables are not distributed."""
    with server.database() as dsn:
        install(dsn)
        yield dsn


async def executed(dsn: str, *queries: str) -> Any:
    connection = await asyncpg.connect(dsn)
    try:
        for query in queries:
            answer = await connection.fetch(query)
        return answer
    finally:
        await connection.close()


@citus
async def test_a_foreign_key_to_results_is_named_and_refused(plain, add_on) -> None:
    await executed(
        plain,
        "create extension citus",
        "create table public.plots (task_pk bigint references astra.the_cannon)",
    )
    refused(add_on("citus", plain), "plots_task_pk_fkey of public.plots", "cannot be looked up from another")
    assert not await executed(plain, "select * from pg_dist_partition")


@citus
async def test_tables_with_history_are_refused_and_history_of_distributed_ones_is(
    plain, database, add_on
) -> None:
    assert add_on("history", plain).returncode == 0
    await executed(plain, "create extension citus")
    refused(add_on("citus", plain), "history is kept in schema astra, which Citus cannot do", "Undo")
    refused(add_on("history", database), "Citus distributes the tables of schema astra", "docs/scale.md")


@citus
async def test_partitioned_tables_are_refused(plain, add_on) -> None:
    await executed(
        plain,
        "create extension citus",
        "create table astra.runs (task_pk bigint) partition by hash (task_pk)",
    )
    refused(add_on("citus", plain), "partitioned tables cannot be distributed: runs")


@citus
async def test_who_owns_nothing_is_refused_and_nothing_changes(plain, add_on) -> None:
    await executed(plain, "create extension citus", "drop role if exists astra_outputs_nobody")
    await executed(
        plain, "create role astra_outputs_nobody login", "grant usage on schema astra to astra_outputs_nobody"
    )
    nobody = plain.replace("postgres@", "astra_outputs_nobody@", 1)
    try:
        refused(add_on("citus", nobody), "astra_outputs_nobody does not own", "as the owner of the tables")
        assert not await executed(plain, "select * from pg_dist_partition")
    finally:
        await executed(plain, "drop owned by astra_outputs_nobody", "drop role astra_outputs_nobody")


@citus
async def test_a_worker_of_an_older_package_that_takes_tables_for_plain_ones_is_refused_batch_by_batch(
    database, connection, spectra, monkeypatch
) -> None:
    async def plain(*_: object) -> Traits:
        return PLAIN_TABLE

    monkeypatch.setattr("astra_outputs.saving.gate.traits_of", plain)
    records = [TheCannon.from_spectrum(one, v_astra="0.6.0") for one in await spectra(200)]
    async with astra_outputs.connect(database) as older:
        await older.save(records[0])
        with pytest.raises(DatabaseError, match="0 records of this call were stored"):
            await older.save_many(records)
    assert await connection.fetchval("select count(*) from astra.the_cannon") == 1


@citus
async def test_tables_that_an_older_add_on_distributed_take_nothing_until_it_is_run_again(
    outputs, connection, database, spectrum, add_on
) -> None:
    await connection.execute("drop function astra.source_of_spectrum")
    result = TheCannon.from_spectrum(spectrum, v_astra="0.6.0")
    with pytest.raises(SchemaMismatch, match=r"source_of_spectrum.*apply schema/add-ons/citus.sql again"):
        await outputs.save(result)
    assert add_on("citus", database).returncode == 0
    assert (await outputs.save(result)).task_pk == 1


KIND = "astra.apogee_coadded_spectrum_in_ap_star"
UNIQUE = "cannot have UNIQUE, EXCLUDE, or PRIMARY KEY constraints that do not include the partition column"
TO_DISTRIBUTED = "foreign keys from reference tables and local tables to distributed tables are not supported"
ELSEWHERE = "relations are not colocated or not referencing a reference table"


@citus
@pytest.mark.parametrize(
    ("keys", "how", "words"),
    [
        pytest.param((), f"select create_reference_table('{KIND}')", TO_DISTRIBUTED, id="whole"),
        pytest.param(("pkey",), "spectrum_pk", UNIQUE, id="by spectrum"),
        pytest.param(("pkey", "spectrum_key"), "obj", ELSEWHERE, id="by a column of the natural key"),
    ],
)
async def test_spectra_stay_whole_since_citus_takes_no_key_of_theirs_in_shards(
    plain, keys: tuple[str, ...], how: str, words: str
) -> None:
    """If it does one day, docs/scale.md is wrong, and spectra can be spread."""
    if not how.startswith("select"):
        beside = "astra.spectrum" if how == "spectrum_pk" else "none"
        how = f"select create_distributed_table('{KIND}', '{how}', colocate_with => '{beside}')"
    with pytest.raises(asyncpg.PostgresError) as caught:
        await executed(
            plain,
            "create extension citus",
            "set citus.enable_local_reference_table_foreign_keys to off",
            "set citus.enable_unsafe_triggers to on",
            "select create_reference_table('astra.flag_definition')",
            "select create_reference_table('astra.source')",
            "select create_distributed_table('astra.spectrum', 'pk', shard_count => 4)",
            *(f"alter table {KIND} drop constraint apogee_coadded_spectrum_in_ap_star_{key}" for key in keys),
            how,
        )
    assert words in f"{caught.value} {caught.value.detail}"


# What it makes.


@citus
async def test_what_is_there_is_distributed_and_a_second_time_changes_nothing(plain, add_on) -> None:
    async with astra_outputs.connect(plain) as outputs:
        source = await outputs.save(astra_outputs.Source(sdss_id=1))
        spectrum = await outputs.save(
            astra_outputs.ApogeeCoaddedSpectrumInApStar(
                source_pk=source.pk, release="dr17", apred="dr17", obj="a", telescope="apo25m"
            )
        )
        before = await outputs.save(TheCannon.from_spectrum(spectrum, v_astra="0.6.0", teff=5000.0))
        await asyncio.to_thread(distribute, plain)
        # Who was at work goes on.
        again = await outputs.save(TheCannon.from_spectrum(spectrum, v_astra="0.6.1", teff=5001.0))
        assert (again.task_pk, again.created, again.outcome.value) == (
            before.task_pk,
            before.created,
            "replaced",
        )
    shards = await executed(plain, "select * from pg_dist_shard order by shardid")
    names = {row[0] for row in await executed(plain, DISTRIBUTED)}
    assert {"astra.the_cannon", "astra.aspcap", "astra.snow_white"} <= names
    assert (
        len(
            await executed(
                plain, "select distinct colocationid from pg_dist_partition where partmethod = 'h'"
            )
        )
        == 1
    )
    done = add_on("citus", plain, shards=7)
    assert (done.returncode, done.stdout) == (0, ""), done.stderr
    assert await executed(plain, "select * from pg_dist_shard order by shardid") == shards


@citus
async def test_workers_see_shards_since_hiding_them_takes_seconds_and_nobody_else_does(plain) -> None:
    """Citus looks at each table for each type that a driver asks for, unless the application sees shards anyway."""
    await asyncio.to_thread(distribute, plain)
    query = "select count(*) from pg_class where relname ~ '^the_cannon_[0-9]+$'"
    (others,) = await executed(plain, query)
    async with astra_outputs.connect(plain) as outputs:
        ours = await outputs.store.database.run(lambda connection: connection.fetchval(query))
    assert (ours, others[0]) == (4, 0)


@citus
async def test_a_server_keeps_no_memory_of_results_that_were_looked_up(plain) -> None:
    """Citus 13.2.2 would keep a plan of each call."""
    await asyncio.to_thread(distribute, plain)
    query = "select sum(total_bytes)::bigint from pg_backend_memory_contexts"
    async with astra_outputs.connect(plain, connections=1) as outputs:
        held = []
        for _ in range(3):
            for spectrum in range(60):
                await outputs.get_result(TheCannon, spectrum, v_astra="0.8")
            held.append(await outputs.store.database.run(lambda connection: connection.fetchval(query)))
    assert held[2] - held[1] < 2**20  # otherwise 8 MB


@citus
async def test_a_table_that_was_added_takes_nothing_until_it_is_run_again(
    outputs, connection, database, spectrum, other_pipeline, add_on
) -> None:
    await connection.execute("drop table astra.other_pipeline")
    await sql_files.apply(connection, "astra", files=[sql_files.sql_file(other_pipeline)])
    result = other_pipeline.from_spectrum(spectrum, v_astra="0.6.0", teff=1.0)
    with pytest.raises(SchemaMismatch, match=r"other_pipeline.*apply schema/add-ons/citus.sql again"):
        await outputs.save(result)
    done = add_on("citus", database)
    assert done.returncode == 0, done.stderr
    assert "astra.other_pipeline" in {row[0] for row in await connection.fetch(DISTRIBUTED)}
    assert (await outputs.save(result)).task_pk == 1


@citus
async def test_flags_are_told_by_name_beside_the_rows(outputs, connection, spectrum) -> None:
    await outputs.save(TheCannon.from_spectrum(spectrum, v_astra="0.6.0", flag_fitting_failure=True))
    await connection.execute("set search_path to astra")
    query = (
        "select flag_names('the_cannon', 'result_flags', result_flags) from the_cannon_quality "
        "where flag_warn and has_flag('the_cannon', 'result_flags', result_flags, 'fitting_failure')"
    )
    assert [row[0] for row in await connection.fetch(query)] == [["fitting_failure"]]
    with pytest.raises(asyncpg.PostgresError, match='no flag "ok"'):
        await connection.fetch(
            "select has_flag('the_cannon', 'result_flags', result_flags, 'ok') from the_cannon"
        )


@citus
async def test_statements_of_a_file_are_sent_one_by_one(
    outputs, database, connection, spectrum, other_pipeline
) -> None:
    await sql_files.apply(connection, "astra", files=[sql_files.sql_file(other_pipeline)])  # which is there
    await outputs.save(other_pipeline.from_spectrum(spectrum, v_astra="0.6.0"))
