"""The page of the command line, written by Typer from the commands themselves."""

from __future__ import annotations

import html
import re
import subprocess
import sys
from pathlib import Path

from generated import write_page
from sphinx.application import Sphinx

_CUT_LIST = re.compile(r"^\*\*Commands\*\*:\n\n(?:\* .*\n)+\n?", re.MULTILINE)


def setup(app: Sphinx) -> dict[str, bool]:
    """Have `cli.md` made before each build."""
    app.connect("builder-inited", _write)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def _write(app: Sphinx) -> None:
    command = [sys.executable, "-m", "typer", "astra_outputs.cli", "utils", "docs"]
    command += ["--name", "astra-outputs", "--title", "Command line"]
    text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    # Its list of commands cuts their help short; the headings that follow say the same.
    write_page(Path(app.srcdir) / "cli.md", html.unescape(_CUT_LIST.sub("", text)))
