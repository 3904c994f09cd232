"""The kinds of files, by their endings, and the libraries that they need."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

from astra_outputs.errors import InvalidFile, MissingExtra

ENDINGS = {".fits.gz": "fits", ".fits": "fits", ".parquet": "arrow", ".csv": "", ".ecsv": "fits"}
"""The endings of files, and the extra that writes each."""

LIBRARIES = {"fits": "astropy", "arrow": "pyarrow"}
"""What each extra installs."""


def ending_of(path: Path) -> str:
    """Return the ending of a file's name, if files of this kind can be written.

    Raises
    ------
    InvalidFile
        If it is another, or a folder.
    MissingExtra
        If the library that writes them is not installed.
    """
    if path.is_dir():
        raise InvalidFile(f"{path} is a folder; name a file in it")
    ending = next((known for known in ENDINGS if path.name.lower().endswith(known)), None)
    if ending is None:
        raise InvalidFile(
            f"{path.name} does not say what it shall be: end it in {', '.join(sorted(ENDINGS))}"
        )
    extra = ENDINGS[ending]
    library = LIBRARIES.get(extra)
    try:
        if library is not None:
            import_module(library)
    except ImportError as error:
        raise MissingExtra(f"{ending} files need {library}: pip install 'astra-outputs[{extra}]'") from error
    return ending
