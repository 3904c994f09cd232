"""Store what workers left on their disk while the database was away."""

import asyncio
import tempfile

import astra_outputs


async def main() -> None:
    """Replay a spool, here an empty one; it may be done again at will."""
    async with astra_outputs.connect(schema="astra") as outputs:
        with tempfile.TemporaryDirectory() as spool:
            print(await outputs.replay(spool))


if __name__ == "__main__":
    asyncio.run(main())
