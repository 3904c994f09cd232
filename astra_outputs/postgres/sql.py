"""Statements as text: named templates out of the package's `.sql` files, and the one way to quote a name.

A template is valid SQL as it stands in its file, written for one table as an example. What varies stands
between two marks, `/*= columns */ spectrum_pk, v_astra, teff /*=*/`, and is replaced as a whole. Names
come from record classes alone and are quoted here; values are always parameters.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from textwrap import wrap

_HEADER = re.compile(r"^-- name: (\w+)\n((?:--.*\n)+)", re.MULTILINE)
_PARAMETER = re.compile(r"\$[0-9]")
_MARK = re.compile(r"/\*= (\w+) \*/.*?/\*=\*/", re.DOTALL)


@dataclass(frozen=True)
class Statement:
    """One statement as it is sent.

    Attributes
    ----------
    name : str
    says : str
        What it is for, and what its parameters are.
    text : str
    """

    name: str
    says: str
    text: str

    def __str__(self) -> str:
        """Return it for psql: its sentence as a comment, and prepared under its name where it has parameters."""
        comment = wrap(self.says, 110, initial_indent="-- ", subsequent_indent="-- ")
        prepared = f"prepare {self.name} as\n" if _PARAMETER.search(self.text) else ""
        return "\n".join([*comment, f"{prepared}{self.text};"])


@dataclass(frozen=True)
class Template:
    """One statement whose columns and tables are filled in.

    Attributes
    ----------
    name : str
    says : str
        What the statement is for, in a sentence or two.
    text : str
        As it stands in its file.
    """

    name: str
    says: str
    text: str

    @property
    def marks(self) -> frozenset[str]:
        """The names of what has to be filled in."""
        return frozenset(_MARK.findall(self.text))

    def fill(self, **values: str) -> str:
        """Return the statement with every mark replaced.

        Raises
        ------
        ValueError
            If a mark gets no value, or a value has no mark.
        """
        if values.keys() != self.marks:
            wrong = ", ".join(sorted(values.keys() ^ self.marks))
            raise ValueError(f"statement {self.name}: its marks and what was given differ in {wrong}")
        return _MARK.sub(lambda mark: values[mark[1]], self.text)

    def statement(self, **values: str) -> Statement:
        """Return the statement with every mark replaced, its name and what it is for; see `fill`."""
        return Statement(self.name, self.says, self.fill(**values))


@cache
def templates(file: str) -> dict[str, Template]:
    """Return the statements of one file of `astra_outputs/sql/`, by name.

    Raises
    ------
    ValueError
        If a statement has no sentence above it, or two have one name.
    """
    text = files("astra_outputs").joinpath("sql", f"{file}.sql").read_text(encoding="utf-8")
    return parsed(text, file)


def parsed(text: str, file: str) -> dict[str, Template]:
    """Return the statements of a text, by name; see `templates`."""
    headers = list(_HEADER.finditer(text))
    if len(headers) != len(re.findall(r"^-- name:", text, re.MULTILINE)):
        raise ValueError(f"{file}.sql: each statement is `-- name: word`, a sentence in comments, and SQL")
    found: dict[str, Template] = {}
    for header, end in zip(headers, [*(header.start() for header in headers[1:]), len(text)], strict=True):
        name, says = header[1], " ".join(line.removeprefix("--").strip() for line in header[2].splitlines())
        if name in found:
            raise ValueError(f"{file}.sql: two statements are called {name}")
        found[name] = Template(name, says, text[header.end() : end].strip().removesuffix(";"))
    return found


def quote(identifier: str) -> str:
    """Return a name as a quoted SQL identifier."""
    return '"' + identifier.replace('"', '""') + '"'


def qualified(schema: str, table: str) -> str:
    """Return a table's name with its schema, quoted."""
    return f"{quote(schema)}.{quote(table)}"


def listed(names: Iterable[str], of: str | None = None) -> str:
    """Return columns as a list, quoted, each behind the alias `of` if there is one."""
    prefix = f"{of}." if of else ""
    return ", ".join(f"{prefix}{quote(name)}" for name in names)


def literal(text: str) -> str:
    """Return a text as a SQL literal."""
    escaped = text.replace("'", "''")
    return f" E'{escaped}'".replace("\\", "\\\\") if "\\" in text else f"'{escaped}'"
