"""What a live record is in Kafka: key, timestamp and headers.  Its value is left as it is."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import NamedTuple

from streams.ingest.eventtime import FIRST_POST_MS
from streams.posts import Deleted, Post, Unreadable, decode


class Record(NamedTuple):
    """`timestamp` in ms; `by` decides the partition, as Kafka would: the key where there is one."""

    timestamp: int
    key: bytes | None
    value: bytes
    headers: tuple[tuple[str, bytes], ...]

    @property
    def by(self) -> bytes:
        return self.value if self.key is None else self.key


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


class Recorder:
    """Keys are uids.  Timestamps are event time: the post's `created_at` where that is plausible
    (not before X's first post, not in the future), else the platform's time of the item, else that
    of the post before, else now.  So a post from the year 9999 is a dead letter, as it should be.
    """

    def __init__(self, platform: str | None, now: Callable[[], int] = _now_ms) -> None:
        self._platform = platform
        self._headers = () if platform is None else (("platform", platform.encode()),)
        self._now = now
        self._last: int | None = None

    def record(self, value: bytes, at: int | None) -> Record:
        """`at` as in `Item`."""
        now = self._now()
        key: bytes | None = None
        stamp: int | None = None
        headers = self._headers
        try:
            found = decode(value, self._platform)
        except Unreadable:
            found = None
        if isinstance(found, Post | Deleted):
            key = found.uid.encode()
            headers = (("platform", found.platform.encode()),)
        if isinstance(found, Post) and FIRST_POST_MS <= found.created_at <= now:
            stamp = self._last = found.created_at
        elif at is not None and FIRST_POST_MS <= at <= now:
            stamp = at
        return Record(stamp or self._last or now, key, value, headers)
