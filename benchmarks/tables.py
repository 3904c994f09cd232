"""One definition of the benchmarks' tables: record class, SQL and rows all come from it.

There are two kinds. `PIPELINES` is a table as the pipelines' are: labels in single precision, foreign keys,
a check against NaN unless it is one of the widest, an index on `source_pk`, and room in each page for a re-run. `PLAIN` is what somebody makes who thinks of none
of this: labels in double precision, no foreign key, no index but those of the keys, PostgreSQL's own storage
settings. What is tuned to the first must hold on the second.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any, Literal, NamedTuple

import asyncpg
from pydantic import create_model

from astra_outputs import Double, PipelineOutputMixin, Real, column
from astra_outputs.postgres import sql_files
from astra_outputs.records.source import Source
from astra_outputs.records.spectrum import Spectrum

Row = dict[str, Any]

Kind = Literal["pipelines", "plain"]
PIPELINES: Kind = "pipelines"
PLAIN: Kind = "plain"
KINDS: dict[Kind, str] = {
    PIPELINES: "a pipeline's table: reals, foreign keys, half of each page free",
    PLAIN: "a plain table: doubles, no foreign keys, default fillfactor",
}

WIDTHS = (20, 60, 200)
"""Labels of the tables that are measured."""

SCHEMA = "astra"
V_ASTRA = 8001
UNCHECKED = 200
"""Labels from which on a pipeline's table has no check against NaN."""
NOT_MEASURED = 0.05
"""Share of the labels that is NULL, as in a survey's tables."""

KEY = ("spectrum_pk", "v_astra_major_minor")
SHARED = {
    "source_pk": "bigint",
    "spectrum_pk": "bigint",
    "v_astra": "integer",
    "modified": "timestamptz",
    "t_elapsed": "real",
    "t_overhead": "real",
    "tag": "text",
}
"""The shared columns that change in a replaced row, or find it."""


class SpectrumKeys(NamedTuple):
    """What `from_spectrum` reads of a spectrum."""

    spectrum_pk: int
    source_pk: int


@lru_cache
def storage() -> str:
    """Return the storage settings of the pipelines' tables, as their SQL files give them."""
    text = (sql_files.schema_dir() / "tables" / "the_cannon.sql").read_text(encoding="utf-8")
    found = re.search(r"^\)\s*(?:--.*\s*)*with \((.*?)\);", text, re.MULTILINE)
    return found[1] if found else ""


@dataclass(frozen=True)
class Table:
    """A pipeline's table with some number of labels beside the shared columns.

    Parameters
    ----------
    width : int
        Number of labels, all nullable.
    kind : {"pipelines", "plain"}
        As the pipelines' tables are, with reals; or plain, with doubles.
    """

    width: int
    kind: Kind = PIPELINES

    @property
    def plain(self) -> bool:
        return self.kind == PLAIN

    @property
    def name(self) -> str:
        return f"{'plain' if self.plain else 'bench'}{self.width}"

    @property
    def seed(self) -> str:
        """Table with the same rows, for filling the one that is measured from within the server."""
        return f"{self.name}_seed"

    @property
    def labels(self) -> tuple[str, ...]:
        return tuple(f"label_{number:03d}" for number in range(self.width))

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that a client sends."""
        return (*(name for name in SHARED if name != "modified"), *self.labels)

    @property
    def replaced(self) -> tuple[str, ...]:
        """The columns that a re-run replaces."""
        return (*(name for name in SHARED if name != "spectrum_pk"), *self.labels)

    def sql_type(self, name: str) -> str:
        return SHARED.get(name, self.label_type)

    @property
    def label_type(self) -> str:
        return "double precision" if self.plain else "real"

    @cached_property
    def record_class(self) -> type[PipelineOutputMixin]:
        return _record_class(self.width, self.kind)

    def create(self, settings: str | None = None, *, source_index: bool | None = None) -> str:
        """Return the SQL of the table, and of its seed; storage and index are the kind's own unless given."""
        name, labels = self.name, "".join(f"{label} {self.label_type},\n" for label in self.labels)
        if settings is None:
            settings = "" if self.plain else storage()
        if source_index is None:
            source_index = not self.plain
        index = f"create index {name}_source_idx on {name} (source_pk);" if source_index else ""
        return f"""
            drop table if exists {name};
            create table {name} (
                task_pk bigint generated always as identity,
                source_pk bigint,
                spectrum_pk bigint not null,
                v_astra integer not null,
                v_astra_major_minor integer not null generated always as (v_astra / 1000) stored,
                created timestamptz not null default statement_timestamp(),
                modified timestamptz not null default statement_timestamp(),
                t_elapsed real,
                t_overhead real,
                tag text not null default '',
                {labels}
                {", ".join(self._constraints())}
            ) {f"with ({settings})" if settings else ""};
            {index}
            drop table if exists {self.seed};
            create unlogged table {self.seed} as select {", ".join(self.columns)} from {name} limit 0;
        """

    def _constraints(self) -> Iterator[str]:
        name = self.name
        yield f"constraint {name}_pkey primary key (task_pk)"
        yield f"constraint {name}_spectrum_version_key unique (spectrum_pk, v_astra_major_minor)"
        yield f"constraint {name}_version_check check (v_astra >= 0)"
        if self.plain:
            return
        yield f"constraint {name}_source_fkey foreign key (source_pk) references source (pk)"
        yield f"constraint {name}_spectrum_fkey foreign key (spectrum_pk) references spectrum (pk)"
        if self.width < UNCHECKED:
            reals = ", ".join(("t_elapsed", "t_overhead", *self.labels))
            yield f"constraint {name}_no_nan_check check (greatest({reals}) <> 'NaN')"

    def upsert(self, rows: str) -> str:
        """Return the upsert that everyone who writes SQL by hand sends."""
        columns = ", ".join(self.columns)
        replaced = ", ".join(f"{name} = excluded.{name}" for name in self.replaced)
        return f"insert into {self.name} ({columns}) {rows} on conflict ({', '.join(KEY)}) do update set {replaced}"

    RETURNING = " returning spectrum_pk, task_pk"


