"""Print the Pythons from 3.11 on that are found here, a line each: `3.12 /usr/bin/python3.12`.

With versions as arguments only those; else all but the one that runs this.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

LOWEST, LAST = 11, 20
WORKS = "import sys, ensurepip, venv; print('%d.%d' % sys.version_info[:2])"


def candidates(version: str) -> Iterator[Path]:
    """Yield where a Python of a version may be: on the path, and among those of a version manager."""
    name = f"python{version}"
    for folder in os.environ.get("PATH", "").split(os.pathsep):
        yield Path(folder) / name
    root = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    yield from sorted(root.glob(f"versions/{version}.*/bin/{name}"), reverse=True)


def find(version: str) -> Path | None:
    """Return the first that runs: a version manager's stub may answer to a name that it cannot run."""
    for python in candidates(version):
        if python.is_file():
            done = subprocess.run([python, "-c", WORKS], capture_output=True, text=True, check=False)
            if done.stdout.strip() == version:
                return python
    return None


def main() -> None:
    """Print what is found."""
    running = "{}.{}".format(*sys.version_info)
    versions = [f"3.{minor}" for minor in range(LOWEST, LAST)]
    for version in sys.argv[1:] or [version for version in versions if version != running]:
        if python := find(version):
            print(version, python)


if __name__ == "__main__":
    main()
