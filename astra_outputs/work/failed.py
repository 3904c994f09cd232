"""Where a pipeline fails: what is said, and noted for `status`; and what it says that it makes."""

from __future__ import annotations

from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any, get_args, get_type_hints

from astra_outputs.errors import PipelineFailed
from astra_outputs.model.pipeline import PipelineOutputMixin
from astra_outputs.model.record import Record
from astra_outputs.spool.failures import note_failures
from astra_outputs.work.report import Failure


def note(
    failures: list[Failure],
    folder: Path,
    record_class: type[Record] | None,
    v_astra: int | None,
    first: Record | None,
) -> None:
    """Note failures beside the spool, under the table and version of the results: as said, or as the first one says."""
    if first is not None:
        record_class, v_astra = record_class or type(first), v_astra or first.__dict__.get("v_astra")
    if failures and record_class is not None and v_astra is not None:
        with suppress(OSError):  # a note for `status`, and no more
            told = [(failure.spectrum_pk, failure.error) for failure in failures]
            note_failures(folder, record_class.table, v_astra // 1_000, told)


def as_failure(error: BaseException) -> Exception:
    """Return an error that ends the run badly; `sys.exit` in a thread ends nothing."""
    if isinstance(error, Exception):
        return error
    failed = PipelineFailed(f"the pipeline ended the run: {type(error).__name__}: {error}")
    failed.__cause__ = error
    return failed


def made_by(pipeline: Any) -> type[PipelineOutputMixin] | None:
    """Return the class of a pipeline's results, as its annotation says: `-> Iterator[TheCannon]`; None if it says none."""
    while isinstance(pipeline, partial):
        pipeline = pipeline.func
    try:
        said = get_type_hints(pipeline).get("return")
    except (NameError, TypeError):  # a name that only type checkers see
        return None
    for entry in _flat(said):
        if isinstance(entry, type) and issubclass(entry, PipelineOutputMixin):
            return entry
    return None


def _flat(annotation: Any) -> list[Any]:
    return [annotation, *(part for inner in get_args(annotation) for part in _flat(inner))]
