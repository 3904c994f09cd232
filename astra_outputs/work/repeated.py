"""Results of which a run makes more than one for the same spectrum and version: the last one counts."""

from __future__ import annotations

import logging

from pyroaring import BitMap64

from astra_outputs.events import tell
from astra_outputs.model.pipeline import PipelineOutputMixin
from astra_outputs.model.record import Record
from astra_outputs.work.report import RunReport

log = logging.getLogger("astra_outputs.worker")

UNSIGNED = 2**64 - 1


class Repeated:
    """Finds results that give way to a later one, and names them in the report: a pipeline hardly means it."""

    def __init__(self, report: RunReport) -> None:
        self._report = report
        self._seen: dict[tuple[type[Record], int], BitMap64] = {}

    def last_of_each(self, records: list[Record]) -> list[Record]:
        """Return the records of one class without those that a later one has the key of.

        One whose key an earlier batch had stays as well: it replaces that one.
        """
        if not isinstance(records[0], PipelineOutputMixin):
            return records
        last: dict[tuple[int, int], Record] = {}
        repeated = []
        for record in records:
            assert isinstance(record, PipelineOutputMixin)  # noqa: S101 (all are of one class)
            key = record.spectrum_pk, record.v_astra_major_minor
            seen = self._seen.setdefault((type(record), key[1]), BitMap64())
            number = key[0] & UNSIGNED
            if number in seen:
                repeated.append(record.key())
            seen.add(number)
            last.pop(key, None)
            last[key] = record
        if repeated:
            self._report.repeated += repeated
            tell(
                log,
                logging.WARNING,
                "several results of one spectrum",
                table=records[0].table,
                gave_way=len(repeated),
                first=repeated[0],
                advice="the last one counts; yield one for each spectrum and version",
            )
        return list(last.values())
