"""How `make docs` turns this folder into a site: Sphinx, Markdown by MyST, the theme Furo.

Nothing that the site shows comes from another host: fonts are the reader's own, the search runs in
the browser on an index that is part of the site.
"""

from __future__ import annotations

import sys
from importlib.metadata import version as installed_version
from pathlib import Path

from sphinx.application import Sphinx

sys.path.insert(0, str(Path(__file__).parent / "_ext"))

project = "astra_outputs"
author = "astra_outputs contributors"
project_copyright = author
version = release = installed_version("astra-outputs")

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",  # reads numpydoc sections
    "sphinx.ext.viewcode",
    "command_line",
    "contents",
    "data_model",
    "repository_files",
]
exclude_patterns = ["_ext"]
myst_heading_anchors = 3
myst_enable_extensions = ["deflist"]

default_role = "py:obj"  # `names` in docstrings: code, and a link where there is something of that name
autodoc_member_order = "bysource"
autodoc_typehints = "description"
autodoc_typehints_description_target = "documented_params"
napoleon_use_rtype = False
napoleon_custom_sections = [("Class variables", "Attributes")]
python_display_short_literal_types = True
python_maximum_signature_line_length = 110

html_theme = "furo"
html_title = f"astra_outputs {version}"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_copy_source = False
html_show_sourcelink = False
html_show_sphinx = False
pygments_style = "friendly"
pygments_dark_style = "monokai"


def setup(app: Sphinx) -> None:
    """Leave the signatures of classes out: records take columns, enumerations take what Python gives them."""
    app.connect("autodoc-process-signature", _signature)


def _signature(_app: Sphinx, kind: str, *_: object) -> tuple[str, None] | None:
    return ("", None) if kind == "class" else None


# Scripts for psql (`\gset`, `\if`) are not all SQL to the highlighter, which does what it can.
suppress_warnings = ["misc.highlighting_failure"]
