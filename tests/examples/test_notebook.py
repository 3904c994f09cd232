"""The notebook of the examples runs from its first cell to its last, in a kernel of its own."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

nbformat = pytest.importorskip("nbformat")
nbclient = pytest.importorskip("nbclient")
pytest.importorskip("ipykernel")
pytest.importorskip("pandas")

NOTEBOOK = Path(__file__).parents[2] / "examples" / "reading" / "reading.ipynb"


@pytest.mark.skipif(sys.platform == "win32", reason="the embedded server is for Linux and macOS")
@pytest.mark.filterwarnings("default")  # the client's own
def test_the_notebook_runs_and_shows_what_it_promises() -> None:
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    assert not any(cell.get("outputs") for cell in notebook.cells), "outputs are not kept in the repository"
    client = nbclient.NotebookClient(
        notebook, timeout=300, kernel_name="python3", resources={"metadata": {"path": str(NOTEBOOK.parent)}}
    )
    client.execute()
    shown = "".join(output.get("text", "") for cell in notebook.cells for output in cell.get("outputs", []))
    data = [entry.get("data", {}) for cell in notebook.cells for entry in cell.get("outputs", [])]
    assert sum("image/png" in entry for entry in data) == 2
    assert any("scatter" in entry.get("text/html", "") for entry in data)
    assert "300" in shown
    assert "did you mean teff?" in shown
    assert "spectra within 5 degrees of" in shown
    assert "Effective temperature" in shown
