"""The headers of a FITS file: what a table holds, and of each column name, type, unit and meaning."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from astropy.io import fits

from astra_outputs.export.checksum import Sum, encoded
from astra_outputs.export.facts import Fact
from astra_outputs.export.fits_fields import Field, row_type
from astra_outputs.export.wording import unit_and_meaning

CARD, KEYWORD, VALUE = 80, 10, 20
"""Characters of a card, of its keyword, and of a value that is padded."""

LONG_STRINGS = ("LONGSTRN", "OGIP 1.0", "long texts go on in CONTINUE cards")
"""Without it fitsverify warns of the first text of more than one card."""


def primary(facts: Iterable[Fact], comments: Iterable[str]) -> fits.Header:
    """Return the header before the tables."""
    header = fits.Header()
    for card in (
        ("SIMPLE", True, "conforms to FITS standard"),
        ("BITPIX", 8, "array data type"),
        ("NAXIS", 0, "no data: the tables are in extensions"),
        ("EXTEND", True, "there are extensions"),
    ):
        header.append(card, end=True)
    header.append(LONG_STRINGS, end=True)
    _title(header, "Metadata")
    for fact in facts:
        header.append(fact, end=True)
    for comment in comments:
        header.add_comment(_ascii(comment))
    return _with_sums(header)


def table(members: Sequence[Field], rows: int, facts: Iterable[Fact], upper: bool = False) -> fits.Header:
    """Return the header of a table."""
    header = fits.Header()
    for card in (
        ("XTENSION", "BINTABLE", "binary table extension"),
        ("BITPIX", 8, "array data type"),
        ("NAXIS", 2, "number of array dimensions"),
        ("NAXIS1", row_type(members).itemsize, "length of a row [byte]"),
        ("NAXIS2", rows, "number of rows"),
        ("PCOUNT", 0, "no variable-length arrays"),
        ("GCOUNT", 1, "one table"),
        ("TFIELDS", len(members), "number of columns"),
    ):
        header.append(card, end=True)
    header.append(LONG_STRINGS, end=True)
    _title(header, "Metadata")
    for fact in facts:
        header.append(fact, end=True)
    category = None
    for number, field in enumerate(members, start=1):
        column = field.output.column
        if (field.output.named.alias, column.category) != category:
            category = (field.output.named.alias, column.category)
            if column.category:
                _title(header, _ascii(column.category)[: CARD - KEYWORD])
        _column(header, number, field, upper)
    return _with_sums(header)


def _column(header: fits.Header, number: int, field: Field, upper: bool) -> None:
    output = field.output
    name = output.name.upper() if upper else output.name
    unit, said = unit_and_meaning(output, "fits")
    said = _ascii(said)
    room = CARD - KEYWORD - max(VALUE, len(name) + 2) - len(" / ")
    header.append(
        (f"TTYPE{number}", name, said if len(said) <= room else said[: max(0, room)].rstrip()), end=True
    )
    header.append((f"TFORM{number}", field.tform), end=True)
    if unit:
        header.append((f"TUNIT{number}", unit), end=True)
    if field.null is not None:
        header.append((f"TNULL{number}", field.null), end=True)
    if said:
        header.append((f"TCOMM{number}", said), end=True)


def _title(header: fits.Header, text: str) -> None:
    """Append a blank card, one with a title, and a blank one."""
    for line in ("", text, ""):
        header.append(("", line), end=True)


def _ascii(text: str) -> str:
    return " ".join(text.encode("ascii", "backslashreplace").decode().split())


def _with_sums(header: fits.Header) -> fits.Header:
    header.append(("CHECKSUM", "0" * 16, "checksum of header and data"), end=True)
    header.append(("DATASUM", "0", "checksum of the data"), end=True)
    return header


def signed(header: fits.Header, data: int = 0) -> bytes:
    """Return a header with its checksum, that of the data given; as long as it is with any other.

    Parameters
    ----------
    header : Header
    data : int
        The sum of the data.
    """
    header["DATASUM"], header["CHECKSUM"] = str(data), "0" * 16
    total = Sum()
    total.add(_bytes(header))
    total.add(data.to_bytes(4, "big"))
    header["CHECKSUM"] = encoded(total.value)
    return _bytes(header)


def _bytes(header: fits.Header) -> bytes:
    return bytes(header.tostring().encode("ascii"))
