"""`open`: every call of `Outputs` without `async`, for scripts and notebooks.

There is one implementation. A loop runs in a thread of its own; what stands here hands each call to it and
waits. The signatures are those of the calls themselves, so that editors and type checkers know them.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable, Iterator
from contextvars import copy_context
from functools import wraps
from types import TracebackType
from typing import Any, Concatenate, Generic, NoReturn, ParamSpec, Self, TypeVar

from astra_outputs.background import END, Background
from astra_outputs.errors import Misused
from astra_outputs.model.record import Record
from astra_outputs.reading.columns import Columns
from astra_outputs.repository import Outputs, connect
from astra_outputs.work import Run, RunReport

P = ParamSpec("P")
T = TypeVar("T")
R = TypeVar("R", bound=Record)


class Blocking:
    """Something whose calls are awaited in another thread.

    Parameters
    ----------
    inner : object
        What the calls are made to.
    background : Background
        The thread that awaits them.
    """

    def __init__(self, inner: Any, background: Background) -> None:
        self._inner, self._background = inner, background

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._inner!r})"


def awaited(method: Callable[Concatenate[Any, P], Awaitable[T]]) -> Callable[Concatenate[Blocking, P], T]:
    """Return an asynchronous method as one that waits."""

    @wraps(method)
    def call(self: Blocking, /, *arguments: P.args, **options: P.kwargs) -> T:
        async def there() -> T:
            # Called there, too: what it makes may belong to the loop.
            return await method(self._inner, *map(_unwrapped, arguments), **_all_unwrapped(options))

        return self._background.call(there())

    return call


def iterated(
    method: Callable[Concatenate[Any, P], AsyncIterator[T]],
) -> Callable[Concatenate[Blocking, P], BlockingIterator[T]]:
    """Return a method whose iterator is asynchronous as one whose iterator waits."""

    @wraps(method)
    def call(self: Blocking, /, *arguments: P.args, **options: P.kwargs) -> BlockingIterator[T]:
        return BlockingIterator(_made(self, method, arguments, options), self._background)

    return call


def _made(self: Blocking, method: Callable[..., T], arguments: tuple[Any, ...], options: dict[str, Any]) -> T:
    """Return what a plain method makes, made in the loop."""

    async def there() -> T:
        return method(self._inner, *map(_unwrapped, arguments), **_all_unwrapped(options))

    return self._background.call(there())


def _unwrapped(value: Any) -> Any:
    """Return what the loop can iterate over itself: it would wait for itself otherwise."""
    return value.asynchronous if isinstance(value, BlockingIterator) else value


def _all_unwrapped(options: dict[str, Any]) -> dict[str, Any]:
    return {name: _unwrapped(value) for name, value in options.items()}


class BlockingIterator(Iterator[T]):
    """Yields what an asynchronous iterator yields.

    Attributes
    ----------
    asynchronous : AsyncIterator
        That iterator. Where this one is given to another call, the call takes that one.
    """

    def __init__(self, asynchronous: AsyncIterable[T], background: Background) -> None:
        self.asynchronous, self._background = aiter(asynchronous), background
        self._context = copy_context()

    def __next__(self) -> T:
        item = self._background.call(self._step(lambda: anext(self.asynchronous, END)))
        if item is END:
            raise StopIteration
        found: T = item
        return found

    def close(self) -> None:
        """End it before its end."""
        close: Any = getattr(self.asynchronous, "aclose", None)
        if close is not None:
            self._background.call(self._step(close))

    async def _step(self, step: Callable[[], Awaitable[Any]]) -> Any:
        """Do one step in the context of those before it: what the iterator set there it may take back.

        It begins in the loop, too, which then closes an iterator that is forgotten.
        """

        async def there() -> Any:
            return await step()

        return await asyncio.get_running_loop().create_task(there(), context=self._context)


class BlockingRun(Blocking, Generic[R]):
    """A run of a pipeline: iterate over it for the records as they are stored, or `wait` for the report."""

    _inner: Run[R]

    def __iter__(self) -> BlockingIterator[R]:
        return BlockingIterator(self._inner, self._background)

    def wait(self) -> RunReport:
        """Run to the end, and return what became of the records."""

        async def there() -> RunReport:
            return await self._inner

        return self._background.call(there())

    @property
    def report(self) -> RunReport:
        """What has become of the records so far."""
        return self._inner.report

    def stop(self, grace: float | None = None) -> None:
        """Draw no more spectra, store what is finished, and end within so many seconds."""

        async def there() -> None:
            self._inner.stop(grace)

        self._background.call(there())


class BlockingColumns(Blocking):
    """What `outputs.columns` returns: `Columns`, whose methods wait."""

    _inner: Columns

    count = awaited(Columns.count)
    batches = iterated(Columns.batches)
    to_arrow = awaited(Columns.to_arrow)
    to_pandas = awaited(Columns.to_pandas)
    to_polars = awaited(Columns.to_polars)
    to_astropy = awaited(Columns.to_astropy)
    plot = awaited(Columns.plot)
    to_numpy = awaited(Columns.to_numpy)

    @property
    def names(self) -> tuple[str, ...]:
        """The columns."""
        return self._inner.names

    @property
    def schema(self) -> Any:
        """The `pyarrow.Schema` of the answer."""
        return self._inner.schema

    def __arrow_c_stream__(self, requested_schema: Any = None) -> Any:
        """Give the answer to any library that takes Arrow's streams."""
        return self._inner.__arrow_c_stream__(requested_schema)


