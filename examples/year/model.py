"""The independent model of the year, and the database held against it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import asyncpg
from plan import Plan, labels, values_of

SAMPLE = 20
"""Every so many rows one is remembered, to see that its `task_pk` and `created` never change."""


class Model:
    """What must be stored: for each pipeline and major.minor version the month of each spectrum's result.

    A byte a result, so that 10⁶ spectra and 20 pipelines take some 80 MB.
    """

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self._months: dict[tuple[int, int], bytearray] = {}
        self._identity: dict[tuple[str, int, int], tuple[int, Any]] = {}

    def pass_month(self, month: int) -> None:
        """Take in what the pipelines do in a month: what is pending first, then what is made again."""
        plan, version = self.plan, self.plan.version(month)
        for pipeline in range(plan.pipelines):
            made = self._months.setdefault((pipeline, version // 1000), bytearray(plan.spectra + 1))
            for key in range(1, plan.arrived(month) + 1):
                if not made[key] and not plan.fails(pipeline, key):
                    made[key] = month
            for key in plan.rerun_of(month, pipeline):
                made[key] = month

    def rows(self, pipeline: int) -> Iterator[tuple[int, int, int]]:
        """Yield (spectrum_pk, v_astra_major_minor, month) of a pipeline's results, in the order of keys."""
        versions = sorted(version for number, version in self._months if number == pipeline)
        for key in range(1, self.plan.spectra + 1):
            for version in versions:
                month = self._months[pipeline, version][key]
                if month:
                    yield key, version, month

    async def differences(self, connection: asyncpg.Connection) -> list[str]:
        """Compare every row; returns what is not as it must be, in words."""
        wrong: list[str] = []
        for pipeline in range(self.plan.pipelines):
            wrong += await self._compared(connection, pipeline)
        orphans = await connection.fetch(
            "select pk from spectrum where not exists"
            " (select from apogee_coadded_spectrum_in_ap_star where spectrum_pk = spectrum.pk) limit 10"
        )
        wrong += [f"spectrum {row['pk']} belongs to no spectrum" for row in orphans]
        return wrong

    async def _compared(self, connection: asyncpg.Connection, pipeline: int) -> list[str]:
        record_class = self.plan.record_classes[pipeline]
        table, names, wrong = record_class.table, labels(record_class), []
        wanted, numbers = self.rows(pipeline), set[int]()
        expected = next(wanted, None)
        async with connection.transaction():
            query = f'select * from "{table}" order by spectrum_pk, v_astra_major_minor'
            async for row in connection.cursor(query, prefetch=1_000):
                key = (row["spectrum_pk"], row["v_astra_major_minor"])
                while expected is not None and expected[:2] < key:
                    wrong.append(f"{table}: the result of {expected[:2]} is missing")
                    expected = next(wanted, None)
                if expected is None or expected[:2] != key:
                    wrong.append(f"{table}: there must be no result of {key}, or not twice")
                    continue
                wrong += [
                    f"{table}: {key}: {what}" for what in self._wrong(row, pipeline, names, expected[2])
                ]
                if row["task_pk"] in numbers:
                    wrong.append(f"{table}: {key}: task_pk {row['task_pk']} is another row's as well")
                numbers.add(row["task_pk"])
                expected = next(wanted, None)
        while expected is not None:
            wrong.append(f"{table}: the result of {expected[:2]} is missing")
            expected = next(wanted, None)
        return wrong

    def _wrong(self, row: asyncpg.Record, pipeline: int, names: tuple[str, ...], month: int) -> Iterator[str]:
        key, version = row["spectrum_pk"], self.plan.version(month)
        values: dict[str, Any] = {"tag": str(month), "v_astra": version, "source_pk": key}
        values |= values_of(names, pipeline, key, month)
        for name, value in values.items():
            if row[name] != value:
                yield f"{name} is {row[name]}, not {value}"
        if row["created"] > row["modified"]:
            yield f"created {row['created']} is after modified {row['modified']}"
        if key % SAMPLE == 0:
            place = (self.plan.record_classes[pipeline].table, key, row["v_astra_major_minor"])
            identity = (row["task_pk"], row["created"])
            if self._identity.setdefault(place, identity) != identity:
                yield f"(task_pk, created) was {self._identity[place]} and is {identity}"
