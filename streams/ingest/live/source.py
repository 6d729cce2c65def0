"""What a live source is, and how its connection may end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Mapping
from typing import Any, Final, Literal, NamedTuple, Protocol, TypeAlias

#: How far a source has been read; JSON, and only the source knows what it means.
Cursor: TypeAlias = Mapping[str, Any]

#: Why a connection ended: `network` (cut, refused, no such host), `silent` (no heartbeat),
#: `http` (a 5xx, or the platform closing it for reasons of its own), `rate` (a 429), `end` (the
#: other side finished in order).
Kind: TypeAlias = Literal["network", "silent", "http", "rate", "end"]
KINDS: Final[tuple[Kind, ...]] = ("network", "silent", "http", "rate", "end")


class Item(NamedTuple):
    """A record as the platform sent it, and the place behind it.

    An item without a value only moves the place: a heartbeat.  `at` is the platform's own time of
    the item in ms, where it has one.  `delivered` is resolved when the record is in Kafka.
    """

    value: bytes | None
    cursor: Cursor | None = None
    at: int | None = None
    delivered: asyncio.Future[None] | None = None


class Disconnected(Exception):
    """The connection is over, and worth making again.

    `retry_after` (s) is what the platform asks to wait; None leaves it to the back-off.
    """

    def __init__(self, kind: Kind, detail: str, retry_after: float | None = None) -> None:
        super().__init__(detail)
        self.kind = kind
        self.retry_after = retry_after


class Ended(Exception):
    """There is no more, and there will be none: standard input is closed."""


class Observer(Protocol):
    """What happens to a source, for metrics and log lines."""

    def connected(self, yes: bool) -> None: ...
    def gap(self, why: str) -> None:
        """Posts were missed that the source cannot send again."""

    def skipped(self, reason: str, why: str) -> None:
        """A record was left out on purpose."""

    def rate_limited(self, seconds: float) -> None: ...


class Source(Protocol):
    """One stream of one platform."""

    @property
    def name(self) -> str:
        """The same for the same stream, whoever reads it: its cursor is stored under it."""

    @property
    def platform(self) -> str | None:
        """The records' header `platform`; None where they may be of any."""

    def read(self, cursor: Cursor | None) -> AsyncGenerator[Item, None]:
        """Connect, and yield what comes behind `cursor` (None: from now on) until the end.

        At least once: what was not yielded is sent again for the cursor of what was.  Raises
        `Disconnected`, `Ended`, `UserError` (nothing that waiting mends), and what aiohttp raises.
        """
