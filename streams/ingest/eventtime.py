"""Event time: which timestamp a record gets, and when it is due."""

from __future__ import annotations

import time
from typing import Final

from streams.posts import Deleted, Post, Unreadable, decode

FIRST_POST_MS: Final = 1142899200000  # 2006-03-21T00:00:00Z, the day of the first post on X
_TICK: Final = 0.05  # s: what is due earlier than this is sent at once
_PATIENCE: Final = 10_000  # records held back until one has a plausible time


class Timestamps:
    """Gives every line its key and its record's timestamp."""

    def __init__(self) -> None:
        self._last: int | None = None
        self._held: list[tuple[bytes | None, bytes]] = []  # before the first plausible time
        self._now = time.time_ns() // 1_000_000

    def next(self, line: bytes) -> list[tuple[int, bytes | None, bytes]]:
        key: bytes | None = None
        try:
            post = decode(line)
        except Unreadable:
            post = None
        if isinstance(post, Post | Deleted):
            key = post.uid.encode()
        if isinstance(post, Post) and self._plausible(post.created_at):
            self._last = post.created_at
        if self._last is None:
            self._held.append((key, line))
            return self.rest() if len(self._held) >= _PATIENCE else []
        stamp = self._last
        if self._held:
            return [*self.rest(), (stamp, key, line)]
        return [(stamp, key, line)]

    def rest(self) -> list[tuple[int, bytes | None, bytes]]:
        """What is held back: at the first plausible time, or now where none came."""
        stamp = self._now if self._last is None else self._last
        held, self._held = self._held, []
        return [(stamp, key, line) for key, line in held]

    def _plausible(self, created_at: int) -> bool:
        if created_at > self._now:
            self._now = time.time_ns() // 1_000_000
        return FIRST_POST_MS <= created_at <= self._now


class Pace:
    """When a record is due, seconds from now; nothing is ever due earlier than what came before."""

    def __init__(self, speed: float | None) -> None:
        self._speed = speed
        self._first: int | None = None
        self._started = 0.0

    def due(self, stamp: int) -> float:
        if self._speed is None:
            return 0.0
        now = time.monotonic()
        if self._first is None:
            self._first, self._started = stamp, now
        wait = self._started + (stamp - self._first) / 1000 / self._speed - now
        return wait if wait > _TICK else 0.0
