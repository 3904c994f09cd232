"""Tables as upstream Astra has them: made, filled and written to by Peewee models, from the facts of its data model.

Keys have 32 bits, times no zone and no default, numbers of The Cannon may not be NULL and are NaN. The fields and their
defaults are those of `tests/data/data_model/`; nothing of it is upstream's code.
"""

from __future__ import annotations

import csv
import math
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import time
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit
from zoneinfo import ZoneInfo

import asyncpg
import peewee
from playhouse.postgres_ext import ArrayField

from astra_outputs.discover import record_classes
from astra_outputs.model.record import Record

FACTS = Path(__file__).parent / "data" / "data_model"
RECORDS = {record_class.table: record_class for record_class in record_classes()}
ORDER = ("source", "spectrum", *sorted(RECORDS.keys() - {"source", "spectrum"}))
"""Names of tables, one after those that it refers to."""

WRITTEN = datetime(2025, 3, 1, 12)  # noqa: DTZ001 (without a zone, as Astra writes)
"""When the first row was written, by the clock of a worker."""


VIEWS = """
    create view public.hot with (security_barrier = true) as
    select task_pk, teff, created from astra_080.the_cannon where teff > 10;
    create materialized view public.hotter as select * from public.hot;
    create unique index hotter_first on public.hotter (task_pk);
    comment on view public.hot is 'It''s; hot';
    alter view public.hot alter column teff set default 5;
    create rule nothing as on delete to public.hot do instead nothing;
    create function public.into_hot() returns trigger language plpgsql as 'begin return new; end';
    create trigger into_hot instead of insert on public.hot for each row execute function public.into_hot();
    grant select on public.hot to public;
    grant update (teff) on public.hot to pg_monitor with grant option;
    alter view public.hot owner to pg_read_all_data;
"""
"""Views of others, which stand upon columns that change."""


def local_now() -> datetime:
    """The default of Astra's times: what the clock of the machine says, without its zone."""
    return datetime.now()  # noqa: DTZ005


def utc_now() -> datetime:
    """The same of a machine that runs by UTC."""
    return datetime.now(UTC).replace(tzinfo=None)


def denver_now() -> datetime:
    """The same of a machine that runs by the time of Denver."""
    return datetime.now(ZoneInfo("America/Denver")).replace(tzinfo=None)


def database_of(dsn: str, zone: str = "") -> peewee.PostgresqlDatabase:
    """Return Peewee's database of a DSN; `zone` is that of its sessions."""
    parts = urlsplit(dsn)
    query = {name: values[-1] for name, values in parse_qs(parts.query).items()}
    given = {
        "host": query.get("host", parts.hostname),
        "port": query.get("port", parts.port),
        "user": unquote(parts.username or "") or query.get("user"),
        "password": unquote(parts.password or ""),
        "options": f"-c timezone={zone}" if zone else None,
    }
    name = parts.path.removeprefix("/")
    return peewee.PostgresqlDatabase(name, **{key: value for key, value in given.items() if value})


def facts_of(table: str) -> list[dict[str, str]]:
    with (FACTS / f"{table}.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def _field(
    fact: dict[str, str], models: Mapping[str, type[peewee.Model]], now: Callable[[], datetime]
) -> Any:
    name, kind, default = fact["column"], fact["type"], fact["default"]
    options: dict[str, Any] = {"null": fact["nullable"] == "yes"}
    if default == "serial primary key":
        return peewee.AutoField()
    if default.startswith("generated"):
        made = peewee.SQL("GENERATED ALWAYS AS (v_astra / 1000) STORED")
        return peewee.IntegerField(constraints=[made], _hidden=True)
    if fact["references"]:
        other = models[fact["references"].partition(".")[0]]
        unique = options["null"] and name == "spectrum_pk"
        return peewee.ForeignKeyField(
            other,
            column_name=name,
            lazy_load=False,
            on_delete="CASCADE",
            unique=unique,
            backref="+",
            **options,
        )
    if default == "now()":
        options["default"] = now
    elif default == "current software version":
        options["default"] = 8000
    elif default == "NaN":
        options["default"] = float("nan")
    elif default:
        options["default"] = default.strip("'") if kind == "text" else int(default)
    if name == "tag":
        options["index"] = True
    if kind == "bitfield":
        return peewee.BitField(**options)
    if kind == "real[]":
        return ArrayField(peewee.FloatField, index=False, **options)
    fields = {
        "integer": peewee.IntegerField,
        "bigint": peewee.BigIntegerField,
        "real": peewee.FloatField,
        "text": peewee.TextField,
        "boolean": peewee.BooleanField,
        "timestamptz": peewee.DateTimeField,
        "bytea": peewee.BlobField,
    }
    return fields[kind](**options)


