"""A version that is published takes no results: that is asked before anything is computed."""

from __future__ import annotations

from contextlib import suppress

from astra_outputs.errors import DatabaseError, VersionFrozen
from astra_outputs.model.pipeline import PipelineOutputMixin
from astra_outputs.model.record import Record
from astra_outputs.model.version import major_minor
from astra_outputs.names import Frozen
from astra_outputs.postgres.frozen import frozen_versions
from astra_outputs.saving.store import Store


async def refuse_published(store: Store, makes: type[Record] | None, v_astra: int | None) -> None:
    """Refuse a run whose results could not be stored; nothing is asked where their class or version is not known.

    Raises
    ------
    VersionFrozen
        If the version of the run is published.
    """
    if makes is None or v_astra is None or not issubclass(makes, PipelineOutputMixin):
        return
    database, table = store.database, makes.table
    known: tuple[Frozen, ...] = ()
    with suppress(DatabaseError):  # the database is away, or says it when the first row is stored
        known = await database.run(lambda connection: frozen_versions(connection, database.schema, table))
    for frozen in known:
        if frozen.major_minor == major_minor(v_astra):
            raise VersionFrozen(
                f"{table}: {frozen.sentence}; give the run another v_astra. Nothing was computed",
                table=table,
                constraint=frozen.constraint,
            )
