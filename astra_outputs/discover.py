"""Finds record classes: the built-in ones, and those of modules, packages and paths that a user names.

Nothing is registered by hand. Of a package or folder only the modules are imported that define a
subclass of a record class: a script beside them is read, not run.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from importlib import import_module
from importlib.util import find_spec, module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

from astra_outputs.errors import CannotImport, MissingFile
from astra_outputs.model.record import Record
from astra_outputs.postgres import sql_files

BUILT_IN = "astra_outputs.records"


def record_classes(names: Iterable[str] = ()) -> list[type[Record]]:
    """Return the built-in record classes and those that `names` hold, each once, by table.

    A class counts if it has a SQL file, or if no other one is derived from it: a mixin is no table,
    a class whose SQL file is missing is one.

    Parameters
    ----------
    names : iterable of str
        Modules and packages ("mypackage.records"), Python files and folders ("examples/irfm").

    Raises
    ------
    CannotImport
        If a module does not exist, does not run, or nothing of this name defines a record class.
    MissingFile
        If a path does not exist.

    Examples
    --------
    >>> [found.table for found in record_classes(["examples/irfm"])]  # doctest: +ELLIPSIS
    [..., 'irfm', ...]
    """
    found = dict.fromkeys(_classes_in(BUILT_IN))
    for name in names:
        classes = _classes_in(name)
        if not classes:
            raise CannotImport(f"{name} defines no record class: name the module or folder of yours")
        found.update(dict.fromkeys(classes))
    parents = {parent for entry in found for parent in entry.__mro__[1:]}
    tables = [entry for entry in found if entry not in parents or has_sql_file(entry)]
    return sorted(tables, key=lambda entry: entry.table)


def has_sql_file(record_class: type[Record]) -> bool:
    """Tell whether a record class has a SQL file."""
    try:
        sql_files.sql_file(record_class)
    except MissingFile:
        return False
    return True


def _classes_in(name: str) -> list[type[Record]]:
    path = Path(name)
    if path.suffix == ".py" or path.is_dir() or "/" in name:
        modules = _modules_at(path)
    else:
        modules = _modules_named(name)
    return [
        entry
        for module in modules
        for entry in vars(module).values()
        if isinstance(entry, type) and issubclass(entry, Record) and entry.__module__ == module.__name__
    ]


def _modules_at(path: Path) -> list[ModuleType]:
    if not path.exists():
        raise MissingFile(f"{path} does not exist")
    files = [path] if path.is_file() else _files_with_records(path)
    return [_import_file(file.resolve()) for file in files]


def _modules_named(name: str) -> list[ModuleType]:
    if "" not in sys.path and name != BUILT_IN:
        sys.path.insert(0, "")  # as `python -m` does: a package in the working directory is found
    with _told(name):
        spec = find_spec(name)
    if spec is None:
        raise CannotImport(f"there is no module {name}: install it, run from its folder, or give a path")
    modules = [_import(name)]
    for folder in spec.submodule_search_locations or ():
        for file in _files_with_records(Path(folder)):
            parts = file.relative_to(folder).with_suffix("").parts
            modules.append(_import(".".join([name, *(part for part in parts if part != "__init__")])))
    return list(dict.fromkeys(modules))


def _import(name: str) -> ModuleType:
    with _told(name):
        return import_module(name)


def _import_file(file: Path) -> ModuleType:
    """Import a file under the name that its own package or neighbours import it by."""
    parts = [] if file.stem == "__init__" else [file.stem]
    root = file.parent
    while (root / "__init__.py").is_file():
        parts.insert(0, root.name)
        root = root.parent
    name = ".".join(parts)
    if str(root) not in sys.path:
        sys.path.insert(0, str(root))
    loaded = sys.modules.get(name)
    if loaded is None and len(parts) > 1:
        return _import(name)
    if loaded is not None and Path(loaded.__file__ or "").resolve() == file:
        return loaded
    with _told(str(file)):
        return _load(name if loaded is None else f"{name} ({file})", file)


def _load(name: str, file: Path) -> ModuleType:
    spec = spec_from_file_location(name, file)
    if spec is None or spec.loader is None:
        raise ImportError(f"{file} is no Python module")
    module = module_from_spec(spec)
    sys.modules[name] = module  # Pydantic looks there for the names in annotations
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module


@contextmanager
def _told(name: str) -> Iterator[None]:
    """Tell in one line whatever the import of a module raises: it is the author's to mend."""
    try:
        yield
    except (Exception, SystemExit) as error:
        raise CannotImport(f"{name} cannot be imported: {type(error).__name__}: {error}") from error


def _files_with_records(folder: Path) -> list[Path]:
    """Return the Python files below a folder that define a subclass of a record class."""
    files = [
        file for file in sorted(folder.rglob("*.py")) if "/." not in f"/{file.relative_to(folder).as_posix()}"
    ]
    bases = {file: dict(_bases(file)) for file in files}
    known = {"Record", *_names_of_subclasses(Record)}
    while True:
        more = {name for classes in bases.values() for name, of in classes.items() if known & of} - known
        if not more:
            break
        known |= more
    return [file for file, classes in bases.items() if any(known & of for of in classes.values())]


def _bases(file: Path) -> Iterator[tuple[str, set[str]]]:
    """Yield each class that a file defines at its top level, with the names of its bases."""
    try:
        tree = ast.parse(file.read_bytes())
    except (SyntaxError, ValueError) as error:
        raise CannotImport(f"{file} is no Python: {error}") from error
    for node in tree.body:
        if isinstance(node, ast.ClassDef):
            yield node.name, {ast.unparse(base).rpartition(".")[2] for base in node.bases}


def _names_of_subclasses(record_class: type[Record]) -> Iterator[str]:
    for subclass in record_class.__subclasses__():
        yield subclass.__name__
        yield from _names_of_subclasses(subclass)
