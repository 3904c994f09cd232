"""Pages that are made before each build, from the code that they describe."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path


def write_pages(folder: Path, pages: Mapping[str, str]) -> None:
    """Make a folder hold these pages and no other.

    A page that is the same as before keeps its time, so that it is not built again.
    """
    wanted = {folder / name: text for name, text in pages.items()}
    for path in folder.rglob("*.md"):
        if path not in wanted:
            path.unlink()
    for path, text in wanted.items():
        write_page(path, text)


def write_page(path: Path, text: str) -> None:
    """Write one page, unless it is there already."""
    if not path.exists() or path.read_text(encoding="utf-8") != text:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
