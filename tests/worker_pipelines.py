"""Pipelines that the tests of the worker run in other processes, which import them from here."""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import signal
import sys
import time
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from astra_outputs import TheCannon


def teff_is_key(spectra: Any) -> Iterator[TheCannon]:
    """Give each spectrum its key for a temperature."""
    for spectrum in spectra:
        yield TheCannon.from_spectrum(spectrum, teff=float(spectrum.spectrum_pk))


async def teff_is_key_async(spectra: Any) -> AsyncIterator[TheCannon]:
    """Do the same, asynchronously."""
    async for spectrum in spectra:
        yield TheCannon.from_spectrum(spectrum, teff=float(spectrum.spectrum_pk))


def process_as_tag(spectra: Any) -> Iterator[TheCannon]:
    """Say in which process a result was made."""
    for spectrum in spectra:
        yield TheCannon.from_spectrum(spectrum, tag=str(os.getpid()))


def fails_on_every_third(spectra: Any) -> Iterator[TheCannon]:
    """Raise on each spectrum whose key is a multiple of three."""
    for spectrum in spectra:
        if spectrum.spectrum_pk % 3 == 0:
            raise ArithmeticError(f"no fit for {spectrum.spectrum_pk}")
        yield TheCannon.from_spectrum(spectrum)


def dies_on_every_third(spectra: Any) -> Iterator[TheCannon]:
    """End the whole process on each spectrum whose key is a multiple of three."""
    for spectrum in spectra:
        if spectrum.spectrum_pk % 3 == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        yield TheCannon.from_spectrum(spectrum)


def yields_what_cannot_be_sent(spectra: Any) -> Iterator[Any]:
    """Yield something that cannot be pickled."""
    for _ in spectra:
        yield lambda: None


def hangs_after_three(spectra: Any) -> Iterator[TheCannon]:
    """Take for ever on the fourth spectrum."""
    for n, spectrum in enumerate(spectra):
        if n == 3:
            sys.stdout.write("hanging\n")
            sys.stdout.flush()
            time.sleep(600)
        yield TheCannon.from_spectrum(spectrum, teff=float(spectrum.spectrum_pk))


def says_nothing(spectra):
    """Yield results without an annotation that says so."""
    yield from teff_is_key(spectra)


def _result(spectrum: Any) -> TheCannon:
    return TheCannon.from_spectrum(spectrum, teff=float(spectrum.spectrum_pk), tag=str(os.getpid()))


def in_threads(spectra: Any) -> Iterator[TheCannon]:
    """Make each result in a thread of the pipeline's own."""
    with ThreadPoolExecutor(2) as pool:
        yield from pool.map(_result, spectra)


async def in_an_executor(spectra: Any) -> AsyncIterator[TheCannon]:
    """Do the same, out of a coroutine."""
    loop = asyncio.get_running_loop()
    async for spectrum in spectra:
        yield await loop.run_in_executor(None, _result, spectrum)


def _in_a_pool(spectra: Any, how: str) -> Iterator[TheCannon]:
    with multiprocessing.get_context(how).Pool(2) as pool:
        yield from pool.map(_result, list(spectra))


def in_forked_processes(spectra: Any) -> Iterator[TheCannon]:
    """Make each result in a process of the pipeline's own."""
    yield from _in_a_pool(spectra, "fork")


def in_spawned_processes(spectra: Any) -> Iterator[TheCannon]:
    """Do the same, in processes that begin from nothing."""
    yield from _in_a_pool(spectra, "spawn")


def in_processes_that_change(spectra: Any) -> Iterator[TheCannon]:
    """Do the same, in processes that are replaced after two results.

    Not forked: a fork beside threads, of which a pool that replaces processes has some, may hang in any program.
    """
    with multiprocessing.get_context("spawn").Pool(1, maxtasksperchild=2) as pool:
        yield from pool.map(_result, list(spectra), chunksize=1)


def hangs_beside_a_pool(spectra: Any) -> Iterator[TheCannon]:
    """Start a process, say its number, and take for ever."""
    pool = multiprocessing.get_context("fork").Pool(1)
    for spectrum in spectra:
        yield TheCannon.from_spectrum(spectrum, tag=str(pool.apply(os.getpid)))
        time.sleep(600)
