"""Text files with a row a line: CSV, TSV and the like, read line by line whatever their lines hold."""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from astra_outputs.ingest.files import Choices, Row, TableFile, opened_whole
from astra_outputs.printable import printable

WIDEST = 1 << 24
"""Most characters of one line."""

MOST_LINES = 100
"""Most lines of one row: a quotation mark that none follows would take the rest of the file."""

MOST_COMMENTS = 20_000
"""Most lines of comments before the names of the columns."""

QUOTE = '"'

DELIMITERS = (",", ";", "\t", "|")

ECSV = "# %ECSV"


def open_text(path: Path, stack: ExitStack, choices: Choices, kind: str) -> TableFile:
    """Open a text file whose first line, after a preamble of `#` lines, names the columns."""
    data = opened_whole(path, stack)
    encoding = _encoding(choices.encoding, data.peek(4)[:4])  # type: ignore[attr-defined]
    # Bytes that the encoding does not have are the fault of their row, which is refused.
    text = stack.enter_context(
        io.TextIOWrapper(data, encoding=encoding, errors="surrogateescape", newline="")
    )
    lines = Lines(text)
    delimiter, null = choices.delimiter or ("\t" if kind == "tsv" else ","), None
    preamble = _preamble(lines)
    if preamble and preamble[0].startswith(ECSV):
        stated = re.search(r"^# delimiter: '?\"?(.)", "\n".join(preamble), re.MULTILINE)
        delimiter, null = choices.delimiter or (stated[1] if stated else " "), "null"
    header = _header(lines, preamble, delimiter)

    def rows(names: Sequence[str]) -> Iterator[Row]:
        indices = [(name, header.index(name)) for name in names]
        for number, (fields, problem) in enumerate(_records(lines, delimiter, len(header)), start=1):
            if problem:
                yield Row(number, {}, problem)
            elif null is None:
                yield Row(number, {name: fields[index] for name, index in indices})
            else:
                values = ((name, fields[index]) for name, index in indices)
                yield Row(number, {name: None if value == null else value for name, value in values})

    return TableFile(tuple(header), rows)


def _encoding(said: str | None, start: bytes) -> str:
    """Return the encoding of a text that begins with these bytes; a mark at the start of UTF-8 is passed over."""
    if said is not None and codecs.lookup(said).name != "utf-8":
        return said
    if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        raise ValueError('it is written in UTF-16: say so in the map, as encoding = "utf-16"')
    return "utf-8-sig"


@dataclass
class Line:
    """One line with its end, of which a long one is only the start."""

    text: str
    whole: bool = True


class Lines:
    """The lines of a text, in bounded memory; lines can be put back."""

    def __init__(self, text: TextIO) -> None:
        self._text = text
        self._back: deque[Line] = deque()

    def next(self) -> Line | None:
        """Return the next line; None at the end."""
        if self._back:
            return self._back.popleft()
        text = self._text.readline(WIDEST + 1)
        if not text:
            return None
        line = Line(text, len(text) <= WIDEST or text.endswith(("\n", "\r")))
        rest = "" if line.whole else text
        while rest and not rest.endswith(("\n", "\r")):
            rest = self._text.readline(WIDEST)
        return line

    def put_back(self, lines: Sequence[Line]) -> None:
        """Make these the next lines."""
        self._back.extendleft(reversed(lines))


def _preamble(lines: Lines) -> list[str]:
    """Take the lines before the first that does not begin with `#`."""
    taken: list[str] = []
    while (line := lines.next()) is not None:
        text = line.text.strip("\r\n")
        if text and not text.startswith("#"):
            lines.put_back([line])
            break
        if text:
            taken.append(text)
        if len(taken) > MOST_COMMENTS or not line.whole:
            raise ValueError(
                f"more than {MOST_COMMENTS:,} lines, or an endless one, begin with # before its first row"
            )
    return taken


def _header(lines: Lines, preamble: list[str], delimiter: str) -> list[str]:
    """Return the names of the columns.

    They stand in the first line that is no comment; but where that one has numbers and the comment just
    before it as many fields, they stand there.
    """
    line = lines.next()
    if line is not None and not line.whole:
        raise ValueError(f"its first line has more than {WIDEST:,} characters: it is no table of lines")
    first = _fields(line.text, delimiter) if line is not None else []
    if preamble and not preamble[0].startswith(ECSV):
        commented = _fields(preamble[-1].lstrip("#"), delimiter)
        if line is None or (len(commented) == len(first) and any(map(_is_number, first))):
            lines.put_back([line] if line is not None else [])
            first = commented
    header = [name.strip() for name in first]
    if any("\0" in name for name in header):
        raise ValueError(
            'it holds NUL bytes: it is no text, or one in UTF-16 (encoding = "utf-16" in the map)'
        )
    for other in DELIMITERS if len(header) == 1 else ():
        if header[0].count(other):
            raise ValueError(
                f"its only column would be {printable(header[0][:60])!r}: say in the map what stands between the "
                f"fields, as delimiter = {printable(other)!r}"
            )
    return header


def _fields(text: str, delimiter: str) -> list[str]:
    try:
        return next(csv.reader([text], delimiter=delimiter, strict=True), [])
    except csv.Error as error:
        raise ValueError(f"the line with the names of its columns cannot be read: {error}") from error


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _records(lines: Lines, delimiter: str, width: int) -> Iterator[tuple[list[str], str]]:
    """Yield the fields of every row, or what is wrong with it; the rows after it are read nevertheless."""
    while (line := lines.next()) is not None:
        text = line.text.rstrip("\r\n")
        if not text:
            continue
        if not line.whole:
            yield [], f"is a line of more than {WIDEST:,} characters"
            continue
        if QUOTE in text:
            fields, taken = _quoted(line, lines, delimiter)
            if fields is None or (len(fields) != width and taken):
                lines.put_back(taken)
                yield [], "its quotation marks do not match: a mark inside a quoted field is written twice"
                continue
        else:
            fields = text.split(delimiter)
        wrong = f"has {len(fields)} fields, and the header {width}: a field with the delimiter in it needs quotation marks"
        yield fields, "" if len(fields) == width else wrong


def _quoted(line: Line, lines: Lines, delimiter: str) -> tuple[list[str] | None, list[Line]]:
    """Return the fields of a row with quotation marks, None if they do not match, and the lines it took more."""
    taken: list[Line] = []

    def texts() -> Iterator[str]:
        yield line.text
        while len(taken) < MOST_LINES and (more := lines.next()) is not None:
            taken.append(more)
            yield more.text

    csv.field_size_limit(max(csv.field_size_limit(), WIDEST))
    try:
        return next(csv.reader(texts(), delimiter=delimiter, strict=True)), taken
    except csv.Error:
        return None, taken