def models_of(
    database: peewee.Database, schema: str = "astra_080", now: Callable[[], datetime] = local_now
) -> dict[str, type[peewee.Model]]:
    """Return the models of all tables, by the name of the table."""
    models: dict[str, type[peewee.Model]] = {}
    for table in ORDER:
        record_class = RECORDS[table]
        fields = {fact["column"]: _field(fact, models, now) for fact in facts_of(table)}
        for column in record_class.columns():
            if column.bits is not None and isinstance(fields[column.name], peewee.BitField):
                for bit in column.bits.bits():
                    flag = f"flag_{bit.name}"
                    if flag not in fields:
                        fields[flag] = fields[column.name].flag(2**bit.bit)
        keys = tuple((names, True) for names in record_class.natural_keys)
        facts = {"database": database, "schema": schema, "table_name": table}
        if "task_pk" in fields:  # a constraint there, and of spectra an index
            facts["constraints"] = [peewee.SQL("UNIQUE (spectrum_pk, v_astra_major_minor)")]
        else:
            facts["indexes"] = keys
        meta = type("Meta", (), facts)
        bases = (Output, peewee.Model) if "task_pk" in fields else (peewee.Model,)
        models[table] = type(record_class.__name__, bases, {**fields, "Meta": meta})
    return models


class Output:
    """What Astra's models of pipelines can do besides."""

    @classmethod
    def from_spectrum(cls, spectrum: Any, **values: Any) -> Any:
        """Return a result that is not stored yet."""
        return cls(spectrum_pk=spectrum.spectrum_pk, source_pk=spectrum.source_pk, **values)


def task(pipeline: Callable[..., Iterator[Any]]) -> Callable[..., Iterator[Any]]:
    """Store what a pipeline yields; the time before it yields `...` is part of each result's, as there."""

    def run(*arguments: Any, **options: Any) -> Iterator[Any]:
        results, overhead, begun = [], 0.0, time()
        for result in pipeline(*arguments, **options):
            spent, begun = time() - begun, time()
            if result is ...:
                overhead += spent
            else:
                result.t_elapsed = spent
                results.append(result)
        for result in results:
            result.t_overhead = overhead / len(results)
            result.t_elapsed += result.t_overhead
            values = {name: value for name, value in result.__data__.items() if value is not None}
            model = type(result)
            replaced = [getattr(model, name) for name in values if name not in ("spectrum_pk", "created")]
            query = model.insert(values).on_conflict(
                conflict_target=[model.spectrum_pk, model.v_astra_major_minor], preserve=replaced
            )
            result.task_pk = query.execute()
            yield result

    return run


def make(models: Mapping[str, type[peewee.Model]]) -> None:
    """Make the schema and all tables."""
    first = next(iter(models.values()))._meta
    first.database.execute_sql(f'create schema "{first.schema}"')
    first.database.create_tables(list(models.values()), safe=False)


def value_of(record_class: type[Record], fact: dict[str, str], seed: int) -> Any:
    """Return a value for one column of a row, which tells it from others; some numbers are NaN, or not given."""
    name, place = fact["column"], sum(map(ord, fact["column"])) % 7
    if fact["type"] == "timestamptz":
        return WRITTEN + timedelta(minutes=seed, seconds=30 * (name == "modified"))
    if fact["type"] == "real":
        may_be_missing = fact["nullable"] == "yes" or fact["default"] == "NaN"
        return float("nan") if may_be_missing and (seed + place) % 7 == 0 else seed * 1.5 + place / 8
    if fact["type"] == "real[]":
        return [seed + 0.25, place / 8]
    if fact["type"] == "bytea":
        return bytes([seed % 256, 0, 255])
    if fact["type"] == "bitfield":
        return seed % 2
    if fact["type"] == "boolean":
        return bool(seed % 2)
    if fact["type"] == "text":
        return f"{name} {seed}"
    return seed + place


def fill(models: Mapping[str, type[peewee.Model]], stars: int = 3) -> None:
    """Store sources, a spectrum of each kind for each, and results of every pipeline for the first kind of spectrum."""
    with models["source"]._meta.database.atomic():
        for star in range(1, stars + 1):
            models["source"].create(**row("source", star))
        number = 0
        for table in ORDER[2:]:
            if RECORDS[table].primary_key != "pk":
                continue
            for star in range(1, stars + 1):
                number += 1
                models["spectrum"].create(spectrum_flags=0)
                models[table].create(**row(table, number, spectrum_pk=number, source_pk=star))
        for table in ORDER[2:]:
            if RECORDS[table].primary_key != "task_pk":
                continue
            for star in range(1, stars + 1):
                for v_astra in (8000, 7003):
                    models[table].create(
                        **row(table, number + star, spectrum_pk=star, source_pk=star, v_astra=v_astra)
                    )


def row(table: str, seed: int, **given: Any) -> dict[str, Any]:
    row = {
        fact["column"]: value_of(RECORDS[table], fact, seed)
        for fact in facts_of(table)
        if fact["default"] != "serial primary key" and not fact["default"].startswith("generated")
    }
    return row | given


async def rows(connection: asyncpg.Connection, schema: str = "astra_080") -> dict[str, list[tuple[Any, ...]]]:
    """Return the rows of all tables, by table, in the order of their numbers."""
    found = {}
    for table in ORDER:
        names = ", ".join(f'"{fact["column"]}"' for fact in facts_of(table))
        number = RECORDS[table].primary_key
        sql = f"select {names} from {schema}.{table} order by {number}"
        found[table] = [tuple(row) for row in await connection.fetch(sql)]
    return found


def in_ours(value: Any, zone: ZoneInfo) -> Any:
    """What a value of theirs is in a table of ours."""
    if isinstance(value, datetime):
        return value.replace(tzinfo=zone).astimezone(UTC)
    return None if isnan(value) else value


def isnan(value: Any) -> bool:
    return isinstance(value, float) and math.isnan(value)
