"""Record classes are found wherever their author keeps them, without being registered."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from astra_outputs.discover import record_classes
from astra_outputs.errors import CannotImport, MissingFile

RECORD = '''
from astra_outputs import PipelineOutputMixin, Real, column


class {name}(PipelineOutputMixin):
    """Results."""

    teff: Real = column(unit="K", description="Effective temperature")
'''


@pytest.fixture(autouse=True)
def own_modules(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """Forget what a test imports, and let it start in an empty folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [entry for entry in sys.path if entry])
    before = set(sys.modules)
    yield
    for name in set(sys.modules) - before:
        del sys.modules[name]


def write(path: str, text: str = "") -> None:
    file = Path(path)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)


def names(*where: str) -> set[str]:
    built_in = {found.__name__ for found in record_classes()}
    return {found.__name__ for found in record_classes(where)} - built_in


def test_the_built_in_classes_are_those_with_a_table():
    tables = {found.table for found in record_classes()}

    assert {"source", "spectrum", "boss_visit_spectrum", "the_cannon", "aspcap", "snow_white"} <= tables
    assert not {"record", "pipeline_output_mixin", "spectrum_mixin"} & tables


def test_nothing_of_the_name_is_an_error():
    with pytest.raises(CannotImport, match="no module nowhere"):
        record_classes(["nowhere"])
    with pytest.raises(CannotImport, match=r"a\.b cannot be imported"):
        record_classes(["a.b"])


def test_a_path_that_does_not_exist_is_an_error():
    with pytest.raises(MissingFile, match="no/such does not exist"):
        record_classes(["no/such"])


def test_a_module_without_record_class_is_an_error():
    with pytest.raises(CannotImport, match="json defines no record class"):
        record_classes(["json"])


@pytest.mark.parametrize("text", ["1 / 0", "raise SystemExit(3)", "import nowhere_at_all"])
def test_a_module_that_does_not_run_is_named_with_its_error(text: str):
    write("broken_probe.py", RECORD.format(name="Broken") + text)

    with pytest.raises(CannotImport, match=r"broken_probe.* cannot be imported: \w+: "):
        record_classes(["broken_probe"])
    with pytest.raises(CannotImport, match=r"broken_probe\.py cannot be imported: \w+: "):
        record_classes(["broken_probe.py"])


def test_a_file_that_is_no_python_is_named():
    write("folder/broken.py", "class (")

    with pytest.raises(CannotImport, match=r"broken\.py is no Python"):
        record_classes(["folder"])


def test_a_module_in_the_working_directory_is_found():
    write("probe_module.py", RECORD.format(name="InModule"))

    assert names("probe_module") == {"InModule"}


def test_the_modules_of_a_package_are_found():
    write("probe_package/__init__.py", RECORD.format(name="InPackage"))
    write("probe_package/inner/__init__.py")
    write("probe_package/inner/deep.py", RECORD.format(name="Deep"))

    assert names("probe_package") == {"InPackage", "Deep"}
    assert names("probe_package.inner") == {"Deep"}
    assert names("probe_package/inner") == {"Deep"}


def test_a_file_of_a_package_is_imported_as_a_part_of_it():
    write("probe_relative/__init__.py")
    write("probe_relative/base.py", "NAME = 'x'")
    write("probe_relative/records.py", "from .base import NAME\n" + RECORD.format(name="Relative"))

    assert names("probe_relative/records.py") == {"Relative"}
    assert "probe_relative.records" in sys.modules


def test_files_in_a_folder_may_import_each_other():
    write("probe_script/first_probe.py", RECORD.format(name="First"))
    write(
        "probe_script/second_probe.py",
        "import first_probe\n\n\nclass Second(first_probe.First):\n    '''More.'''\n",
    )
    write("probe_script/first.sql")

    assert names("probe_script") == {"First", "Second"}


def test_a_script_beside_the_records_is_not_run():
    write("probe_folder/records_probe.py", RECORD.format(name="InFolder"))
    write("probe_folder/script.py", "from records_probe import InFolder\nraise AssertionError('ran')\n")
    write("probe_folder/.hidden/other.py", RECORD.format(name="Hidden"))

    assert names("probe_folder") == {"InFolder"}


def test_modules_of_one_name_in_two_folders_are_both_found():
    write("one/same_name.py", RECORD.format(name="One"))
    write("two/same_name.py", RECORD.format(name="Two"))

    assert names("one", "two") == {"One", "Two"}


def test_a_mixin_is_no_table():
    mixin = RECORD.format(name="ProbeMixin") + "\n\nclass Table(ProbeMixin):\n    '''A table.'''\n"
    write("probe_mixin.py", mixin)

    assert names("probe_mixin.py") == {"Table"}


def test_a_class_that_is_imported_elsewhere_counts_once():
    write("probe_once.py", RECORD.format(name="Once"))
    write("probe_again.py", "from probe_once import Once\n" + RECORD.format(name="Again"))

    assert names("probe_once", "probe_again", "probe_once.py") == {"Once", "Again"}
