"""The page on faults names a test for each line, and each test of faults."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "faults.md"
NAMED = re.findall(r"\[([^\]]+)\]\(\.\./(tests/[^)]+\.py)\)", PAGE.read_text(encoding="utf-8"))


def names_in(path: Path) -> set[str]:
    return set(re.findall(r"^(?:async )?def (test_\w+)\(", path.read_text(encoding="utf-8"), re.MULTILINE))


@pytest.mark.parametrize(("sentence", "path"), NAMED, ids=[sentence for sentence, _ in NAMED])
def test_a_promise_on_the_page_is_a_test(sentence: str, path: str) -> None:
    assert "test_" + sentence.replace(" ", "_") in names_in(ROOT / path)


def test_every_test_of_faults_is_on_the_page() -> None:
    there = {name for path in (ROOT / "tests" / "faults").glob("test_*.py") for name in names_in(path)}
    assert there <= {"test_" + sentence.replace(" ", "_") for sentence, _ in NAMED}


def test_every_line_of_the_page_names_a_test() -> None:
    rows = [line for line in PAGE.read_text(encoding="utf-8").splitlines() if line.startswith("| ")]
    lines = [line for line in rows if not line.startswith(("| ---", "| What happens"))]
    assert len(lines) > 20
    assert [line for line in lines if "](../tests/" not in line] == []
