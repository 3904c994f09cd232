"""The version that threads and processes begun inside a run, or a `using_version` block, have from it.

A context variable is seen by the tasks that are begun inside, and by no thread or process: those of a
pipeline's own `ThreadPoolExecutor` or `multiprocessing.Pool` look here. A variable of the environment
says it, since every process has that of the one that began it.
"""

from __future__ import annotations

import os
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from astra_outputs.errors import MissingVersion

VARIABLE = "_ASTRA_OUTPUTS_V_ASTRA_OF"
"""Holds the number of the process that said it, and the version, or several."""


class _Blocks:
    """The blocks that are open in this process."""

    def __init__(self) -> None:
        self.begin_anew()

    def begin_anew(self) -> None:
        """Forget the blocks of the process that this one was forked from; what it said of them stays."""
        self._lock = threading.Lock()
        self._versions: Counter[int] = Counter()
        self._given = os.environ.get(VARIABLE)

    def count(self, v_astra: int, more: int) -> None:
        """Take note of a block that is entered or left, and say so to threads and processes."""
        with self._lock:
            self._versions[v_astra] += more
            versions = sorted(+self._versions)
            if versions:
                os.environ[VARIABLE] = f"{os.getpid()}:{','.join(map(str, versions))}"
            elif self._given is not None:
                os.environ[VARIABLE] = self._given
            else:
                os.environ.pop(VARIABLE, None)


_blocks = _Blocks()
os.register_at_fork(after_in_child=_blocks.begin_anew)


@contextmanager
def inherited(v_astra: int) -> Iterator[None]:
    """Let threads and processes that begin inside the `with` block have this version."""
    _blocks.count(v_astra, 1)
    try:
        yield
    finally:
        _blocks.count(v_astra, -1)


def inherited_version() -> int | None:
    """Return the version of the run that this thread or process belongs to; None if it belongs to none.

    Raises
    ------
    MissingVersion
        If runs of several versions are at work, one of which it may belong to.
    """
    number, _, text = os.environ.get(VARIABLE, "").partition(":")
    if not text or (number == str(os.getpid()) and threading.current_thread() is threading.main_thread()):
        return None
    versions = {int(version) for version in text.split(",")}
    if len(versions) > 1:
        raise MissingVersion(
            "no v_astra: runs of several versions are at work, and a thread or process of a pipeline cannot "
            "tell which one it belongs to; pass v_astra= to from_spectrum there"
        )
    return versions.pop()
