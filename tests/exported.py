"""Exported files, as others read them; and the command that writes them."""

from __future__ import annotations

import shutil
import subprocess
import sys
import warnings
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent


def command(database: str, *arguments: str | Path, name: str = "export") -> subprocess.CompletedProcess[str]:
    words = [sys.executable, "-m", "astra_outputs", name, *map(str, arguments), "--dsn", database]
    return subprocess.run(words, capture_output=True, text=True, check=False, cwd=ROOT)


def read(file: Path, hdu: str = "APOGEE") -> Any:
    """Read a table with astropy, which must have nothing to say against it."""
    from astropy.io import fits
    from astropy.table import Table

    with warnings.catch_warnings(action="error"):
        # It says that it knows no missing truth value, and how to see them.
        warnings.filterwarnings("ignore", "Column .* contains NULL")
        with fits.open(file, checksum=True) as hdus:
            hdus.verify("exception")
        return Table.read(file, hdu=hdu, character_as_bytes=False)


def verified(file: Path) -> None:
    """Have Debian's fitsverify look at a file, where it is installed."""
    program = shutil.which("fitsverify")
    if program is not None:
        done = subprocess.run([program, str(file)], capture_output=True, text=True, check=False)
        assert "0 warning(s) and 0 error(s)" in done.stdout, done.stdout


def names_in(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]
