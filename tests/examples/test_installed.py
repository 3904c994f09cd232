"""A script for each use, unchanged, where nothing is installed but the wheel and what it says it needs."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import venv
from importlib.metadata import Distribution, distribution
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
USES = ROOT / "examples" / "uses"
ORDER = ["save.py", "table.py", "work.py", "read.py", "export.py", "compare.py", "history.py", "replay.py"]

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform == "win32", reason="programs are in another folder there"),
]


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Python of an environment with the wheel of this checkout, and the libraries that it names."""
    pytest.importorskip("hatchling", reason="builds the wheel")
    folder = tmp_path_factory.mktemp("installed")
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]
    build = [*pip, "wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", folder / "wheels", ROOT]
    subprocess.run(build, check=True, capture_output=True, timeout=300)
    venv.create(folder / "venv", with_pip=False)
    python = folder / "venv" / "bin" / "python"
    (wheel,) = (folder / "wheels").glob("*.whl")
    subprocess.run(
        [*pip, "--python", python, "install", "--no-deps", "--no-index", wheel],
        check=True,
        capture_output=True,
        timeout=300,
    )
    (packages,) = (folder / "venv" / "lib").glob("python*/site-packages")
    for needed in required("astra-outputs"):
        link(needed, packages)
    return python


def required(name: str) -> list[Distribution]:
    """Return what a distribution needs without its extras, and what that needs in turn."""
    found: dict[str, Distribution] = {}
    left = [name]
    while left:
        for requirement in distribution(left.pop()).requires or ():
            words, _, marker = requirement.partition(";")
            (needed,) = re.findall(r"^[\w.-]+", words)
            if "extra" in marker or needed in found:
                continue
            try:
                found[needed] = distribution(needed)
            except ImportError:  # for another platform or Python
                continue
            left.append(needed)
    return list(found.values())


def link(needed: Distribution, packages: Path) -> None:
    """Have the environment share a library with this one: to install it once more takes minutes."""
    tops = {file.parts[0] for file in needed.files or () if file.parts[0] not in ("..", "__pycache__")}
    for top in tops:
        if not (packages / top).exists():
            (packages / top).symlink_to(Path(str(needed.locate_file(top))))


def run(python: Path, folder: Path, dsn: str, *words: str | Path) -> str:
    kept = {
        name: value for name, value in os.environ.items() if not name.startswith(("PG", "ASTRA_", "PYTHON"))
    }
    done = subprocess.run(
        [python, *words],
        cwd=folder,
        env=kept | {"ASTRA_OUTPUTS_DSN": dsn, "NO_COLOR": "1"},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_every_use_has_a_script_that_runs_with_the_wheel_alone(
    python: Path, tmp_path: Path, database: str
) -> None:
    assert sorted(path.name for path in USES.glob("*.py")) == sorted(ORDER)
    where = run(python, tmp_path, database, "-c", "import astra_outputs; print(astra_outputs.__file__)")
    assert Path(where.strip()).is_relative_to(python.parents[1])
    told = {}
    for name in ORDER:
        shutil.copy(USES / name, tmp_path)
        told[name] = run(python, tmp_path, database, name)
    assert told["save.py"].splitlines() == ["3 inserted", "3 inserted", "Outcome.INSERTED"]
    assert told["table.py"] == "3 inserted\n"
    assert told["work.py"].splitlines() == ["3 spectra, 3 results: 3 inserted", "0 left"]
    assert "teff=4810.0" in told["read.py"]
    assert told["read.py"].endswith("7 values\n")
    assert told["compare.py"].startswith("the_cannon 0.8 to the_cannon 0.9")
    assert "keeps no history" in told["history.py"]
    assert told["replay.py"] == "0 files stored: no records\n"
    assert len((tmp_path / "the_cannon.csv").read_text().splitlines()) >= 4


def test_the_command_works_with_the_wheel_alone(python: Path, tmp_path: Path, database: str) -> None:
    command = ("-m", "astra_outputs")
    catalogues = ROOT / "examples" / "catalogues"
    for name in ("dr12_labels.csv", "dr12_labels.toml"):
        shutil.copy(catalogues / name, tmp_path)
    given = ("--into", "the_cannon", "--map", "dr12_labels.toml", "dr12_labels.csv")
    assert "inserted" in run(python, tmp_path, database, *command, "ingest", *given)
    assert "agree" in run(python, tmp_path, database, *command, "check")
    schema = Path(run(python, tmp_path, database, *command, "schema", "path").strip())
    assert (schema / "install.sql").is_file()
    assert schema.is_relative_to(python.parents[1])
    made = ("new-pipeline", "mine", "--column", "teff:real:K", "--flag", "low_snr:S/N below 20")
    assert "wrote mine" in run(python, tmp_path, database, *command, *made)
    assert "agree" in run(python, tmp_path, database, *command, "check", "--offline", "--records", "mine")
