"""See what a result was before it was replaced; the schema keeps it where schema/add-ons/history.sql was applied."""

import asyncio

import astra_outputs
from astra_outputs import TheCannon
from astra_outputs.errors import SchemaMismatch


async def main() -> None:
    """Print the changes of one result, the latest first."""
    async with astra_outputs.connect(schema="astra") as outputs:
        (result,) = await outputs.find(TheCannon, v_astra="0.9", limit=1)
        try:
            for change in await outputs.history(result):
                print(change.time, change.user, change.changed)
        except SchemaMismatch as error:
            print(error)


if __name__ == "__main__":
    asyncio.run(main())
