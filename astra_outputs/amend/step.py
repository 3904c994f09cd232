"""One statement for a DBA to read: what it is for, what it locks, what it rewrites, how it is undone."""

from __future__ import annotations

from dataclasses import dataclass
from textwrap import wrap

EXCLUSIVE = "exclusive on {}, for milliseconds"
READS = "share update exclusive on {}: others read and write while the table is read once"


@dataclass(frozen=True)
class Step:
    """One statement, or several of one kind, without the semicolon behind the last.

    Attributes
    ----------
    sql : str
    says : str
        What it is for.
    lock : str
        What it locks, and for how long.
    rewrites : str
    undo : str
        The statement that undoes it, or why there is none.
    """

    sql: str
    says: str
    lock: str
    rewrites: str = "nothing"
    undo: str = "nothing to undo"

    def __str__(self) -> str:
        facts = f"Lock: {self.lock}. Rewrites: {self.rewrites}."
        lines = [*_comment(self.says), *_comment(facts), *_comment(f"Undo: {self.undo}")]
        return "\n".join([*lines, f"{self.sql};"])


def _comment(text: str) -> list[str]:
    # A line break in a name would end the comment, and what follows would be run.
    return wrap(
        " ".join(text.split()),
        112,
        initial_indent="-- ",
        subsequent_indent="--     ",
        break_long_words=False,
        break_on_hyphens=False,
    )
