"""A picture that was drawn: for a file, a notebook, or a page."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from difflib import get_close_matches
from io import BytesIO
from pathlib import Path
from threading import RLock
from typing import Any, BinaryIO

from astra_outputs.errors import InvalidFile, InvalidPicture, MissingExtra
from astra_outputs.whole_file import whole_file

ENDINGS = {".png": "png", ".pdf": "pdf", ".svg": "svg", ".jpg": "jpg", ".jpeg": "jpg"}
"""The endings of files, and what matplotlib calls each format."""

UNDATED: dict[str, dict[str, Any]] = {"svg": {"Date": None}, "pdf": {"CreationDate": None}}
"""What makes files of the same picture the same."""

LOOK: dict[str, Any] = {
    "figure.figsize": (6.4, 4.8),
    "figure.dpi": 100,
    "savefig.dpi": 150,
    "font.size": 10,
    "axes.titlesize": 10,
    "axes.titlelocation": "left",
    "axes.linewidth": 0.8,
    "image.cmap": "viridis",
    "legend.frameon": False,
    "svg.hashsalt": "astra-outputs",
    "xtick.direction": "in",
    "ytick.direction": "in",
    "xtick.top": True,
    "ytick.right": True,
    "xtick.minor.visible": True,
    "ytick.minor.visible": True,
}
"""The style where none is named."""

_one_at_a_time = RLock()  # matplotlib's settings are those of the process


class Picture:
    """What `outputs.plot` returns; a notebook shows it.

    Attributes
    ----------
    title : str
        What it shows, in words.
    figure : matplotlib.figure.Figure
        For whoever wants to change something before it is saved.
    """

    def __init__(self, title: str, draw: Callable[[Any], None], style: str | Path | None = None) -> None:
        check_library()
        self.title, self._style = title, style
        with styled(style):
            from matplotlib.figure import Figure

            self.figure: Any = Figure(layout="constrained")
            draw(self.figure)

    def __repr__(self) -> str:
        return f"Picture({self.title!r})"

    def save(self, file: Path | str, *, overwrite: bool = False) -> Path:
        """Write it to a file of the kind that its ending says: .png, .jpg, .pdf or .svg.

        The file has its name once it is complete.

        Raises
        ------
        InvalidFile
            If the ending is another.
        FileExists
            If there is such a file, and `overwrite` is not set.
        CannotWrite
            If the disk is full, or the folder is not there.
        """
        path = Path(file)
        kind = kind_of(path)
        with whole_file(path, overwrite=overwrite) as opened:
            self._write(opened, kind)
        return path

    def png(self, dpi: float | None = None) -> bytes:
        """Return it as a PNG file, with so many dots per inch."""
        return self._bytes("png", dpi)

    def svg(self) -> str:
        """Return it as SVG, without anything from elsewhere."""
        return self._bytes("svg").decode()

    def _repr_png_(self) -> bytes:
        return self.png()

    def _bytes(self, kind: str, dpi: float | None = None) -> bytes:
        file = BytesIO()
        self._write(file, kind, dpi)
        return file.getvalue()

    def _write(self, file: BinaryIO, kind: str, dpi: float | None = None) -> None:
        with styled(self._style):
            resolution = {} if dpi is None else {"dpi": dpi}
            self.figure.savefig(file, format=kind, metadata=UNDATED.get(kind), **resolution)


def kind_of(path: Path) -> str:
    """Return the format of a picture's file, by its ending.

    Raises
    ------
    InvalidFile
        If there is none of this ending.
    """
    kind = ENDINGS.get(path.suffix.lower())
    if kind is None:
        raise InvalidFile(f"{path.name} is no picture: end it in {', '.join(ENDINGS)}")
    return kind


def check_library() -> None:
    """Raise MissingExtra if matplotlib is not installed."""
    try:
        import matplotlib.figure  # noqa: F401
    except ImportError as error:
        raise MissingExtra("pictures need matplotlib: pip install 'astra-outputs[plot]'") from error


def check_style(style: str | Path | None) -> None:
    """Raise InvalidPicture if a style is neither one of matplotlib's nor a file that it can read."""
    check_library()
    with styled(style):
        pass


@contextmanager
def styled(style: str | Path | None) -> Iterator[None]:
    """Draw in a style: matplotlib's of this name, or a file; where None in that of this package.

    Raises
    ------
    InvalidPicture
        If there is no such style, or the file is none.
    """
    from matplotlib import rc_context
    from matplotlib.style import available, use

    with _one_at_a_time, rc_context():
        use("default")  # what a user's own settings say is in a style, if it is wanted
        try:
            use(LOOK if style is None else style)
        except (OSError, ValueError, SyntaxError) as error:
            nearest = get_close_matches(str(style), available, n=1)
            hint = f"did you mean {nearest[0]}?" if nearest else "name one of matplotlib's, or a file"
            raise InvalidPicture(f"there is no style {style}: {hint}") from error
        yield
