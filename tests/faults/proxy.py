"""A TCP proxy that can be cut, stalled, slowed down, and leave connections half-open."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine
from contextlib import suppress
from typing import Any, Final, Self

from streams.embedded import LOCALHOST, free_port

_CHUNK: Final = 65_536


class _Link:
    """One connection through the proxy; `frozen`: nothing passes any more, and nobody is told."""

    def __init__(self, near: asyncio.StreamWriter, far: asyncio.StreamWriter) -> None:
        self.frozen = False
        self._writers = (near, far)

    def reset(self) -> None:
        for writer in self._writers:
            writer.transport.abort()


class Proxy:
    """Forwards a port of its own to `target`; its loop runs in a thread."""

    def __init__(self, target: int) -> None:
        self.port = free_port()
        self.delay = 0.0  # seconds that each answer is held back
        self._target = target
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._links: set[_Link] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._refusing = False
        self._flowing: asyncio.Event | None = None
        self._server: asyncio.Server | None = None

    def __enter__(self) -> Self:
        self._thread.start()
        self._call(self._start())
        return self

    def __exit__(self, *_: object) -> None:
        self._call(self._stop())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)
        self._loop.close()

    def cut(self) -> None:
        """Reset every connection and refuse new ones, until `heal`."""
        self._refusing = True
        self._call(self._each(_Link.reset))

    def reset(self) -> None:
        """Reset every connection once; new ones pass."""
        self._call(self._each(_Link.reset))

    def stall(self) -> None:
        """Hold every byte back, in both directions, until `heal` lets them go on."""
        self._call(self._hold(True))

    def half_open(self) -> None:
        """Connections that are open now stay open and carry nothing, for ever; new ones pass."""
        self._call(self._each(_freeze))

    def heal(self) -> None:
        """As it was, but for what `half_open` froze."""
        self._refusing = False
        self._call(self._hold(False))

    def _call(self, work: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result(10)

    async def _each(self, change: Any) -> None:
        for link in list(self._links):
            change(link)

    async def _hold(self, held: bool) -> None:
        assert self._flowing is not None
        (self._flowing.clear if held else self._flowing.set)()

    async def _start(self) -> None:
        self._flowing = asyncio.Event()
        self._flowing.set()
        self._server = await asyncio.start_server(self._accept, LOCALHOST, self.port)

    async def _stop(self) -> None:
        if self._server is not None:
            self._server.close()
        for link in self._links:
            link.reset()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._refusing:
            writer.transport.abort()
            return
        try:
            far_reader, far_writer = await asyncio.open_connection(LOCALHOST, self._target)
        except OSError:
            writer.transport.abort()
            return
        link = _Link(writer, far_writer)
        self._links.add(link)
        pumps = [
            asyncio.ensure_future(self._pump(link, reader, far_writer)),
            asyncio.ensure_future(self._pump(link, far_reader, writer, answers=True)),
        ]
        self._tasks.update(pumps)
        try:
            await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
            if not link.frozen:
                link.reset()
            await asyncio.gather(*pumps, return_exceptions=True)
        finally:
            self._tasks.difference_update(pumps)
            self._links.discard(link)
            link.reset()

    async def _pump(
        self,
        link: _Link,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        *,
        answers: bool = False,
    ) -> None:
        assert self._flowing is not None
        with suppress(OSError):
            while data := await reader.read(_CHUNK):
                if answers and self.delay:
                    await asyncio.sleep(self.delay)
                await self._flowing.wait()
                if link.frozen:
                    continue  # swallowed: neither end learns of it
                writer.write(data)
                await writer.drain()


def _freeze(link: _Link) -> None:
    link.frozen = True
