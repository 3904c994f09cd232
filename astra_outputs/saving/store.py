"""`Store`: what everything below `Outputs` needs of one database schema."""

from __future__ import annotations

from astra_outputs.postgres import replica
from astra_outputs.postgres.database import Connection, Database
from astra_outputs.saving.gate import Gate
from astra_outputs.saving.reruns import Reruns


class Store:
    """One database schema: its connections, the gate before it, and what is known of its re-runs.

    Attributes
    ----------
    database : Database
        Connections, and what to do when one fails.
    gate : Gate
        Refuses record classes whose table is otherwise.
    reruns : Reruns
        What became of the last batch of each table.
    reading : Database
        Where questions go that need not see what was stored a moment ago: another server, or `database`.
    """

    def __init__(self, database: Database, gate: Gate | None = None, reading: Database | None = None) -> None:
        self.database, self.gate, self.reruns = database, gate or Gate(database), Reruns()
        self.reading = reading or database

    def inside(self, connection: Connection) -> Store:
        """Return the same schema on one connection, for work inside the transaction that is open there."""
        return Store(Database(connection=connection, schema=self.schema), self.gate)

    @property
    def schema(self) -> str:
        """The database schema that holds the tables."""
        return self.database.schema

    async def open(self) -> None:
        """Connect, and refuse a database without the schema.

        Raises
        ------
        CannotConnect
            If no server answers, or it does not let this user in; or if what is read from is another database.
        SchemaMismatch
            If the schema does not exist.
        """
        await self.database.open()
        try:
            await self.gate.open()
            if self.reading is not self.database:
                await self.reading.open()
                await replica.check(self.database, self.reading)
        except BaseException:
            await self.close()
            raise

    async def close(self) -> None:
        """Give the connections back to the server."""
        await self.database.close()
        if self.reading is not self.database:
            await self.reading.close()
