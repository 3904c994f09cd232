"""A TCP proxy between the driver and PostgreSQL that cuts the connection where a test says."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from urllib.parse import parse_qs, urlsplit

Cut = Callable[[bytes], bool]
"""Given what a client or the server sends, tells whether the connection is cut there."""


class Proxy:
    """Passes bytes on until told to cut.

    Attributes
    ----------
    cut_before_server_hears : Callable or None
        If it says so of what the client sends, the connection is cut and the server never gets it.
    cut_before_client_hears : Callable or None
        If it says so of what the server answers, the connection is cut: the server has done what it
        was asked, and the client does not know.
    connections, cuts : int
        Connections opened and cut so far.
    """

    def __init__(self, dsn: str) -> None:
        self._dsn = dsn
        self.cut_before_server_hears: Cut | None = None
        self.cut_before_client_hears: Cut | None = None
        self.connections = 0
        self.cuts = 0
        self._down = False
        self._flowing = asyncio.Event()
        self._flowing.set()
        self._open: set[asyncio.StreamWriter] = set()
        self._serving: set[asyncio.Task[None]] = set()
        self._ends: list[asyncio.StreamWriter] = []
        self._server: asyncio.Server | None = None

    @property
    def dsn(self) -> str:
        """Where the proxy listens."""
        assert self._server is not None
        port = self._server.sockets[0].getsockname()[1]
        parts = urlsplit(self._dsn)
        user = f"{parts.username}@" if parts.username else ""
        return f"postgresql://{user}127.0.0.1:{port}{parts.path}?sslmode=disable"

    async def start(self) -> None:
        """Listen."""
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)

    async def stop(self) -> None:
        """Close every connection, one that is being made as well, and listen no more."""
        assert self._server is not None
        self._server.close()
        self._flowing.set()
        self.cut()
        for _ in range(20):  # turns of the loop, until one that was taken is served
            await asyncio.sleep(0)
        for task in self._serving:
            task.cancel()
        await asyncio.gather(*self._serving, return_exceptions=True)
        for end in self._ends:  # one that is closed already may have something left to say, to nobody
            end.transport.abort()
        await asyncio.sleep(0)
        await self._server.wait_closed()

    def take_down(self) -> None:
        """Close every connection, and each new one as soon as it is made, until `bring_back`."""
        self._down = True
        self.cut()

    def bring_back(self) -> None:
        """Pass everything on again."""
        self._down = False

    def swallow(self) -> None:
        """Pass nothing on from now on, and close nothing: as a network does that drops packets."""
        self._flowing.clear()

    def flow(self) -> None:
        """Pass everything on again, to those connections as well that waited."""
        self._flowing.set()

    def cut(self) -> None:
        """Close every connection."""
        self.cuts += bool(self._open)
        for writer in list(self._open):
            writer.transport.abort()
        self._open.clear()

    async def _connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        parts = urlsplit(self._dsn)
        options = {name: values[0] for name, values in parse_qs(parts.query).items()}
        host, port = parts.hostname or options.get("host"), parts.port or options.get("port", "5432")
        if host is None or host.startswith("/"):
            return await asyncio.open_unix_connection(f"{host or '/tmp'}/.s.PGSQL.{port}")
        return await asyncio.open_connection(host, int(port))

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        if self._down:
            writer.transport.abort()
            return
        self._ends.append(writer)
        task = asyncio.ensure_future(self._serve(reader, writer))
        self._serving.add(task)
        task.add_done_callback(self._serving.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError, asyncio.CancelledError):  # the loop ends while it waits
            from_server, to_server = await self._connect()
            self._ends.append(to_server)
            self._open |= {writer, to_server}
            directions = [
                asyncio.ensure_future(self._pass(reader, to_server, self._client_said)),
                asyncio.ensure_future(self._pass(from_server, writer, self._server_said)),
            ]
            try:
                await asyncio.wait(directions, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for direction in directions:
                    direction.cancel()
                for end in (writer, to_server):
                    self._open.discard(end)
                    end.close()

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, said: Cut) -> None:
        with suppress(OSError):
            while content := await reader.read(65536):
                await self._flowing.wait()
                if said(content):
                    self.cut()
                    return
                writer.write(content)
                await writer.drain()

    def _client_said(self, content: bytes) -> bool:
        return self.cut_before_server_hears is not None and self.cut_before_server_hears(content)

    def _server_said(self, content: bytes) -> bool:
        return self.cut_before_client_hears is not None and self.cut_before_client_hears(content)


async def until(condition: Callable[[], bool]) -> None:
    """Wait for something that nobody announces."""
    async with asyncio.timeout(40):
        while not condition():  # noqa: ASYNC110
            await asyncio.sleep(0.01)


@asynccontextmanager
async def proxied(dsn: str) -> AsyncIterator[Proxy]:
    """Run a proxy in front of a server."""
    proxy = Proxy(dsn)
    await proxy.start()
    try:
        yield proxy
    finally:
        await proxy.stop()
