"""The source of a result is its spectrum's: the statement that stores fills it in, or ends; here it is said of which rows."""

from __future__ import annotations

from collections.abc import Sequence

from astra_outputs.errors import AstraOutputsError, KeyMismatch, Problem
from astra_outputs.postgres.database import Database
from astra_outputs.postgres.sqlstates import is_other_source
from astra_outputs.saving.expressions import spectra_of_others
from astra_outputs.saving.statements import Statements

LISTED = 5
"""Problems that an error names; how many more there are it only counts."""


async def other_sources(
    database: Database,
    statements: Statements,
    spectra: Sequence[int],
    sources: Sequence[int | None],
    error: AstraOutputsError,
) -> dict[int, Problem]:
    """Ask which rows bring another source than their spectrum has, after a save of them ended with an error.

    Parameters
    ----------
    database : Database
    statements : Statements
        What the rows were to be stored by.
    spectra, sources : sequences of int
        `spectrum_pk` and `source_pk` of each row.
    error : AstraOutputsError
        What the save ended with; nobody is asked where it is about something else.

    Returns
    -------
    dict
        The problem of each such row, by its index.
    """
    if not (is_other_source(error) and statements.fills_source):
        return {}
    found = await database.run(
        lambda connection: connection.fetch(spectra_of_others(statements.schema), spectra, sources),
        where=statements.record_class.table,
    )
    right: dict[int, int] = {spectrum: source for spectrum, source in found}  # noqa: C416 (rows of the driver)
    return {
        index: Problem(
            "source_pk", given, f"spectrum {spectrum} is of source {right[spectrum]}; leave source_pk out"
        )
        for index, (spectrum, given) in enumerate(zip(spectra, sources, strict=True))
        if given is not None and right.get(spectrum, given) != given
    }


async def refuse_other_source(
    database: Database,
    statements: Statements,
    spectra: Sequence[int],
    sources: Sequence[int | None],
    error: AstraOutputsError,
) -> None:
    """Say by name which rows bring another source than their spectrum has; see `other_sources`.

    Raises
    ------
    KeyMismatch
        If one does.
    """
    problems = tuple((await other_sources(database, statements, spectra, sources, error)).values())
    if problems:
        table, more = statements.record_class.table, len(problems) - LISTED
        raise KeyMismatch(table, problems[:LISTED], more=max(0, more)) from error
