"""The files of a new pipeline: its record class, its SQL file and a test."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from astra_outputs.errors import FileExists, MissingFile
from astra_outputs.scaffold.files import Pipeline
from astra_outputs.scaffold.names import check_table_name, check_text
from astra_outputs.scaffold.new_column import NewColumn


def new_pipeline(
    table: str, new_columns: Sequence[NewColumn], title: str, folder: Path, taken: frozenset[str]
) -> dict[Path, str]:
    """Return the files of a new pipeline, path to content; writes nothing.

    Parameters
    ----------
    table : str
        Name of its table, as "my_pipeline"; the record class is then `MyPipeline`.
    new_columns : sequence of NewColumn
        At least one.
    title : str
        One line that says what the table holds.
    folder : Path
        A package, or a folder that does not exist yet and becomes one.
    taken : frozenset[str]
        The tables that there are already.

    Raises
    ------
    ValueError
        If a name is not allowed or occurs twice, or there is no column.
    MissingFile
        If the folder exists and is no package.
    """
    check_table_name(table, taken)
    title = title.strip().rstrip(".")
    check_text("the title", title, 80)
    names = [column.name for column in new_columns]
    if not names:
        raise ValueError("a pipeline needs at least one column of its own")
    twice = [name for name in names if names.count(name) > 1]
    if "flag_warn" in names:
        raise ValueError("flag_warn is the name of the summary of a pipeline's flags; choose another one")
    if twice:
        raise ValueError(f"{twice[0]} is given twice")
    pipeline = Pipeline(table, title or f"Results of {table}", tuple(new_columns), _package(folder))
    files = {
        folder / f"{table}.py": pipeline.record_class_file(),
        folder / f"{table}.sql": pipeline.sql_file(),
        folder / f"test_{table}.py": pipeline.test_file(),
    }
    if not folder.exists() or not any(folder.iterdir()):
        files[folder / "__init__.py"] = f'"""Record classes of {folder.resolve().name}."""\n'
    return files


def package_here(table: str) -> Path:
    """Return the package for a new pipeline whose author names none: the only one here, or a new one.

    Raises
    ------
    ValueError
        If there are several to choose from.
    """
    here = Path()
    if (here / "__init__.py").is_file():
        return here
    found = [
        path.parent for pattern in ("*", "src/*") for path in sorted(here.glob(f"{pattern}/__init__.py"))
    ]
    found = [folder for folder in found if folder.name not in ("tests", "docs")]
    if len(found) > 1:
        names = ", ".join(map(str, found))
        raise ValueError(f"there are several packages here ({names}): name one by --into")
    return found[0] if found else Path(table)


def _package(folder: Path) -> str:
    """Return the dotted name of a package's folder."""
    folder = folder.resolve()
    if folder.is_file():
        raise MissingFile(f"{folder} is a file; name the folder of your package")
    if folder.exists() and any(folder.iterdir()) and not (folder / "__init__.py").is_file():
        raise MissingFile(f"{folder} is no package: put an __init__.py there, or name a new folder")
    parts = [folder.name]
    while ((folder := folder.parent) / "__init__.py").is_file():
        parts.insert(0, folder.name)
    wrong = [part for part in parts if not part.isidentifier()]
    if wrong:
        raise ValueError(f"{wrong[0]} cannot be imported: the name of a package has no - and no spaces")
    return ".".join(parts)


def write(files: dict[Path, str], *, force: bool = False) -> None:
    """Write the files of a new pipeline.

    Raises
    ------
    FileExists
        If one of them exists, unless `force`; nothing is written then.
    """
    there = [str(path) for path in files if path.exists()]
    if there and not force:
        raise FileExists(f"{' and '.join(there)} would be written over; allow it with --force")
    for path, content in files.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8")
