"""What VOParquet puts into a Parquet file: a VOTable without data, which says what its columns are.

The convention is a note of the IVOA, https://www.ivoa.net/documents/Notes/VOParquet: TOPCAT, STILTS and astropy
(`format="parquet.votable"`) read it. Version 1.3 of VOTable, since units are then spelt as CDS does, which knows `dex`
(as `[-]`), `Angstrom` and `%`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from xml.etree.ElementTree import Element, SubElement, tostring

from astra_outputs.export.facts import Fact
from astra_outputs.export.wording import unit_and_meaning
from astra_outputs.reading.outputs import Output

VERSION = "1.0"
"""Of the convention."""

NOT_XML = re.compile("[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@dataclass
class Longest:
    """The texts of a column, as far as they were seen.

    Attributes
    ----------
    characters : int
        Of the longest.
    is_ascii : bool
    """

    characters: int = 0
    is_ascii: bool = True


def votable(table: str, columns: Iterable[tuple[str, Output, Longest | None]], facts: Iterable[Fact]) -> str:
    """Return the VOTable that describes the columns of a Parquet file.

    Parameters
    ----------
    table : str
        The name of the table.
    columns : iterable of (str, Output, Longest or None)
        Name, what is known of it, and of texts how long they are.
    facts : iterable
        What is said of the file as a whole.
    """
    root = Element("VOTABLE", {"version": "1.3", "xmlns": "http://www.ivoa.net/xml/VOTable/v1.3"})
    described = SubElement(SubElement(root, "RESOURCE"), "TABLE", {"name": table})
    for name, output, longest in columns:
        field = SubElement(described, "FIELD", {"name": name} | _form(output, longest))
        unit, meaning = unit_and_meaning(output, "cds")
        if unit:
            field.set("unit", _in_xml(unit))
        if meaning:
            SubElement(field, "DESCRIPTION").text = _in_xml(meaning)
    for keyword, value, _ in facts:
        SubElement(described, "INFO", {"name": keyword, "value": _in_xml(str(value))})
    return tostring(root, encoding="unicode")


def _form(output: Output, longest: Longest | None) -> dict[str, str]:
    kind = output.column.type.votable
    if output.is_time:
        return {"datatype": kind, "arraysize": "*", "xtype": "timestamp"}
    if longest is not None:
        word = kind if longest.is_ascii else "unicodeChar"
        return {"datatype": word, "arraysize": f"{max(1, longest.characters)}*"}
    return {"datatype": kind} if output.wire else {"datatype": kind, "arraysize": "*"}


def _in_xml(text: str) -> str:
    """Return a text without the characters that no XML document has."""
    return NOT_XML.sub("\ufffd", text)
