"""The user that an embedded server runs as, where this process is root's."""

from __future__ import annotations

import os
import shutil
import stat
from dataclasses import dataclass
from pathlib import Path

from astra_outputs.errors import CannotStart


@dataclass(frozen=True)
class Owner:
    """The user that a server runs as: PostgreSQL refuses to run as root."""

    uid: int
    gid: int
    is_other: bool

    @classmethod
    def of(cls, data_dir: Path) -> Owner:
        """Return the user that owns the data, else this process's; never root.

        Raises
        ------
        CannotStart
            If the data belong to a user that this process cannot be.
        """
        import pwd

        if os.geteuid() != 0:
            if data_dir.exists() and data_dir.stat().st_uid != os.geteuid():
                raise CannotStart(
                    f"{data_dir} belongs to another user: run as that one, or give another folder"
                )
            return cls(os.geteuid(), os.getegid(), is_other=False)
        if data_dir.exists() and data_dir.stat().st_uid != 0:
            return cls(data_dir.stat().st_uid, data_dir.stat().st_gid, is_other=True)
        for name in ("postgres", "nobody"):
            try:
                user = pwd.getpwnam(name)
            except KeyError:
                continue
            return cls(user.pw_uid, user.pw_gid, is_other=True)
        raise CannotStart(
            "PostgreSQL does not run as root, and there is no user postgres or nobody: use another"
        )

    def take(self, path: Path) -> None:
        """Give a file or folder to this user."""
        if self.is_other:
            os.chown(path, self.uid, self.gid)

    def prefix(self, *paths: Path) -> list[str]:
        """Return the words that run a command as this user, able to reach the paths.

        Root's folders are often closed to others. Rather than open them, the server gets the one right
        of root that it needs, to pass through them; nobody but root can connect to it.
        """
        if not self.is_other:
            return []
        setpriv = shutil.which("setpriv")
        if setpriv is None:
            raise CannotStart(
                "PostgreSQL does not run as root, and setpriv (util-linux) is missing: use another user"
            )
        words = [setpriv, f"--reuid={self.uid}", f"--regid={self.gid}", "--clear-groups"]
        if not all(parent.stat().st_mode & stat.S_IXOTH for path in paths for parent in path.parents):
            right = "dac_read_search" if _root_may(_DAC_READ_SEARCH) else "dac_override"
            # Without the last word access(2), by which PostgreSQL tries its programs, ignores the right.
            words += [f"--inh-caps=+{right}", f"--ambient-caps=+{right}", "--securebits=+no_setuid_fixup"]
        return words


_DAC_READ_SEARCH = 2


def _root_may(capability: int) -> bool:
    """Tell whether this process holds a capability of Linux; containers take some away."""
    status = Path("/proc/self/status").read_text().splitlines()
    held = next(line.split()[1] for line in status if line.startswith("CapEff:"))
    return bool(int(held, 16) >> capability & 1)
