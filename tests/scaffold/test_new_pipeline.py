"""A new pipeline's files pass the check, every linter and their own test as they are written."""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import asyncpg
import pytest

from astra_outputs.cli import main
from astra_outputs.model.column_types import TYPES
from astra_outputs.scaffold.names import RESERVED

ROOT = Path(__file__).resolve().parents[2]
PROGRAMS = Path(sys.executable).parent


class Done(NamedTuple):
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def message(self) -> str:
        """The error without the frame around it."""
        return " ".join(self.err.replace("│", " ").split())


Run = Callable[..., Done]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Run:
    """Run `new-pipeline` in an empty folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")

    def run(*arguments: str) -> Done:
        monkeypatch.setattr(sys, "argv", ["astra-outputs", "new-pipeline", *arguments])
        with pytest.raises(SystemExit) as ended:
            main()
        return Done(int(ended.value.code or 0), *capsys.readouterr())

    return run


def written() -> list[str]:
    return sorted(str(path) for path in Path().rglob("*") if path.is_file())


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("MyPipeline", "use a-z, 0-9 and _"),
        ("my-pipeline", "use a-z, 0-9 and _"),
        ("2mass", "beginning with a letter"),
        ("pipeline;drop", "use a-z, 0-9 and _"),
        ("étoile", "use a-z, 0-9 and _"),
        ("user", "reserved word of SQL"),
        ("import", "reserved word of Python"),
        ("p" * 43, "43 characters; a table may have 42"),
        ("aspcap", "there is a table aspcap already"),
        ("flag_definition", "there is a table flag_definition already"),
    ],
)
def test_a_bad_name_of_a_table_is_refused_with_the_reason(run: Run, name: str, reason: str):
    done = run(name, "--column", "teff:real:K", "--into", "mine")

    assert done.code == 2
    assert reason in done.message
    assert written() == []


@pytest.mark.parametrize(
    ("column", "reason"),
    [
        ("teff", "has no type: write it as teff:real:K"),
        ("teff:float", "unknown type 'float'; there are real, double"),
        ("Teff:real", "use a-z, 0-9 and _"),
        ("e-teff:real", "use a-z, 0-9 and _"),
        (":real", "use a-z, 0-9 and _"),
        ("order:integer", "order is a reserved word of SQL"),
        ("lambda:double", "lambda is a reserved word of Python"),
        ("c" * 64 + ":real", "64 characters; a column may have 63"),
        ("v_astra:integer", "every pipeline has already"),
        ("v_astra_major_minor:integer", "every pipeline has already"),
        ("flag_warm:boolean", "records offer their flags as flag_<name>"),
        ("model_dump:text", "would hide what a record calls so"),
        ("model_flux:text", "would hide what a record calls so"),
        ("table_of:text:" + "u" * 41, "the unit of table_of has 41 characters"),
        ("key:text", "would hide what a record calls so"),
        ("teff:real:K:" + "d" * 48, "the description of teff has 48 characters; it may have 47"),
        ('teff:real:K:a "quoted" word', "contains a quotation mark"),
        ("teff:real:K:two\nlines", "a control character"),
    ],
)
def test_a_bad_column_is_refused_with_the_reason(run: Run, column: str, reason: str):
    done = run("my_pipeline", "--column", column, "--into", "mine")

    assert done.code == 2
    assert reason in done.message
    assert written() == []


def test_a_column_that_is_given_twice_is_refused(run: Run):
    done = run("my_pipeline", "--column", "teff:real:K", "--column", "teff:double:K", "--into", "mine")

    assert (done.code, "teff is given twice" in done.message) == (2, True)


def test_a_pipeline_without_columns_is_a_usage_error(run: Run):
    assert "--column" in run("my_pipeline", "--into", "mine").message


@pytest.mark.parametrize(
    ("flags", "reason"),
    [
        (["low_snr"], "low_snr has no meaning: write it as low_snr:"),
        (["low_snr: "], "low_snr has no meaning"),
        (["Low:x"], "'Low' is no name for a flag"),
        (["class:x"], "class is a reserved word"),
        (["warn:x"], "flag_warn says whether any flag is set"),
        (['low:a "bad" one'], "the meaning of low contains a quotation mark"),
        ([f"low:{'x' * 48}"], "the meaning of low has 48 characters; it may have 47"),
        (["low:x", "low:y"], "low is given twice"),
        (["other.low:x"], "other is no column of flags; there are result_flags"),
        ([f"f{bit}:x" for bit in range(64)], "result_flags has 63 bits, and no room for f63"),
    ],
)
def test_a_bad_flag_is_refused_with_the_reason(run: Run, flags: list[str], reason: str):
    done = run("my_pipeline", "--column=teff:real:K", *(f"--flag={flag}" for flag in flags), "--into", "mine")
    assert done.code == 2
    assert reason in done.err
    assert not Path("mine").exists()


def test_a_flag_of_several_columns_is_refused_unless_its_column_is_named(run: Run):
    given = ("my_pipeline", "--column=one:flags", "--column=two:flags", "--into", "mine")
    done = run(*given, "--flag=low:x")
    assert (done.code, "low may be a bit of one or two: write it as one.low" in done.err) == (2, True)
    assert run(*given, "--flag=two.low:x", "--flag=one.high:y").code == 0
    assert 'LOW = 0, "x"' in Path("mine/my_pipeline.py").read_text().split("class MyPipelineTwoFlags")[1]


async def test_flags_have_their_names_and_the_view_sums_them_up_as_the_record_does(
    run: Run, connection: asyncpg.Connection, outputs: Any, spectrum: Any
):
    flags = ("--flag=low_snr:S/N below 20", "--flag=failed:No fit")
    assert run("summed_up", "--column=teff:real:K", *flags, "--into", "summed").code == 0
    await connection.execute("set search_path to astra")
    await connection.execute(
        Path("summed/summed_up.sql").read_text()  # noqa: ASYNC240
    )
    sys.path.insert(0, ".")
    try:
        record_class = importlib.import_module("summed.summed_up").SummedUp
    finally:
        sys.path.remove(".")
    for version, named in (("0.8.0", {}), ("0.9.0", {"flag_failed": True})):
        result = record_class.from_spectrum(spectrum, v_astra=version, **named)
        await outputs.save(result)
        assert result.flag_warn is bool(named)
    rows = await connection.fetch(
        "select flag_warn, flag_names('summed_up', 'result_flags', result_flags), teff from summed_up_quality order by v_astra"
    )
    assert list(map(tuple, rows)) == [(False, [], None), (True, ["failed"], None)]


@pytest.mark.parametrize(
    ("there", "into"),
    [
        ([], "my_pipeline/"),
        (["mine/__init__.py", "tests/__init__.py"], "mine/"),
        (["src/mine/__init__.py", "scripts/script.py"], "src/mine/"),
        (["__init__.py", "inner/__init__.py"], ""),
    ],
)
def test_without_a_folder_the_only_package_here_is_taken_or_a_new_one_made(
    run: Run, there: list[str], into: str
):
    for name in there:
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).touch()

    assert run("my_pipeline", "--column", "teff:real:K").code == 0
    assert Path(f"{into}my_pipeline.sql").is_file()


def test_without_a_folder_several_packages_are_refused_by_name(run: Run):
    for name in ("mine", "yours"):
        Path(name).mkdir()
        Path(name, "__init__.py").touch()

    done = run("my_pipeline", "--column", "teff:real:K")

    assert done.code == 2
    assert "several packages here (mine, yours): name one by --into" in done.message


def test_a_folder_that_is_no_package_is_refused(run: Run):
    Path("scripts").mkdir()
    Path("scripts/script.py").touch()

    done = run("my_pipeline", "--column", "teff:real:K", "--into", "scripts")

    assert done.code == 1
    assert "scripts is no package: put an __init__.py there" in done.err


def test_a_folder_that_cannot_be_imported_is_refused(run: Run):
    done = run("my_pipeline", "--column", "teff:real:K", "--into", "my-package")

    assert (done.code, "my-package cannot be imported" in done.message) == (2, True)


def test_existing_files_are_written_over_only_with_force(run: Run):
    arguments = ["my_pipeline", "--column", "teff:real:K", "--into", "mine"]
    assert run(*arguments).code == 0
    Path("mine/my_pipeline.sql").write_text("-- mine")
    Path("mine/test_my_pipeline.py").unlink()

    done = run(*arguments)

    assert done.code == 1
    assert "mine/my_pipeline.sql would be written over; allow it with --force" in done.err
    assert Path("mine/my_pipeline.sql").read_text() == "-- mine"
    assert not Path("mine/test_my_pipeline.py").exists()
    assert run(*arguments, "--force").code == 0
    assert "create table" in Path("mine/my_pipeline.sql").read_text()


def test_a_package_keeps_its_own_files(run: Run):
    Path("mine").mkdir()
    Path("mine/__init__.py").write_text("# mine\n")

    assert run("my_pipeline", "--column", "teff:real:K", "--into", "mine").code == 0
    assert Path("mine/__init__.py").read_text() == "# mine\n"


async def test_every_word_that_postgresql_reserves_is_refused(connection: asyncpg.Connection):
    words = await connection.fetch("select word from pg_get_keywords() where catcode in ('R', 'T')")

    assert {row["word"] for row in words} <= RESERVED


EVERY_TYPE = [f"a_{kind.strip('[]')}{'s' * kind.endswith(']')}:{kind}:K" for kind in TYPES]
PIPELINES = {
    "mine": ("my_pipeline", ["teff:real:K"]),
    "every": ("every_type", EVERY_TYPE),
    "flags": ("flagged", ["result_flags:flags", "teff_flags:flags:", "other:flags"]),
    "named": ("named_flags", ["teff:real:K", "--flag=low_snr:S/N below 20", "--flag=failed:It's no star"]),
    "renamed": ("a_2_b_3d", ["x:real"]),  # A2B3d would be a2_b3d
    "careful": (
        "careful",
        [
            "dec:double:deg",
            "l:double:deg",
            "time:text::It's when",
            "values:integer::100 % [x]",
            "position:real",
        ],
    ),
    "outer/middle/innermost": ("deep", ["teff:real:K"]),
    "longest": (
        "p" * 42,
        [
            "c" * 63 + ":real[]:" + "u" * 40 + ":" + "d" * 47,
            "f" * 57 + "_flags:flags::" + "d" * 47,
            "x:flags",
        ],
    ),
}


@pytest.fixture(scope="module")
def author(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of an author's, with each of the pipelines in a package of its own."""
    author = tmp_path_factory.mktemp("author")
    for name in ("outer", "outer/middle"):
        (author / name).mkdir()
        (author / name / "__init__.py").write_text('"""A package."""\n')
    for folder, (name, columns) in PIPELINES.items():
        given = [word if word.startswith("--") else f"--column={word}" for word in columns]
        tool(
            author,
            "python",
            "astra_outputs",
            "new-pipeline",
            name,
            *given,
            "--into",
            folder,
            "--title",
            "T" * 80,
        )
    return author


