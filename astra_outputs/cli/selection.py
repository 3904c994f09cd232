"""Options by which commands say which spectra are meant."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

if TYPE_CHECKING:
    from astra_outputs.model.record import Record
    from astra_outputs.model.spectrum import SpectrumMixin


def complete_table(incomplete: str) -> list[str]:
    """Return the tables that a name may become, for the shell."""
    from astra_outputs.discover import record_classes

    return [entry.table for entry in record_classes() if entry.table.startswith(incomplete)]


Spectra = Annotated[
    list[str],
    typer.Option(
        help="Table or class of the spectra that it works on; may be given several times.",
        autocompletion=complete_table,
    ),
]
Version = Annotated[
    str | None,
    typer.Option(
        help="Version of the results, as 0.8.1.", envvar="ASTRA_OUTPUTS_V_ASTRA", show_default=False
    ),
]
Share = Annotated[
    str | None,
    typer.Option("--shard", help="This worker's share of the work: 0/16 to 15/16.", show_default=False),
]
Limit = Annotated[int | None, typer.Option(help="Most spectra.", show_default=False, min=0)]
Again = Annotated[
    Literal["older", "all"] | None,
    typer.Option(
        "--redo",
        help="Make results again, once: those of older patches of the version, or all.",
        show_default=False,
    ),
]
Stars = Annotated[
    Path | None,
    typer.Option(
        "--sdss-ids",
        help="File of sdss_id, one a line: only spectra of these stars.",
        exists=True,
        dir_okay=False,
        show_default=False,
    ),
]


def wanted_version(text: str | None) -> int:
    """Return the version that is asked for, else the configured one.

    Raises
    ------
    typer.BadParameter
        If it is none.
    MissingVersion
        If none is given or configured.
    """
    from astra_outputs.model.version import configured_version, parse_version

    if text is None:
        return configured_version()
    try:
        return parse_version(text)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--v-astra") from error


def share(text: str | None) -> tuple[int, int] | None:
    """Return a share written as "3/16".

    Raises
    ------
    typer.BadParameter
        If it is not of that form.
    """
    if text is None:
        return None
    number, slash, of = text.partition("/")
    if not (slash and number.isdecimal() and of.isdecimal()):
        raise typer.BadParameter(f"{text!r} is not of the form 3/16", param_hint="--shard")
    if int(number) >= int(of):
        raise typer.BadParameter(f"{text}: shares count from 0 to {int(of) - 1}", param_hint="--shard")
    return int(number), int(of)


def stars_in(path: Path | None) -> list[int] | None:
    """Return the numbers in a file of one a line; empty lines and what follows a # are passed over.

    Raises
    ------
    typer.BadParameter
        If a line is no sdss_id.
    """
    if path is None:
        return None
    stars = []
    for number, line in enumerate(path.read_text(encoding="utf-8-sig", errors="replace").splitlines(), 1):
        text = line.partition("#")[0].strip()
        if text and not (text.isascii() and text.isdecimal() and int(text) < 2**63):
            raise typer.BadParameter(
                f"{path}, line {number}: {text[:60]!r} is no sdss_id; write one a line",
                param_hint="--sdss-ids",
            )
        if text:
            stars.append(int(text))
    return stars


def spectra_named(
    names: Iterable[str], modules: Iterable[str], nearby: Iterable[type[Record]] = ()
) -> list[type[SpectrumMixin]]:
    """Return classes of spectra by the names of their tables or their own, each once."""
    from astra_outputs.cli.named import class_named
    from astra_outputs.model.spectrum import SpectrumMixin

    modules, nearby = list(modules), list(nearby)
    found: list[Any] = [class_named(name, modules, SpectrumMixin, also=nearby) for name in names]
    return list(dict.fromkeys(found))
