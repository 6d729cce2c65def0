"""The sources by name."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Final

import aiohttp

from streams.config import Settings
from streams.errors import UsageError
from streams.ingest.live.file import FileSource
from streams.ingest.live.http import CONNECT_SECONDS
from streams.ingest.live.jetstream import JetstreamSource
from streams.ingest.live.mastodon import MastodonSource
from streams.ingest.live.metrics import IngestObserver
from streams.ingest.live.source import Source

#: By name on the command line.
_REMOTE: Final[dict[str, Callable[[Settings, aiohttp.ClientSession, IngestObserver], Source]]] = {
    "jetstream": lambda settings, http, observer: JetstreamSource(
        settings.ingest.jetstream, http, observer
    ),
    "mastodon": lambda settings, http, observer: MastodonSource(
        settings.ingest.mastodon, http, observer
    ),
}
NAMES: Final = (*_REMOTE, "file")


@asynccontextmanager
async def open_source(
    settings: Settings, name: str, target: str | None
) -> AsyncIterator[tuple[Source, IngestObserver]]:
    """The source and its observer.  Raises `UserError`."""
    observer = IngestObserver(name)
    if name == "file":
        if target is None:
            raise UsageError("file needs a path: streams ingest file PATH (- for standard input)")
        yield FileSource(target, settings.kafka.max_record_bytes, observer), observer
        return
    if target is not None:
        raise UsageError(f"{name} takes no path: only `streams ingest file PATH` does")
    if name not in _REMOTE:
        raise UsageError(f"no source {name!r}: take {', '.join(NAMES)}")
    # No limit for the whole: a connection is held for weeks.  Sources say how long one may be
    # silent.
    timeout = aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_SECONDS)
    async with aiohttp.ClientSession(timeout=timeout, trust_env=True) as http:
        yield _REMOTE[name](settings, http, observer), observer
