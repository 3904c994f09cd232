"""TLS that did not come about: why, and what to do."""

from __future__ import annotations

import os
import ssl
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

FILES = ("sslrootcert", "sslcert", "sslkey", "sslcrl")
"""Options of a DSN that name a file; the variables are called `PGSSLROOTCERT` and so on."""


def explain(error: BaseException, dsn: str | None) -> str | None:
    """Say why there is no TLS with a server; None if that is not what the error is about.

    Parameters
    ----------
    error : BaseException
        What the driver raised.
    dsn : str, optional
        Only the names of files are taken from it.
    """
    if isinstance(error, ssl.SSLCertVerificationError):
        return (
            f"the server's certificate is refused: {error.verify_message.rstrip('.')}; connect by a host name that "
            "the certificate is for, and name the authority that signed it (sslrootcert)"
        )
    missing = [file for file in _files(dsn) if not Path(file).expanduser().exists()]
    if isinstance(error, FileNotFoundError) and missing:
        return f"there is no file {', '.join(missing)}: mend the path (sslrootcert, sslcert, sslkey)"
    if isinstance(error, ssl.SSLError):
        return f"TLS failed: {error.reason or error.strerror}; see sslmode, sslrootcert, sslcert and sslkey"
    return None


def _files(dsn: str | None) -> list[str]:
    try:
        given = parse_qs(urlsplit(dsn or "").query)
    except ValueError:
        given = {}
    found = (given.get(name, [os.environ.get(f"PG{name.upper()}", "")])[-1] for name in FILES)
    return [file for file in found if file and file != "system"]
