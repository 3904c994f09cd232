"""Django: bulk_create with update_conflicts; objects are built beforehand, outside the clock."""

from __future__ import annotations

import os
from typing import Any, ClassVar
from urllib.parse import parse_qs, urlsplit

import django
from django.conf import settings
from django.db import connection, models, transaction
from django.db.models.functions import Now

from benchmarks.measure import chunks
from benchmarks.peers.base import Peer
from benchmarks.tables import KEY, SCHEMA, Row, Table


def configure(dsn: str) -> None:
    """Set Django up for the server, once a process."""
    if settings.configured:
        return
    parts = urlsplit(dsn)
    host = parse_qs(parts.query)
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"  # it has the event loop to itself while it is measured
    database = {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": parts.path.removeprefix("/"),
        "USER": parts.username or "",
        "HOST": parts.hostname or host["host"][0],
        "PORT": parts.port or host["port"][0],
        "OPTIONS": {"options": f"-c search_path={SCHEMA}"},
    }
    settings.configure(DATABASES={"default": database}, USE_TZ=True)
    django.setup()


def model_of(table: Table) -> type[models.Model]:
    """Return the table's model."""
    meta = type("Meta", (), {"db_table": table.name, "app_label": "benchmarks", "managed": False})
    version = models.GeneratedField(
        expression=models.F("v_astra") / 1000, output_field=models.IntegerField(), db_persist=True
    )
    fields: dict[str, Any] = {
        "task_pk": models.BigAutoField(primary_key=True),
        "source_pk": models.BigIntegerField(null=True),
        "spectrum_pk": models.BigIntegerField(),
        "v_astra": models.IntegerField(),
        "v_astra_major_minor": version,
        "created": models.DateTimeField(db_default=Now()),
        "modified": models.DateTimeField(db_default=Now()),
        "t_elapsed": models.FloatField(null=True),
        "t_overhead": models.FloatField(null=True),
        "tag": models.TextField(default=""),
        **{label: models.FloatField(null=True) for label in table.labels},
    }
    return type(table.name.capitalize(), (models.Model,), {**fields, "Meta": meta, "__module__": __name__})


class BulkCreate(Peer):
    label: ClassVar[str] = "Django bulk_create"
    slow: ClassVar[bool] = True
    _models: ClassVar[dict[str, type[models.Model]]] = {}

    async def open(self) -> None:
        configure(self.setting.dsn)
        name = self.table.name
        if name not in self._models:  # a class may be registered once
            self._models[name] = model_of(self.table)
        self.model: Any = self._models[name]

    async def close(self) -> None:
        connection.close()

    def prepare(self, rows: list[Row]) -> Any:
        return chunks([self.model(**row) for row in rows], self.batch)

    async def save_batch(self, batch: list[Any]) -> list[Any]:
        for result in batch:
            result.pk = None  # as new from a pipeline; the round before left its key
        with transaction.atomic():
            self.model.objects.bulk_create(
                batch, update_conflicts=True, update_fields=list(self.table.replaced), unique_fields=list(KEY)
            )
        return [(result.spectrum_pk, result.pk) for result in batch]
