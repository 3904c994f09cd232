"""Files of the repository that the documentation links to, as pages of the site.

A link in the documentation leads to the file beside it, as it does wherever the repository is browsed;
here it leads to a page that shows the file. A folder's page lists what is in it.
"""

from __future__ import annotations

import re
from pathlib import Path

from generated import write_pages
from sphinx.application import Sphinx

FOLDER = "files"
TOO_LONG = 200_000
"""A longer file is offered as it is, not shown."""
_LINK = re.compile(r"\]\(((?:\.\./)+[^)#\s]*)")
_LANGUAGES = {".py": "python", ".sql": "sql", ".toml": "toml", ".md": "markdown", ".yaml": "yaml"}


def setup(app: Sphinx) -> dict[str, bool]:
    """Have the pages made before each build, and links led to them when a page is read."""
    app.connect("builder-inited", _write)
    app.connect("source-read", _lead_links_to_pages)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def _write(app: Sphinx) -> None:
    docs = Path(app.srcdir)
    linked = {
        target
        for page in docs.glob("*.md")
        for link in _LINK.findall(page.read_text(encoding="utf-8"))
        if (target := (docs / link).resolve()).exists()
    }
    inside = {path for folder in linked if folder.is_dir() for path in _files(folder)}
    pages = {f"{_name(docs, path)}.md": _page(docs, path) for path in linked | inside}
    write_pages(docs / FOLDER, pages)


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.glob("*") if path.is_file())


def _name(docs: Path, path: Path) -> str:
    return path.relative_to(docs.parent).as_posix()


def _page(docs: Path, path: Path) -> str:
    name = _name(docs, path)
    title = f"---\norphan: true\n---\n\n# `{name}`\n\n"
    if path.is_dir():
        return title + "\n".join(
            f"- [`{file.name}`](/{FOLDER}/{name}/{file.name}.md)" for file in _files(path)
        )
    up = "../" * (name.count("/") + 2)
    if path.stat().st_size > TOO_LONG:
        return f"{title}{{download}}`{path.name} <{up}{name}>`\n"
    language = _LANGUAGES.get(path.suffix, "text")
    return f"{title}```{{literalinclude}} {up}{name}\n:language: {language}\n```\n"


def _lead_links_to_pages(app: Sphinx, docname: str, source: list[str]) -> None:
    docs = Path(app.srcdir)
    here = (docs / docname).parent

    def page(link: re.Match[str]) -> str:
        target = (here / link[1]).resolve()
        if not target.exists() or not target.is_relative_to(docs.parent) or target.is_relative_to(docs):
            return link[0]
        return f"](/{FOLDER}/{_name(docs, target)}.md"

    source[0] = _LINK.sub(page, source[0])
