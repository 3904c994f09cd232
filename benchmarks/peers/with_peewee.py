"""Peewee, as upstream Astra stores its results: insert_many, on_conflict, returning."""

from __future__ import annotations

from typing import Any, ClassVar

import peewee

from benchmarks.peers.base import Peer
from benchmarks.tables import SCHEMA, Row, Table


def model_of(table: Table, database: peewee.Database) -> type[peewee.Model]:
    """Return the table's model."""
    fields: dict[str, Any] = {
        "task_pk": peewee.BigAutoField(),
        "source_pk": peewee.BigIntegerField(null=True),
        "spectrum_pk": peewee.BigIntegerField(),
        "v_astra": peewee.IntegerField(),
        "v_astra_major_minor": peewee.IntegerField(),
        "created": peewee.DateTimeField(),
        "modified": peewee.DateTimeField(),
        "t_elapsed": peewee.FloatField(null=True),
        "t_overhead": peewee.FloatField(null=True),
        "tag": peewee.TextField(default=""),
        **{label: peewee.FloatField(null=True) for label in table.labels},
    }
    meta = type("Meta", (), {"database": database, "table_name": table.name, "schema": SCHEMA})
    return type("Result", (peewee.Model,), {**fields, "Meta": meta})


class WithPeewee(Peer):
    """Rows are dicts already."""

    label: ClassVar[str] = "Peewee insert_many"
    slow: ClassVar[bool] = True

    async def open(self) -> None:
        self.database = peewee.PostgresqlDatabase(self.setting.dsn)
        self.database.connect()
        self.model = model_of(self.table, self.database)

    async def close(self) -> None:
        self.database.close()

    async def save_batch(self, batch: list[Row]) -> list[Any]:
        model = self.model
        with self.database.atomic():
            query = model.insert_many(batch).on_conflict(
                conflict_target=[model.spectrum_pk, model.v_astra_major_minor],
                preserve=[model._meta.fields[name] for name in self.table.replaced],
            )
            return list(query.returning(model.spectrum_pk, model.task_pk).tuples().execute())


class BuildingModels(WithPeewee):
    """Instances of the model are built from plain values, as a pipeline yields them."""

    label: ClassVar[str] = "Peewee, models built and saved"

    async def save_batch(self, batch: list[Row]) -> list[Any]:
        results = [self.model(**row) for row in batch]
        return await super().save_batch([result.__data__ for result in results])
