"""Print the results, or write them into docs/performance.md.

python -m benchmarks.report             # print
python -m benchmarks.report --publish   # keep them as docs/performance.json; renew page and plot
python -m benchmarks.report --publish --into build/performance   # the same elsewhere, to look at
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table as RichTable

from benchmarks import marks
from benchmarks.sections import Section, sections

HERE = Path(__file__).parent
DOCS = HERE.parent / "docs"
PAGE = DOCS / "performance.md"
RESULTS = HERE / "results" / "performance.json"


def show(results: dict[str, Any], console: Console | None = None) -> None:
    """Print every table."""
    console = console or Console()
    if not console.is_terminal:
        console.width = 180  # a log, which nobody folds
    for section in sections(results):
        table = RichTable(title=section.title, title_justify="left")
        for number, name in enumerate(section.head):
            table.add_column(name, justify="left" if number == 0 else "right", overflow="fold")
        for row in section.rows:
            table.add_row(*row)
        console.print(table)


def page(text: str, results: dict[str, Any]) -> str:
    """Return the page with the tables between its marks renewed; the prose stays."""
    every = list(sections(results))
    for part in dict.fromkeys(section.part for section in every):
        tables = [_markdown(section) for section in every if section.part == part]
        if part in results:
            tables.append(marks.footnote(results[part]["environment"], results[part]["minutes"]))
        text = marks.filled(text, part, "\n\n".join(tables))
    return text


def _markdown(section: Section) -> str:
    return f"**{section.title}**\n\n{marks.table(section.head, section.rows)}"


def main(
    *,
    publish: Annotated[bool, typer.Option(help="Renew performance.md, .json and .svg.")] = False,
    source: Annotated[Path, typer.Option(help="File of results.")] = RESULTS,
    into: Annotated[
        Path, typer.Option(help="Folder of what is renewed; begun with the page of docs/ if it has none.")
    ] = DOCS,
) -> None:
    """Print the results of the benchmarks."""
    results = json.loads(source.read_text(encoding="utf-8"))
    show(results)
    if publish:
        _publish(results, source, into)


def _publish(results: dict[str, Any], source: Path, into: Path) -> None:
    """Put the results beside those published before, and renew what is made of them."""
    quick = [part for part, found in results.items() if found["quick"]]
    if quick:
        raise SystemExit(
            f"{source}: {', '.join(quick)} was run with --quick, --smoke, --width or --table; "
            "small sizes are not published"
        )
    from benchmarks.plot import draw

    file, kept, plot = (into / f"{PAGE.stem}{end}" for end in (".md", ".json", ".svg"))
    known = json.loads(kept.read_text(encoding="utf-8")) if kept.is_file() else {}
    results = known | results
    text = page((file if file.is_file() else PAGE).read_text(encoding="utf-8"), results)
    into.mkdir(parents=True, exist_ok=True)
    kept.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    file.write_text(text, encoding="utf-8")
    draw(results, plot)


if __name__ == "__main__":
    typer.run(main)
