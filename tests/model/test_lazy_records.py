"""Record classes are imported when they are asked for, and are found all the same."""

from __future__ import annotations

import subprocess
import sys

import pytest

import astra_outputs
from astra_outputs import records


def run(code: str) -> str:
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout


def test_a_record_class_that_does_not_exist_is_an_attribute_error():
    with pytest.raises(AttributeError, match="has no attribute 'TheCanon'"):
        _ = records.TheCanon
    with pytest.raises(AttributeError, match="has no attribute 'TheCanon'"):
        _ = astra_outputs.TheCanon


def test_importing_the_repository_imports_no_pipeline_and_no_spectrum():
    assert (
        run(
            "import astra_outputs.repository\nfrom astra_outputs.model.pipeline import PipelineOutputMixin\n"
            "from astra_outputs.model.spectrum import SpectrumMixin\n"
            "print(PipelineOutputMixin.__subclasses__(), SpectrumMixin.__subclasses__())"
        )
        == "[] []\n"
    )


def test_a_table_brings_no_other_along():
    assert (
        run(
            "import sys\nfrom astra_outputs import TheCannon\n"
            "print('astra_outputs.records.the_cannon' in sys.modules, 'astra_outputs.records.aspcap' in sys.modules)"
        )
        == "True False\n"
    )


def test_every_public_name_is_there():
    assert [name for name in astra_outputs.__all__ if not hasattr(astra_outputs, name)] == []
    assert [name for name in records.__all__ if not hasattr(records, name)] == []
    assert set(records.__all__) <= set(dir(records))
    assert records.TheCannon is astra_outputs.TheCannon


def test_a_spool_and_a_command_find_a_table_that_nobody_imported():
    assert "line_forest" in run(
        "from astra_outputs.discover import record_classes\nprint([c.table for c in record_classes()])"
    )
