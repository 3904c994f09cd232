"""CPU time of the server: its postmaster, and every process that it has and had."""

from __future__ import annotations

import asyncpg
import psutil


class ServerCpu:
    """Reads what a server on this machine has used so far.

    Parameters
    ----------
    connection : asyncpg.Connection
        Any connection to it; the parent of its backend is the postmaster.
    """

    def __init__(self, connection: asyncpg.Connection) -> None:
        self._postmaster: psutil.Process | None = None
        try:
            backend = psutil.Process(connection.get_server_pid())
            if "postgres" in backend.name():
                self._postmaster = backend.parent()
        except psutil.Error:
            pass  # the server is on another machine, or hidden

    def seconds(self) -> float | None:
        """Return user and system time since the server started, or None if it is out of sight.

        A process that has ended is counted with the postmaster, which has waited for it.
        """
        if self._postmaster is None:
            return None
        try:
            while True:
                ended = self._ended(self._postmaster)
                total = ended + sum(map(self._used, self._postmaster.children()))
                # If one has ended meanwhile, it may be counted twice, or not at all.
                if self._ended(self._postmaster) == ended:
                    return round(total, 3)
        except psutil.Error:
            return None

    @staticmethod
    def _ended(postmaster: psutil.Process) -> float:
        times = postmaster.cpu_times()
        return float(times.user + times.system + times.children_user + times.children_system)

    @staticmethod
    def _used(process: psutil.Process) -> float:
        try:
            times = process.cpu_times()
        except psutil.NoSuchProcess:
            return 0.0
        return float(times.user + times.system)
