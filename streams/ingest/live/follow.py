"""Keeps a source connected, and goes on where the last connection ended."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from typing import Final

import aiohttp

from streams.ingest.live.backoff import Backoff
from streams.ingest.live.metrics import IngestObserver
from streams.ingest.live.source import Cursor, Disconnected, Ended, Item, Source

#: What a connection that is over raises, beside `Disconnected`.
_CUT: Final = (aiohttp.ClientError, OSError, asyncio.IncompleteReadError)


async def follow(
    source: Source,
    cursor: Cursor | None,
    queue: asyncio.Queue[Item],
    observer: IngestObserver,
    backoff: Backoff,
) -> None:
    """Put the source's items into the queue; return when the source has no more.

    A full queue is waited for, and so is the source: a platform that does not like that cuts the
    connection, and the next one goes on from the cursor.  Raises `UserError`.
    """
    while True:
        try:
            async with aclosing(source.read(cursor)) as items:
                async for item in items:
                    backoff.succeeded()
                    if item.value is not None:
                        observer.received()
                    await queue.put(item)
                    cursor = item.cursor or cursor
            ended = Disconnected("end", "the other side closed the connection")
        except Ended:
            return
        except Disconnected as error:
            ended = error
        except TimeoutError as error:
            ended = Disconnected("silent", str(error) or "nothing came, not even a heartbeat")
        except _CUT as error:
            ended = Disconnected("network", str(error) or type(error).__name__)
        finally:
            observer.connected(False)
        seconds = backoff.wait(ended.kind, ended.retry_after)
        observer.reconnecting(ended.kind, str(ended), seconds)
        if ended.kind == "rate":
            observer.rate_limited(seconds)
        await asyncio.sleep(seconds)
