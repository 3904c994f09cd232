"""Runs what is marked `soak` again and again, each round with another seed: `make soak MINUTES=30`.

That is all tests of faults, and every campaign that has a full size.
"""

from __future__ import annotations

import argparse
import os
import random
import shlex
import subprocess
import sys
import time
from pathlib import Path

TESTS = Path(__file__).parents[1]


def main() -> int:
    """Run rounds until the time is over, or a test fails; returns the exit code."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--minutes", type=float, default=10.0, help="begin no round after so long")
    asked.add_argument("--seed", type=int, help="of the first round; the next ones count on")
    asked.add_argument("--rounds", type=int, help="at most so many")
    asked.add_argument("--share", action="store_true", help="campaigns as small as in `make test`")
    options = asked.parse_args()
    first = random.SystemRandom().randrange(10**6) if options.seed is None else options.seed
    begin, rounds = time.monotonic(), 0
    while time.monotonic() - begin < 60 * options.minutes and rounds != options.rounds:
        if not passes(first + rounds, full_size=not options.share):
            return 1
        rounds += 1
    print(f"{rounds} rounds passed, seeds {first} to {first + rounds - 1}")
    return 0


def passes(seed: int, *, full_size: bool) -> bool:
    """Run one round and print a line about it; of one that fails, all it said."""
    begin = time.monotonic()
    settings = {"ASTRA_OUTPUTS_SEED": str(seed)} | ({"ASTRA_OUTPUTS_SOAK": "1"} if full_size else {})
    words = ["-q", "-x", "-m", "soak", f"--hypothesis-seed={seed}", str(TESTS)]
    command = [sys.executable, "-m", "pytest", *words]
    done = subprocess.run(command, env=os.environ | settings, capture_output=True, text=True, check=False)
    lines = done.stdout.strip().splitlines()
    campaigns = [line.strip() for line in lines if " rows, " in line]
    print(
        f"seed {seed}: {lines[-1].strip('= ')} [{time.monotonic() - begin:.0f} s]", *campaigns, sep="\n    "
    )
    if done.returncode:
        again = " ".join(f"{name}={value}" for name, value in settings.items())
        print(
            done.stdout,
            done.stderr,
            f"repeat it with: {again} python -m pytest {shlex.join(words)}",
            sep="\n",
        )
    sys.stdout.flush()
    return done.returncode == 0


if __name__ == "__main__":
    raise SystemExit(main())
