"""Draws the pictures of the documentation, from real stars, into a folder.

    python examples/reading/pictures.py docs/pictures

Needs no server: a private PostgreSQL comes along, and goes in the end.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import asyncpg

from astra_outputs import embedded
from astra_outputs.blocking import open as open_outputs
from astra_outputs.postgres import sql_files

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "irfm"))
from irfm import IRFM, Star, infer
from products import by_the_fit
from stars import read_stars

DPI = 100


async def make_tables(dsn: str) -> None:
    """Make the tables of the package, and the pipeline's own."""
    connection = await asyncpg.connect(dsn)
    await sql_files.apply(connection, "astra", extra=[sql_files.sql_file(IRFM)])
    await connection.close()


def draw(dsn: str, folder: Path) -> None:
    """Store the stars and two versions of their results, and draw."""
    stars = read_stars()
    with open_outputs(dsn) as outputs:
        outputs.save_many({star.source.sdss4_apogee_id: star.source for star in stars}.values())
        for star in stars:
            star.spectrum.source_pk = star.source.pk
        outputs.save_many(star.spectrum for star in stars)
        work = [
            Star(s.spectrum, s.source, s.published.logg, s.published.m_h, s.published.e_m_h, s.a_k)
            for s in stars
        ]
        outputs.run(infer, work, v_astra="0.9.0").wait()
        outputs.run(infer, list(by_the_fit(stars)), v_astra="0.10.0").wait()
        pictures = {
            "kiel": outputs.plot(IRFM, "kiel", v_astra="0.9"),
            "sky": outputs.plot(IRFM, "sky", v_astra="0.9"),
            "compare": outputs.compare(IRFM, "0.9", "0.10", "flag_giant_relation").plot(),
        }
    for name, picture in pictures.items():
        (folder / f"{name}.png").write_bytes(picture.png(DPI))


def main() -> None:
    """Read the command line and draw."""
    if len(sys.argv) != 2:
        sys.exit(f"usage: {sys.argv[0]} FOLDER")
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    with embedded.server() as server:
        asyncio.run(make_tables(server.dsn))
        draw(server.dsn, folder)


if __name__ == "__main__":
    main()
