"""A spool into which others put files, while real processes empty it: nothing runs, nothing is lost, nobody waits."""

from __future__ import annotations

import asyncio
import json
import os
import random
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import asyncpg
import ledger
import pytest
from witness import result

from astra_outputs.spool.file_format import encode, packed
from astra_outputs.spool.folder import Spool

pytestmark = pytest.mark.slow

TESTS = Path(__file__).parents[1]
VERSION = 8001


class Attacker:
    """Puts files into a spool that no worker wrote, or that a worker did not write so."""

    def __init__(self, folder: Path, seed: int) -> None:
        self.folder, self.random, self.planted = folder, random.Random(seed), 0
        self.marker = folder.parent / "code-ran"
        module = folder.parent / "planted_module.py"
        module.write_text(f"open({str(self.marker)!r}, 'w').close()\n")
        self.module = str(module)

    def header(self, **changes: object) -> bytes:
        columns = {"spectrum_pk": "bigint", "source_pk": "bigint", "v_astra": "integer"}
        said = {"record_class": f"{self.module}:X", "table": "planted", "since": str(datetime.now(UTC))}
        return json.dumps(said | {"records": 1, "columns": columns} | changes).encode()

    def attack(self, good: bytes) -> None:
        """Plant one file, of a kind that is drawn."""
        flipped = bytearray(good)
        flipped[self.random.randrange(len(good))] ^= 1 << self.random.randrange(8)
        kinds = {
            "code": packed([self.header(), b"[1,null,8001]"]),
            "no such table": packed([self.header(table="no_such_table"), b"[1,null,8001]"]),
            "short line": packed([self.header(table="the_cannon"), b"[1]"]),
            "deep": packed([self.header(table="the_cannon"), b"[" * 100_000]),
            "no JSON": packed([b"{", b"}"]),
            "cut": good[: self.random.randrange(len(good))],
            "flipped": bytes(flipped),
            "empty": b"",
            "odd key": packed([self.header(table="the_cannon"), b'["x",null,8001]']),
        }
        kind = self.random.choice([*kinds, "folder", "open to others", "link"])
        self.planted += 1
        day = self.random.randrange(1, 28)
        path = (
            self.folder / f"2026{self.random.randrange(1, 13):02d}{day:02d}T000000-{self.planted:06d}-x.spool"
        )
        if kind == "folder":
            path.mkdir()
        elif kind == "link":
            path.symlink_to("/proc/self/mem")
        else:
            path.write_bytes(good if kind == "open to others" else kinds[kind])
            path.chmod(0o666 if kind == "open to others" else 0o600)


def start(dsn: str, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "astra_outputs", *arguments],
        cwd=TESTS,
        env=os.environ | {"ASTRA_OUTPUTS_DSN": dsn},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


async def stored(dsn: str) -> list[int]:
    connection = await asyncpg.connect(dsn)
    try:
        rows = await connection.fetch("select spectrum_pk from astra.the_cannon order by 1")
        return [row[0] for row in rows]
    finally:
        await connection.close()


def test_a_spool_under_attack_runs_no_code_loses_no_result_and_blocks_nobody(
    killable, seed, full_size, tmp_path
):
    dsn, count = killable.database(), 2_000 if full_size else 300
    keys = ledger.add_spectra(dsn, count)
    spool, begin = Spool(tmp_path / "spool"), datetime.now(UTC)
    spool.folder.mkdir(mode=0o700)
    attacker, draw = Attacker(spool.folder, seed), random.Random(seed)
    left = list(keys)[: count // 2]
    while left:
        batch = [left.pop() for _ in range(min(len(left), draw.randrange(1, 20)))]
        records = [result(SimpleNamespace(spectrum_pk=key, source_pk=None), VERSION, 1) for key in batch]
        since = begin + timedelta(microseconds=len(left))
        spool.write(records, since)
        for _ in range(draw.randrange(3)):
            attacker.attack(encode(records, since).content)
    run = ("run", "worker_pipelines:teff_is_key", "--spectra", "ApogeeCoaddedSpectrumInApStar")
    processes = [
        *(start(dsn, "replay", str(spool.folder)) for _ in range(2)),
        start(dsn, *run, "--v-astra", "0.8.1", "--spool", str(spool.folder)),
    ]
    said = [process.communicate(timeout=300)[0] for process in processes]
    assert not attacker.marker.exists()
    assert asyncio.run(stored(dsn)) == list(keys), said
    assert [process.returncode for process in processes] == [1, 1, 1], said
    assert "Traceback" not in "".join(said)
    again = start(dsn, "replay", str(spool.folder))
    out = again.communicate(timeout=300)[0]
    assert again.returncode == 1
    assert "0 files stored" in out
