"""Tortoise: bulk_create with on_conflict; objects are built beforehand, outside the clock."""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Any, ClassVar
from urllib.parse import parse_qs, urlsplit

from tortoise import Model, Tortoise, fields
from tortoise.transactions import in_transaction

from benchmarks.measure import chunks
from benchmarks.peers.base import Peer
from benchmarks.tables import KEY, SCHEMA, Row, Table


def model_of(table: Table) -> type[Model]:
    """Return the table's model, without the columns that the server computes.

    Tortoise would insert into a generated column, and take over no server's default for `modified`.
    """
    meta = type("Meta", (), {"table": table.name})
    columns: dict[str, Any] = {
        "task_pk": fields.BigIntField(primary_key=True, generated=True),
        "source_pk": fields.BigIntField(null=True),
        "spectrum_pk": fields.BigIntField(),
        "v_astra": fields.IntField(),
        "modified": fields.DatetimeField(auto_now=True),
        "t_elapsed": fields.FloatField(null=True),
        "t_overhead": fields.FloatField(null=True),
        "tag": fields.TextField(default=""),
        **{label: fields.FloatField(null=True) for label in table.labels},
    }
    return type(table.name.capitalize(), (Model,), {**columns, "Meta": meta, "__module__": __name__})


class BulkCreate(Peer):
    label: ClassVar[str] = "Tortoise bulk_create"
    slow: ClassVar[bool] = True
    returns_keys: ClassVar[bool] = False

    async def open(self) -> None:
        self.model: Any = model_of(self.table)
        module = ModuleType("benchmarks_tortoise_models")
        setattr(module, self.model.__name__, self.model)
        sys.modules[module.__name__] = module
        parts = urlsplit(self.setting.dsn)
        host = parse_qs(parts.query)
        credentials = {
            "database": parts.path.removeprefix("/"),
            "user": parts.username,
            "password": parts.password,
            "host": parts.hostname or host["host"][0],
            "port": parts.port or int(host["port"][0]),
            "schema": SCHEMA,
            "minsize": 1,
            "maxsize": 1,
        }
        server = {"engine": "tortoise.backends.asyncpg", "credentials": credentials}
        apps = {"models": {"models": [module.__name__], "default_connection": "default"}}
        await Tortoise.init(config={"connections": {"default": server}, "apps": apps})

    async def close(self) -> None:
        await Tortoise.close_connections()
        await Tortoise._reset_apps()

    def prepare(self, rows: list[Row]) -> Any:
        return chunks([self.model(**row) for row in rows], self.batch)

    async def save_batch(self, batch: list[Any]) -> list[Any]:
        async with in_transaction() as connection:
            await self.model.bulk_create(
                batch, on_conflict=KEY, update_fields=self.table.replaced, using_db=connection
            )
        return []
