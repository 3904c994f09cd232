"""Finds a pipeline's function by name, the class of its results, and record classes by table."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from difflib import get_close_matches
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any, TypeVar

from astra_outputs.discover import record_classes
from astra_outputs.errors import CannotImport, WrongRecordClass
from astra_outputs.model.pipeline import PipelineOutputMixin
from astra_outputs.model.record import Record

R = TypeVar("R", bound=Record)


def pipeline_named(name: str) -> Any:
    """Return the function that `package.module:function` names; modules of the current folder count.

    Raises
    ------
    CannotImport
        If there is no such module or function.
    """
    module_name, colon, attribute = name.partition(":")
    if not (colon and attribute):
        raise CannotImport(f"{name} names no function: write package.module:function")
    if str(Path.cwd()) not in sys.path:
        sys.path.insert(0, str(Path.cwd()))
    try:
        module = import_module(module_name)
    except ModuleNotFoundError as error:
        if error.name is None or not f"{module_name}.".startswith(f"{error.name}."):
            raise CannotImport(f"{module_name} cannot be imported: {error}") from error
        raise CannotImport(f"there is no module {module_name}: install it, or run from its folder") from error
    except Exception as error:
        raise CannotImport(f"{module_name} cannot be imported: {type(error).__name__}: {error}") from error
    function = getattr(module, attribute, None)
    if not callable(function):
        nearest = get_close_matches(
            attribute, [key for key, value in vars(module).items() if callable(value)], n=1
        )
        hint = f"; did you mean {nearest[0]}?" if nearest else ""
        raise CannotImport(f"{module_name} has no function {attribute}{hint}")
    return function


def result_class(pipeline: Any) -> type[PipelineOutputMixin]:
    """Return the class of a pipeline's results, as its annotation says: `-> Iterator[TheCannon]`.

    Raises
    ------
    WrongRecordClass
        If it says none.
    """
    from astra_outputs.work.failed import made_by

    found = made_by(pipeline)
    if found is not None:
        return found
    name = getattr(pipeline, "__name__", pipeline)
    raise WrongRecordClass(
        f"{name} does not say what it yields: annotate it as `-> Results[TheCannon]`, or pass --record"
    )


def classes_of_module(function: Any) -> list[type[Record]]:
    """Return the record classes that the module of a pipeline defines or imports."""
    while isinstance(function, partial):
        function = function.func
    module = sys.modules.get(getattr(function, "__module__", ""))
    values = vars(module).values() if module is not None else ()
    return [entry for entry in values if isinstance(entry, type) and issubclass(entry, Record)]


def class_named(
    name: str,
    modules: Iterable[str],
    kind: type[R] = PipelineOutputMixin,  # type: ignore[assignment]
    also: Iterable[type[Record]] = (),
    others: Iterable[str] = (),
) -> type[R]:
    """Return the record class of a table, or of that name.

    `also` are classes that are known already, `others` names of something else that may be meant.

    Raises
    ------
    WrongRecordClass
        If there is none of the kind; the nearest name is suggested.
    """
    known = [*record_classes(modules), *also]
    classes = {entry.table: entry for entry in known if issubclass(entry, kind) and hasattr(entry, "table")}
    for entry in classes.values():
        if name in (entry.table, entry.__name__):
            return entry
    names = [*classes, *(entry.__name__ for entry in classes.values()), *others]
    nearest = get_close_matches(name, names, n=1)
    hint = f"did you mean {nearest[0]}?" if nearest else f"there are {', '.join(classes)}"
    what = {PipelineOutputMixin: "table of results", Record: "table"}.get(kind, "table of spectra")
    raise WrongRecordClass(f"no {what} is named {name}: {hint}; --records names modules of your own")
