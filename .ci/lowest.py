"""Print the lowest version of everything that pyproject.toml names, as constraints for pip.

`make test-lowest` installs these, so that each lower bound is one that was tried.
"""

from __future__ import annotations

import tomllib
from pathlib import Path

from packaging.requirements import Requirement

PYPROJECT = Path(__file__).parents[1] / "pyproject.toml"


def main() -> None:
    """Print a line for each requirement, of the project or of an extra, that has a lower bound."""
    project = tomllib.loads(PYPROJECT.read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"].values()
    lines = set()
    for requirement in map(
        Requirement, [*project["dependencies"], *(text for extra in extras for text in extra)]
    ):
        marker = f"; {requirement.marker}" if requirement.marker else ""
        lines |= {
            f"{requirement.name}=={bound.version}{marker}"
            for bound in requirement.specifier
            if bound.operator == ">="
        }
    print(*sorted(lines), sep="\n")


if __name__ == "__main__":
    main()