def tool(folder: Path, program: str, *arguments: str) -> None:
    """Run a program in a folder; what it complains of is the failure."""
    command = [sys.executable, "-m"] if program == "python" else [str(PROGRAMS / program)]
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("PG", "ASTRA_"))}
    done = subprocess.run(
        [*command, *arguments], capture_output=True, text=True, check=False, env=environment, cwd=folder
    )
    assert done.returncode == 0, done.stdout + done.stderr


RUFF = ["--no-cache", "--config", str(ROOT / "pyproject.toml"), "."]
TEST = ["pytest", "-q", "-p", "no:cacheprovider", "-c", os.devnull, "--rootdir", "."]
TOOLS = {
    "check": [
        "python",
        *("astra_outputs", "check", "--offline"),
        *(word for folder in PIPELINES for word in ("--records", folder)),
    ],
    "ruff": ["ruff", "check", *RUFF],
    "formatter": ["ruff", "format", "--check", *RUFF],
    "mypy": [
        "python",
        "mypy",
        "--strict",
        "--cache-dir",
        os.devnull,
        *{folder.split("/")[0] for folder in PIPELINES},
    ],
    "squawk": ["squawk", "--config", str(ROOT / ".squawk.toml"), "**/*.sql"],
    "sqlfluff": ["sqlfluff", "lint", "--disable-progress-bar", "--config", str(ROOT / ".sqlfluff"), "."],
    "own test of every type": ["python", *TEST, "every"],
    "own test of the longest names": ["python", *TEST, "longest"],
    "own test of a package in a package": ["python", *TEST, "outer"],
}


@pytest.mark.parametrize("command", TOOLS.values(), ids=TOOLS.keys())
def test_what_is_written_passes_as_it_is(command: list[str], author: Path):
    tool(author, *command)


def test_a_test_of_a_new_pipeline_notices_that_its_files_differ(run: Run, tmp_path: Path):
    assert run("my_pipeline", "--column", "teff:real:K", "--into", "mine").code == 0
    sql = Path("mine/my_pipeline.sql")
    sql.write_text(sql.read_text().replace("teff real", "teff integer"))

    with pytest.raises(AssertionError, match=r"my_pipeline\.teff, type: record class says real"):
        tool(tmp_path, "python", *TEST, "mine", "-k", "agree")
