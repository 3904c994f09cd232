"""How far the pipelines are: by version, what is done, what is pending, and when something was last written."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime

from astra_outputs.model.pipeline import PipelineOutputMixin
from astra_outputs.model.spectrum import SpectrumMixin
from astra_outputs.model.version import format_major_minor
from astra_outputs.postgres.database import Connection, Database
from astra_outputs.postgres.sql import qualified, templates
from astra_outputs.reading.pending import Pending


@dataclass(frozen=True)
class VersionStatus:
    """How far a pipeline is with one version.

    Attributes
    ----------
    table : str
    version : str
        Its major.minor, as "0.8".
    spectra : int
        How many there are of the kinds that it works on.
    done, pending : int
        Results that are stored; spectra that wait for one.
    failed : int
        Spectra on which the pipeline failed and that have no result since.
    last_hour : int
        Results that were written within the last hour.
    last_write : datetime or None
    """

    table: str
    version: str
    spectra: int
    done: int
    pending: int
    failed: int
    last_hour: int
    last_write: datetime | None


async def status_of(
    database: Database,
    record_class: type[PipelineOutputMixin],
    kinds: Iterable[type[SpectrumMixin]],
    failed: dict[int, Collection[int]],
) -> list[VersionStatus]:
    """Return how far a pipeline is with each version, the newest first; nothing if there is no such table.

    Parameters
    ----------
    database : Database
    record_class : type[PipelineOutputMixin]
    kinds : iterable of type[SpectrumMixin]
        Kinds of spectra, besides the pipeline's own; those are counted of which it has a result.
    failed : dict[int, collection of int]
        By major.minor, keys of spectra on which it failed.
    """
    schema = database.schema
    if not await _exists(database, qualified(schema, record_class.table)):
        return []
    results = {"results": qualified(schema, record_class.table)}
    text = templates("status")["results_by_version"].fill(**results)
    rows = await database.run(lambda connection: connection.fetch(text), where=record_class.table)
    worked_on, spectra = [], 0
    own = [record_class.spectrum_class] if record_class.spectrum_class is not None else []
    for kind in dict.fromkeys([*kinds, *own]):
        marks = {"spectra": qualified(schema, kind.table)}
        known = bool(rows) and await _exists(database, marks["spectra"])
        if known and await _value(database, "is_worked_on", **marks, **results):
            worked_on.append(kind)
            spectra += await _value(database, "count_spectra", **marks)
    found = []
    for row in rows:
        version = row["v_astra_major_minor"]
        pending = [await Pending(record_class, kind, version).count(database) for kind in worked_on]
        keys = list(failed.get(version, ()))
        still = await _value(database, "without_result", version, keys, **results) if keys else 0
        name = format_major_minor(version)
        counts = (spectra, row["done"], sum(pending), still, row["last_hour"])
        found.append(VersionStatus(record_class.table, name, *counts, row["last_write"]))
    return found


async def _exists(database: Database, table: str) -> bool:
    async def ask(connection: Connection) -> bool:
        return bool(await connection.fetchval("select to_regclass($1) is not null", table))

    return await database.run(ask)


async def _value(database: Database, name: str, *values: object, **marks: str) -> int:
    text = templates("status")[name].fill(**marks)

    async def ask(connection: Connection) -> int:
        return int(await connection.fetchval(text, *values))

    return await database.run(ask)
