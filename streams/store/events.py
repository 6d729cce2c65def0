"""Events in Redis: written once, however many exporters find them; read in the order of writing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib.resources import files
from typing import Any, Final, NamedTuple

import msgspec
import orjson

from streams.events import ONCE, Event, Guard, Watched
from streams.keys import US, EventKeys, GenerationKeys, Layout
from streams.retention import CAMPAIGN_KEEP_MS
from streams.store.commands import Command
from streams.store.reads import Reader

_pack: Final = msgspec.msgpack.Encoder().encode
#: Events that the stream keeps at least.
LENGTH: Final = 10_000
# Nothing older is found again: the buckets that events follow from are gone by then.
_FORGET_MS: Final = CAMPAIGN_KEEP_MS + 3_600_000


class Written(NamedTuple):
    """An event as the stream has it; `cursor` is its place in it."""

    cursor: str
    document: dict[str, Any]


class EventStore:
    """The events of one installation.  Errors of redis-py are the caller's."""

    def __init__(self, redis: Any, layout: Layout) -> None:
        self._redis = redis
        self._keys: EventKeys = layout.events
        script = (files("streams.store") / "lua" / "events.lua").read_text()
        self._write = redis.register_script(script)

    async def watched(self, campaign: str) -> tuple[Watched, str]:
        """How far the thresholds of a campaign were followed, and the same as stored."""
        stored = await self._redis.hget(self._keys.states, campaign)
        return _parse(stored or b""), (stored or b"").decode()

    async def write(
        self, campaign: str, expect: str, watched: Watched, events: Sequence[Event]
    ) -> int | None:
        """Write the events that are new, and how far the thresholds were followed.

        `expect` is what `watched` gave beside the state.  How many were new; None, and nothing is
        written, where another exporter was first.
        """
        fresh = await self._unknown(events)
        state = _document(watched)
        if not fresh and state == expect:
            return 0
        request = {
            "campaign": campaign,
            "expect": expect,
            "state": state,
            "forget": (watched.minute or 0) * 1000 - _FORGET_MS,
            "length": LENGTH,
            "events": [
                [event.key, event.kind in ONCE, event.at, event.kind, _fields(event)]
                for event in fresh
            ],
        }
        keys = self._keys
        written = await self._write(
            keys=[keys.stream, keys.states, keys.once, keys.recent, keys.counts],
            args=[_pack(request)],
        )
        return None if written < 0 else int(written)

    async def _unknown(self, events: Sequence[Event]) -> list[Event]:
        """Most of what is found was found a minute ago, too: what is not yet written."""
        once = [event for event in events if event.kind in ONCE]
        other = [event for event in events if event.kind not in ONCE]
        known: list[Any] = []
        if once:
            known += await self._redis.hmget(self._keys.once, [event.key for event in once])
        if other:
            known += await self._redis.zmscore(self._keys.recent, [event.key for event in other])
        pairs = zip([*once, *other], known, strict=True)
        fresh = [event for event, stored in pairs if stored is None]
        return sorted(fresh, key=lambda event: event.at)

    async def reached(self) -> dict[tuple[str, str], int]:
        """When (ms) by campaign and milestone."""
        stored = await self._redis.hgetall(self._keys.once)
        parts = ((key.decode().split(":", 2), ms) for key, ms in stored.items())
        return {
            (campaign, name): int(ms) for (campaign, kind, name), ms in parts if kind == "milestone"
        }

    async def counts(self) -> dict[tuple[str, str], int]:
        """Events written by campaign and kind."""
        stored = await self._redis.hgetall(self._keys.counts)
        parts = ((field.decode().partition(US), n) for field, n in stored.items())
        return {(campaign, kind): int(n) for (campaign, _, kind), n in parts}

    async def newest(self, count: int, before: str | None = None) -> list[Written]:
        """The newest events (with `before`: those written before that cursor), newest first."""
        top = "+" if before is None else f"({before}"
        entries = await self._redis.xrevrange(self._keys.stream, max=top, count=count)
        return [_written(*entry) for entry in entries]

    async def after(self, cursor: str, count: int) -> list[Written]:
        """Events written after that cursor, in order."""
        entries = await self._redis.xrange(self._keys.stream, min=f"({cursor}", count=count)
        return [_written(*entry) for entry in entries]


def _fields(event: Event) -> list[str]:
    """Names and values, alternating, as XADD takes them."""
    values = {
        "id": event.id,
        "campaign": event.campaign,
        "kind": event.kind,
        "name": event.name,
        "at": str(event.at),
        "detail": orjson.dumps(event.detail).decode(),
    }
    return [part for item in values.items() for part in item]


def _written(cursor: bytes, fields: Mapping[bytes, bytes]) -> Written:
    document: dict[str, Any] = {
        name.decode(): value.decode(errors="replace") for name, value in fields.items()
    }
    document["at"] = int(document.get("at", 0))
    document["detail"] = orjson.loads(document.get("detail", "{}"))
    return Written(cursor.decode(), document)


def _document(watched: Watched) -> str:
    guards = {name: [armed, since] for name, (armed, since) in sorted(watched.guards.items())}
    return orjson.dumps({"minute": watched.minute, "guards": guards}).decode()


def _parse(stored: bytes) -> Watched:
    if not stored:
        return Watched()
    document = orjson.loads(stored)
    guards = {name: Guard(armed, since) for name, (armed, since) in document["guards"].items()}
    return Watched(document["minute"], guards)


async def amplified(reader: Reader, hours: Sequence[int]) -> list[Event]:
    """Amplifiers' posts created in these hours (since 1970)."""

    def ask(_: str, keys: GenerationKeys) -> list[Command]:
        return [("hgetall", keys.amplified(hour)) for hour in hours]

    events = []
    for answer in await reader.read(ask):
        for fields in (fields for replies in answer.replies for fields in replies):
            for field, value in fields.items():
                campaign, _, uid = field.decode().partition(US)
                created, followers, kind = value.decode().split(US)
                detail: dict[str, float | str] = {"followers": int(followers), "kind": kind}
                events.append(Event(campaign, "amplifier", uid, int(created), detail))
    return events