@lru_cache
def _record_class(width: int, kind: Kind) -> type[PipelineOutputMixin]:
    table, label = Table(width, kind), Double if kind == PLAIN else Real
    labels: dict[str, Any] = {
        name: (label, column(unit="dex", description="One label")) for name in table.labels
    }
    name = table.name.capitalize()
    return create_model(name, __base__=PipelineOutputMixin, __module__=__name__, **labels)


def rows_of(table: Table, count: int, *, start: int = 1, seed: int = 1) -> list[Row]:
    """Return rows as a pipeline has them: plain values by column, in the order of their keys.

    A real holds what single precision can; a double has digits to its end, which drivers that send text feel.
    """
    draw = random.Random(seed)

    def value() -> float:
        return 1_000 * draw.random() if table.plain else draw.randrange(1 << 20) / 1024

    return [
        {
            "source_pk": pk,
            "spectrum_pk": pk,
            "v_astra": V_ASTRA,
            "t_elapsed": 0.25,
            "t_overhead": 0.125,
            "tag": "",
            **{label: None if draw.random() < NOT_MEASURED else value() for label in table.labels},
        }
        for pk in range(start, start + count)
    ]


def arrays_of(table: Table, rows: Sequence[Row]) -> dict[str, Any]:
    """Return the same rows as NumPy columns of the table's precision, NaN where nothing was measured."""
    import numpy as np

    keys = {name: np.array([row[name] for row in rows], np.int64) for name in ("spectrum_pk", "source_pk")}
    precision = {"real": np.float32, "double precision": np.float64}
    nan = float("nan")
    return keys | {
        name: np.array(
            [nan if row[name] is None else row[name] for row in rows], precision[table.sql_type(name)]
        )
        for name in ("t_elapsed", "t_overhead", *table.labels)
    }


async def create_parents(connection: asyncpg.Connection, count: int) -> None:
    """Create `count` sources and spectra, which results refer to."""
    files = [sql_files.sql_file(Source), sql_files.sql_file(Spectrum)]
    await sql_files.apply(connection, SCHEMA, files)
    await connection.execute(f"set search_path to {SCHEMA}")
    for parent in ("source", "spectrum"):
        known = await connection.fetchval(f"select coalesce(max(pk), 0) from {parent}")
        keys = "pk, source_pk" if parent == "spectrum" else "pk"
        numbers = "number, number" if parent == "spectrum" else "number"
        await connection.execute(
            f"insert into {parent} ({keys}) select {numbers} from generate_series({known + 1}, {count}) as number"
        )
        await connection.execute(f"vacuum (freeze, analyze) {parent}")


async def load_seed(connection: asyncpg.Connection, table: Table, rows: Sequence[Row]) -> None:
    """Keep the rows on the server, from where `fill` takes them."""
    await connection.execute(f"truncate {table.seed}")
    await connection.copy_records_to_table(
        table.seed, records=[tuple(row.values()) for row in rows], columns=table.columns, schema_name=SCHEMA
    )
    await connection.execute(
        f"create unique index if not exists {table.seed}_key on {table.seed} (spectrum_pk)"
    )
    await connection.execute(f"vacuum (freeze, analyze) {table.seed}")


async def fill(connection: asyncpg.Connection, table: Table, where: str = "true") -> None:
    """Bring the table into the same state before every measurement: these rows, packed, vacuumed.

    It stays the table that everybody knows: TRUNCATE would give it another file, which whoever looks at that takes
    for another table. Statistics are those of the columns that a statement can search by: of the labels they would
    take longer than all the rest.
    """
    columns = ", ".join(table.columns)
    for statement in ("delete from", "vacuum (freeze)", "reindex table"):
        await connection.execute(f"{statement} {table.name}")
    async with connection.transaction():
        # The seed's keys are known to be good; checking them again would double the time.
        await connection.execute("set local session_replication_role = replica")
        await connection.execute(
            f"insert into {table.name} ({columns}) select {columns} from {table.seed} where {where} order by spectrum_pk"
        )
    searched = "spectrum_pk, source_pk, v_astra_major_minor"
    await connection.execute(f"vacuum (freeze, analyze) {table.name} ({searched})")
