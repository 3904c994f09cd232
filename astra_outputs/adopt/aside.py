"""Rows that the rules here refuse: kept aside in a file, each with its reasons and all its values."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TextIO

from astra_outputs.errors import FileExists
from astra_outputs.printable import as_json

BEGINNING = '{"adoption":'


class Aside:
    """A file of JSON lines, in an `with` block; one that an earlier run left is written anew.

    Parameters
    ----------
    path : Path
    title : str
        What is adopted; stands in the first line.

    Raises
    ------
    FileExists
        If there is a file that no adoption has written, or a link.
    """

    def __init__(self, path: Path, title: str) -> None:
        self.path, self._title = path, title
        self._file: TextIO | None = None
        self.count = 0

    def __enter__(self) -> Self:
        if self.path.is_symlink() or (self.path.exists() and not self._is_ours()):
            raise FileExists(f"{self.path} is something else already: name another file by --aside")
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW
        self._file = os.fdopen(os.open(self.path, flags, 0o600), "w", encoding="utf-8")
        self._write({"adoption": self._title})
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._file is not None:
            self._file.close()
        if not self.count and error is None:
            self.path.unlink(missing_ok=True)

    def put(self, table: str, reasons: list[str], row: Mapping[str, Any]) -> None:
        """Keep a row."""
        self.count += 1
        self._write({"table": table, "reasons": reasons, "row": {name: _plain(row[name]) for name in row}})

    def _is_ours(self) -> bool:
        with self.path.open(encoding="utf-8", errors="replace") as file:
            return file.readline().replace(" ", "").startswith(BEGINNING)

    def _write(self, values: Mapping[str, Any]) -> None:
        assert self._file is not None  # noqa: S101 (only inside the block)
        self._file.write(as_json(values, indent=None) + "\n")
        self._file.flush()


def _plain(value: Any) -> Any:
    """Return a value as JSON has it: what JSON has not, NaN and infinity among it, as a text."""
    if isinstance(value, list):
        return [_plain(entry) for entry in value]
    if isinstance(value, bytes):
        return value.hex()
    finite = not isinstance(value, float) or value - value == 0
    return value if isinstance(value, int | float | str | None) and finite else str(value)
