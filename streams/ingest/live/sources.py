"""The sources by name."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from functools import partial
from typing import Final, NamedTuple, TypeAlias

import aiohttp
from aiokafka.errors import KafkaError

from streams.campaigns import Campaign, load
from streams.catalog import Catalog, CatalogReader
from streams.config import IngestSettings, Settings
from streams.errors import UsageError
from streams.ingest.live.facebook import FacebookSource
from streams.ingest.live.file import FileSource
from streams.ingest.live.http import CONNECT_SECONDS
from streams.ingest.live.jetstream import JetstreamSource
from streams.ingest.live.mastodon import MastodonSource
from streams.ingest.live.metrics import IngestObserver
from streams.ingest.live.source import Disconnected, Source
from streams.ingest.live.x import XSource
from streams.kafka import unreachable

_Campaigns: TypeAlias = Callable[[], Awaitable[Sequence[Campaign]]]


class _Parts(NamedTuple):
    """What sources are made of."""

    settings: IngestSettings
    http: aiohttp.ClientSession
    observer: IngestObserver
    campaigns: _Campaigns


#: By name on the command line.
_REMOTE: Final[dict[str, Callable[[_Parts], Source]]] = {
    "jetstream": lambda of: JetstreamSource(of.settings.jetstream, of.http, of.observer),
    "mastodon": lambda of: MastodonSource(of.settings.mastodon, of.http, of.observer),
    "facebook": lambda of: FacebookSource(of.settings.facebook, of.observer),
    "x": lambda of: XSource(of.settings.x, of.http, of.observer, of.campaigns),
}
NAMES: Final = (*_REMOTE, "file")


@asynccontextmanager
async def open_source(
    settings: Settings, name: str, target: str | None, *, kafka: bool
) -> AsyncIterator[tuple[Source, IngestObserver]]:
    """The source and its observer.  Without `kafka`, campaigns are those of files only.  Raises
    `UserError`."""
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
        parts = _Parts(settings.ingest, http, observer, partial(_campaigns, settings, kafka=kafka))
        yield _REMOTE[name](parts), observer


async def _campaigns(settings: Settings, *, kafka: bool) -> Sequence[Campaign]:
    """Those in force, as a worker would take them.  Raises `UserError`, `Disconnected`."""
    catalog = Catalog([load(name) for name in settings.campaigns])
    if kafka and settings.kafka.campaigns == "topic":
        reader = CatalogReader(settings.kafka, catalog)
        try:
            await reader.start()
        except (KafkaError, OSError, TimeoutError) as error:
            raise Disconnected("network", str(unreachable(settings.kafka, error))) from error
        finally:
            await reader.stop()
    return catalog.campaigns()
