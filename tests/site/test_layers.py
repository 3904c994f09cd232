"""Modules import downwards: the table in docs/design.md is the order, and the code keeps to it."""

from __future__ import annotations

import ast
import re
from collections.abc import Collection
from graphlib import TopologicalSorter
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "astra_outputs"
Graph = dict[str, set[str]]


def modules() -> dict[str, Path]:
    names = {".".join(path.relative_to(ROOT).with_suffix("").parts): path for path in PACKAGE.rglob("*.py")}
    return {name.removesuffix(".__init__"): path for name, path in names.items()}


def imported(text: str, known: Collection[str]) -> set[str]:
    """Which modules a text imports: at the top, in a function, or for type checkers alone."""
    found = set[str]()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names if alias.name in known}
        elif isinstance(node, ast.ImportFrom) and node.module in known:
            inner = {alias.name: f"{node.module}.{alias.name}" for alias in node.names}
            found |= {full if full in known else node.module for full in inner.values()}
    return found


def imports() -> Graph:
    """Each module with those that it imports."""
    known = modules()
    return {
        name: imported(path.read_text(encoding="utf-8"), known.keys()) - {name}
        for name, path in known.items()
    }


def unit(module: str) -> str:
    """Return the module or subpackage of the package that a module is, or is in."""
    return (*module.split("."), "")[1]


def order() -> dict[str, int]:
    """Return the row of docs/design.md in which each module stands, counted from the top."""
    text = (ROOT / "docs" / "design.md").read_text(encoding="utf-8")
    (table,) = re.findall(r"^\| of \| modules \|\n\| --- .*\n((?:\|.*\n)+)", text, re.MULTILINE)
    rows = [re.findall(r"`(\w+)`", row) for row in table.splitlines()]
    return {name: number for number, names in enumerate(rows) for name in names}


def test_every_module_has_its_place_in_the_page_on_design():
    assert {unit(name) for name in modules()} - {""} == set(order())


def test_no_module_imports_one_from_above():
    place = order()
    wrong = [
        f"{name} imports {other}"
        for name, others in imports().items()
        for other in others
        if unit(name) in place and place[unit(name)] > place.get(unit(other), -1)
    ]
    assert wrong == []


def test_an_import_counts_wherever_it_stands():
    text = """
import astra_outputs.errors
if TYPE_CHECKING:
    from astra_outputs.model.record import Record
def work():
    from astra_outputs import names
"""
    assert imported(text, modules().keys()) == {
        "astra_outputs.errors",
        "astra_outputs.model.record",
        "astra_outputs.names",
    }


def test_no_module_imports_itself_by_way_of_others():
    assert set(TopologicalSorter(imports()).static_order()) == set(modules())  # else it names the circle
