"""The list of pages beside every page: those named here in this order, then whatever else there is."""

from __future__ import annotations

from pathlib import Path

from sphinx.application import Sphinx

MARK = "<!-- contents -->"
GROUPS = {
    "Start": ["tutorial", "data-model/index"],
    "Guides": [
        "irfm",
        "pixels",
        "ingest",
        "wild",
        "catalogues",
        "worker",
        "reading",
        "pictures",
        "report",
        "faults",
        "check",
        "security",
        "pgbouncer",
        "history",
        "upgrades",
        "scale",
        "from-astra",
    ],
    "Reference": ["api", "cli", "faq"],
    "Background": ["design", "data-model-choices", "performance", "plans"],
}


def setup(app: Sphinx) -> dict[str, bool]:
    """Have the mark in a page's source replaced by the list."""
    app.connect("source-read", _write)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def _write(app: Sphinx, docname: str, source: list[str]) -> None:
    if MARK in source[0]:
        source[0] = source[0].replace(MARK, _contents(Path(app.srcdir), docname))


def _contents(docs: Path, index: str) -> str:
    named = {name for names in GROUPS.values() for name in names}
    others = sorted({path.stem for path in docs.glob("*.md")} - named - {index})
    groups = GROUPS | {"Background": GROUPS["Background"] + others}
    return "\n\n".join(
        "\n".join(["```{toctree}", ":hidden:", f":caption: {caption}", "", *_existing(docs, names), "```"])
        for caption, names in groups.items()
    )


def _existing(docs: Path, names: list[str]) -> list[str]:
    return [name for name in names if (docs / f"{name}.md").exists()]