def _columns(
    method: Callable[Concatenate[Any, P], Columns],
) -> Callable[Concatenate[Blocking, P], BlockingColumns]:
    @wraps(method)
    def call(self: Blocking, /, *arguments: P.args, **options: P.kwargs) -> BlockingColumns:
        return BlockingColumns(_made(self, method, arguments, options), self._background)

    return call


def _run(
    method: Callable[Concatenate[Any, P], Run[R]],
) -> Callable[Concatenate[Blocking, P], BlockingRun[R]]:
    @wraps(method)
    def call(self: Blocking, /, *arguments: P.args, **options: P.kwargs) -> BlockingRun[R]:
        return BlockingRun(_made(self, method, arguments, options), self._background)

    return call


class BlockingOutputs(Blocking):
    """The results in one database schema: `Outputs`, whose calls wait.

    Made by `open`, closed by `with` or `close`. Any thread may call, several at once, also where a loop
    runs (in Jupyter). An interrupt (Ctrl-C) cancels the call that waits.
    """

    _inner: Outputs

    save = awaited(Outputs.save)
    save_many = awaited(Outputs.save_many)
    save_table = awaited(Outputs.save_table)
    get_by_id = awaited(Outputs.get_by_id)
    get_result = awaited(Outputs.get_result)
    find = awaited(Outputs.find)
    stream = iterated(Outputs.stream)
    columns = _columns(Outputs.columns)
    plot = awaited(Outputs.plot)
    compare = awaited(Outputs.compare)
    report = awaited(Outputs.report)
    export = awaited(Outputs.export)
    verify = awaited(Outputs.verify)
    history = awaited(Outputs.history)
    pending = iterated(Outputs.pending)
    count_pending = awaited(Outputs.count_pending)
    run = _run(Outputs.run)
    replay = awaited(Outputs.replay)

    @property
    def schema(self) -> str:
        """The database schema that holds the tables."""
        return self._inner.schema

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    async def __aenter__(self) -> NoReturn:
        raise Misused("open(...) is for `with`; for `async with` there is astra_outputs.connect(...)")

    async def __aexit__(self, *_: object) -> None:
        """Is never reached."""

    def __await__(self) -> NoReturn:
        raise Misused(
            "open(...) is not awaited, it waits itself: `with astra_outputs.open(...) as outputs`; "
            "what is awaited is entered by `async with astra_outputs.connect(...) as outputs`"
        )

    def close(self) -> None:
        """Give the connections back to the server, and end the thread; may be repeated."""
        if self._background.open:
            try:
                self._background.call(self._inner.__aexit__(None, None, None))
            finally:
                self._background.close()


def open(  # noqa: A001 (as the file that is opened, it is used by `with`)
    dsn: str | None = None,
    *,
    schema: str = "astra",
    connections: int = 4,
    retry_for: float = 60.0,
    read_dsn: str | None = None,
    **options: Any,
) -> BlockingOutputs:
    """Return the results in one database schema, for scripts and notebooks: every call waits.

    Parameters
    ----------
    dsn, schema, connections, retry_for, read_dsn, **options
        As in `connect`.

    Raises
    ------
    InvalidName, CannotConnect, SchemaMismatch
        As in `connect`.

    Examples
    --------
    >>> with astra_outputs.open("postgresql://localhost/survey") as outputs:
    ...     frame = outputs.columns(TheCannon, "teff > $1", 5000, newest=True).to_pandas()
    """
    outputs = connect(
        dsn, schema=schema, connections=connections, retry_for=retry_for, read_dsn=read_dsn, **options
    )
    background = Background()
    try:
        background.call(outputs.__aenter__())
    except BaseException:
        background.close()
        raise
    return BlockingOutputs(outputs, background)
