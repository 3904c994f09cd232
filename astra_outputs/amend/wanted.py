"""What the SQL file of a table wants, with the names and the words that no comparison needs."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from astra_outputs.catalog import from_sql
from astra_outputs.catalog.draft import Draft
from astra_outputs.catalog.model import TableFacts
from astra_outputs.model.record import Record
from astra_outputs.postgres import sql_files

FORMER_NAMES = {"apogee_coadded_spectrum_in_ap_star": "apogee_coadded_spectrum_in_apstar"}
"""What tables were called in the first release."""

_IDENTITY = re.compile(r"^\s*(\w+) bigint generated (always|by default) as identity", re.MULTILINE)
_OPTIONS = re.compile(r"^\)?\s*with \((.*?)\);", re.MULTILINE)


@dataclass(frozen=True)
class Wanted:
    """One table as its file makes it.

    Attributes
    ----------
    record_class : type[Record]
    file : Path
    draft : Draft
        Names of constraints and indexes among it.
    facts : TableFacts
    identities : Mapping[str, str]
        The columns that are numbered: "always" or "by default".
    options : str
        How it is stored: "fillfactor = 50", or empty.
    """

    record_class: type[Record]
    file: Path
    draft: Draft
    facts: TableFacts
    identities: Mapping[str, str]
    options: str

    @property
    def name(self) -> str:
        """The name of the table."""
        return self.record_class.table


def wanted_of(record_classes: Iterable[type[Record]]) -> list[Wanted]:
    """Return what the files want, a table after those that it refers to.

    Raises
    ------
    MissingFile
        If a record class has no SQL file.
    InvalidSQL
        If a file cannot be read.
    """
    files = {record_class: sql_files.sql_file(record_class) for record_class in record_classes}
    drafts = from_sql.drafts_of(dict.fromkeys(files.values()))
    wanted = []
    for record_class, file in files.items():
        text = file.read_text(encoding="utf-8")
        options = _OPTIONS.search(text)
        draft = drafts[record_class.table]
        wanted.append(
            Wanted(
                record_class,
                file,
                draft,
                draft.facts(),
                dict(_IDENTITY.findall(text)),
                options[1] if options else "",
            )
        )
    return sorted(wanted, key=lambda one: (one.name != "source", one.name != "spectrum", one.name))
