"""Compares what workers were told with what is in the database and in their spools."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterable
from pathlib import Path

import asyncpg
import stamina
from witness import COLUMNS, Key, Told, generation_of, values

from astra_outputs import TheCannon
from astra_outputs.errors import CorruptSpoolFile
from astra_outputs.spool.file_format import decode
from astra_outputs.spool.folder import REJECTED, Spool

SHOWN = 10
"""Most violations of one kind that are listed."""

SPECTRA = """
with made as (insert into astra.spectrum (pk) select generate_series($1::bigint, $2::bigint) returning pk)
insert into astra.apogee_coadded_spectrum_in_ap_star (spectrum_pk, release, apred, obj, telescope, modified)
select pk, 'dr17', 'dr17', '2M' || pk, 'apo25m', now() - interval '1 day' from made
"""


class Violation(AssertionError):
    """Something that was promised is not so."""


async def _add_spectra(dsn: str, first: int, last: int) -> None:
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute("set synchronous_commit = on")
        await connection.execute(SPECTRA.replace("$1", str(first)).replace("$2", str(last)))
    finally:
        await connection.close()


def add_spectra(dsn: str, count: int, first: int = 1) -> range:
    """Store so many spectra without results, and return their keys."""
    asyncio.run(_add_spectra(dsn, first, first + count - 1))
    return range(first, first + count)


# The last fault may have been that a backend was killed, from which the whole server recovers.
@stamina.retry(
    on=(asyncpg.PostgresConnectionError, asyncpg.CannotConnectNowError, OSError), attempts=None, timeout=60
)
async def _rows(dsn: str) -> list[asyncpg.Record]:
    connection = await asyncpg.connect(dsn)
    try:
        columns = ", ".join(("task_pk", "created", "modified", *COLUMNS))
        return list(await connection.fetch(f"select {columns} from astra.the_cannon"))
    finally:
        await connection.close()


def waiting(spools: Iterable[Path]) -> dict[Key, int]:
    """Return the newest generation of each key in the whole files of some spools."""
    found: dict[Key, int] = {}
    for folder in spools:
        for path in Spool(folder).waiting():
            try:
                records = decode(path.read_bytes(), lambda *_: TheCannon).records
            except FileNotFoundError:
                continue  # stored meanwhile
            except CorruptSpoolFile as error:
                raise Violation(f"{path} appeared under its name and is not whole: {error}") from error
            for record in records:
                key = (record.spectrum_pk, record.v_astra)
                found[key] = max(found.get(key, 0), generation_of(record.tag))
    return found


def check(
    dsn: str, told: Told, spools: Collection[Path] = (), everything: Collection[Key] | None = None
) -> int:
    """Hold the database against what the workers were told; returns the number of rows.

    Parameters
    ----------
    dsn : str
    told : Told
        Read before this is called: what is told later is not missed.
    spools : collection of Path
        Folders in which results may wait.
    everything : collection of (spectrum_pk, v_astra), optional
        The keys that must be there, and no others, with nothing left in a spool.

    Raises
    ------
    Violation
        With a list of all that is not as it should be.
    """
    # The spools first: what leaves them meanwhile is in the database by then.
    spooled = waiting(spools)
    rows = asyncio.run(_rows(dsn))
    wrong = list(told.contradictions)
    stored: dict[Key, int] = {}
    for row in rows:
        key = (row["spectrum_pk"], row["v_astra"])
        generation = generation_of(row["tag"])
        wanted = values(*key, generation)
        if key in stored:
            wrong.append(f"{key} is stored twice")
        stored[key] = generation
        wrong += [
            f"{key}: {name} is {row[name]}, not {wanted[name]}"
            for name in wanted
            if row[name] != wanted[name]
        ]
        if row["modified"] < row["created"]:
            wrong.append(f"{key}: modified {row['modified']} is before created {row['created']}")
        identity = (row["task_pk"], row["created"].isoformat())
        if told.identity.get(key, identity) != identity:
            wrong.append(f"{key}: (task_pk, created) was {told.identity[key]} and is {identity}")
    for key, generation in told.stored.items():
        if stored.get(key, 0) < generation:
            wrong.append(f"{key}: reported stored as {generation}, and is {stored.get(key, 'missing')}")
    for key, generation in told.spooled.items():
        if max(stored.get(key, 0), spooled.get(key, 0)) < generation:
            wrong.append(f"{key}: reported spooled as {generation}, and is neither there nor in a spool")
    for end in told.ends:
        if end["made"] != sum(end["counts"].values()) + end["lost"]:
            wrong.append(
                f"a report accounts for {end['counts']} and {end['lost']} lost, not {end['made']} made"
            )
    if everything is not None:
        wrong += [f"{key} is missing at the end" for key in sorted(set(everything) - set(stored))]
        wrong += [f"{key} was never asked for" for key in sorted(set(stored) - set(everything))]
        wrong += [f"{key} is still in a spool" for key in spooled]
    for folder in spools:
        wrong += [f"{path} holds refused results" for path in Path(folder).glob(f"*{REJECTED}")]
    if wrong:
        more = [f"and {len(wrong) - SHOWN:,} more"] if len(wrong) > SHOWN else []
        raise Violation("\n".join([f"{len(wrong):,} violations", *wrong[:SHOWN], *more]))
    return len(rows)
