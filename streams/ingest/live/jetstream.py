"""Bluesky's Jetstream: events of repositories over a web socket.

https://github.com/bluesky-social/jetstream.  A cursor is a time (`time_us`), so it is good for
every instance; Jetstream keeps a day or more of events and goes on from there.  Whatever
`wantedCollections` says, events of identities and accounts come along: records like others.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Final

import aiohttp
import msgspec
import zstandard

from streams.config import JetstreamSettings
from streams.errors import UserError
from streams.ingest.live.http import failure
from streams.ingest.live.source import Cursor, Disconnected, Item, Kind, Observer

# us, before the cursor: instances stamp the same event at different times, and the project's own
# advice is "a few seconds".  What comes twice is dropped by uid.
_REWIND_US: Final = 5_000_000
_LATE_US: Final = 60_000_000  # the first event is so much later than was asked for: a gap
_LARGEST: Final = 10 << 20  # bytes of an event, as Jetstream's own limit for messages to it


class _Event(msgspec.Struct, gc=False):
    time_us: int = 0


_event: Final = msgspec.json.Decoder(_Event).decode


class JetstreamSource:
    """Events of the wanted collections, from the instances in turn."""

    platform = "bluesky"

    def __init__(
        self, settings: JetstreamSettings, http: aiohttp.ClientSession, observer: Observer
    ) -> None:
        self.name = "jetstream:" + ",".join(sorted(settings.collections))
        self._settings = settings
        self._http = http
        self._observer = observer
        self._turn = 0
        self._zstd = _dictionary(settings.dictionary)

    async def read(self, cursor: Cursor | None) -> AsyncGenerator[Item, None]:
        """As `Source.read`."""
        newest = 0 if cursor is None else int(cursor["time_us"])
        url = self._settings.urls[self._turn % len(self._settings.urls)]
        self._turn += 1  # the next connection is to the next one
        params = [("wantedCollections", name) for name in self._settings.collections]
        if newest:
            params.append(("cursor", str(newest - _REWIND_US)))
        if self._zstd is not None:
            params.append(("compress", "true"))
        try:
            socket = await self._http.ws_connect(
                url,
                params=params,
                # Pings: nobody answers them on a half-open connection.
                heartbeat=self._settings.timeout,
                compress=0 if self._zstd is not None else 15,
                max_msg_size=_LARGEST,
            )
        except aiohttp.WSServerHandshakeError as error:
            raise failure(error.status, error.headers, f"{url}: {error.message}") from error
        async with socket:
            self._observer.connected(True)
            asked = newest
            async for message in socket:
                value = self._value(message)
                time_us = _time_us(value)
                if asked and time_us:
                    if time_us - asked > _LATE_US:
                        self._observer.gap(
                            f"Jetstream begins {(time_us - asked) / 1e6:.0f} s after the cursor"
                        )
                    asked = 0
                newest = max(newest, time_us)
                yield Item(value, {"time_us": newest} if newest else None, time_us // 1000 or None)
        kind: Kind = (
            "network" if socket.close_code == aiohttp.WSCloseCode.ABNORMAL_CLOSURE else "end"
        )
        raise Disconnected(kind, f"{url} closed the connection (code {socket.close_code})")

    def _value(self, message: aiohttp.WSMessage) -> bytes:
        if message.type is aiohttp.WSMsgType.TEXT:
            text: str = message.data
            return text.encode()
        if message.type is aiohttp.WSMsgType.BINARY and self._zstd is not None:
            try:
                return self._zstd.decompressobj().decompress(message.data)
            except zstandard.ZstdError as error:
                raise UserError(
                    f"Jetstream's events cannot be decompressed ({error}): is "
                    "ingest.jetstream.dictionary the one of this Jetstream?"
                ) from error
        if message.type is aiohttp.WSMsgType.ERROR:
            if isinstance(message.data, TimeoutError):
                raise Disconnected("silent", "no answer to a ping")
            raise Disconnected("network", str(message.data))
        raise Disconnected("http", f"a message of an unexpected type: {message.type.name}")


def _time_us(value: bytes) -> int:
    """0 where the event cannot be read: it is passed on, and will be a dead letter."""
    try:
        return _event(value).time_us
    except msgspec.DecodeError:
        return 0


def _dictionary(path: Path | None) -> zstandard.ZstdDecompressor | None:
    if path is None:
        return None
    try:
        content = path.read_bytes()
    except OSError as error:
        raise UserError(f"ingest.jetstream.dictionary: {path}: {error.strerror}") from error
    return zstandard.ZstdDecompressor(dict_data=zstandard.ZstdCompressionDict(content))
