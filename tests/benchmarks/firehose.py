"""A stream of posts in one platform's format, with a given share of a campaign's, and the truth.

The campaign's posts are those of the simulated day after its root post, the others are `neutral`.
The counts that must come out are added up from what was meant, by the simulation's own `Truth`;
no decoder and no classifier takes part.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final, NamedTuple

import msgspec

from streams.ingest.simulate import Scenario, Truth, load_scenario
from streams.ingest.simulate.day import Day
from streams.ingest.simulate.dice import Dice
from streams.ingest.simulate.draft import Draft
from streams.ingest.simulate.scenario import milliseconds
from streams.posts import PLATFORMS, Deleted, Post, decode
from tests.benchmarks.jetstream import jetstream
from tests.benchmarks.neutral import FIRST_SERIAL, Neutral
from tests.benchmarks.payloads import Render, compact_v2, full_v2, v1_1

#: Posts a second of event time: 12 million a day, what the seen-sets are made for.
RATE: Final = 139.0
DUPLICATES: Final = 0.01  # of the records: a post that was sent before, at most ...
_AGO: Final = 8_192  # ... so many posts ago


class Payload(NamedTuple):
    """A platform's format; `repost`, `reply`, `quote` are shares of its neutral posts."""

    name: str
    platform: str
    render: Render
    repost: float = 0.0
    reply: float = 0.2
    quote: float = 0.0
    places: bool = False  # whether it can say where a post was written

    @property
    def decodable(self) -> bool:
        """Whether `streams` has a decoder for it."""
        return self.platform in PLATFORMS


PAYLOADS: Final = {
    payload.name: payload
    for payload in (
        Payload("compact-v2", "x", compact_v2, quote=0.05),
        Payload("full-v2", "x", full_v2, repost=0.5, reply=0.15, quote=0.05, places=True),
        Payload("v1.1", "x", v1_1, repost=0.5, reply=0.15, quote=0.05, places=True),
        Payload("jetstream", "bluesky", jetstream),
    )
}


class Line(NamedTuple):
    """A record to be: `stamp` is the event's arrival, ms."""

    stamp: int
    key: bytes
    value: bytes


class Firehose:
    """An iterator over `posts` records; `document()` holds for what has been taken so far."""

    def __init__(
        self, payload: Payload, posts: int, *, share: float, seed: int = 1, rate: float = RATE
    ) -> None:
        """`share` (0-1) of the posts are the campaign's; `rate` is posts a second of event time.

        Raises `ValueError` for more posts than there are ids that never meet.
        """
        if posts >= FIRST_SERIAL:
            raise ValueError(f"posts must be below {FIRST_SERIAL:,}")
        scenario = load_scenario("metoo-day")
        self._payload, self._posts, self._share, self._rate = payload, posts, share, rate
        self._start = milliseconds(scenario.root.at)
        self._truth = Truth(scenario.campaign)
        self._dice = Dice(seed)
        self._day = Day(_fitting(scenario, payload), max(1000, int(posts * share)), Dice(seed + 1))
        self._neutral = Neutral(
            seed + 2, repost=payload.repost, reply=payload.reply, quote=payload.quote
        )

    def __iter__(self) -> Iterator[Line]:
        dice, truth = self._dice, self._truth
        recent: list[Line] = []
        for index in range(self._posts):
            now = self._start + int(index * 1000 / self._rate)
            if recent and dice.chance(DUPLICATES):
                truth.add("duplicate")
                again = dice.pick(recent)
                yield Line(now, again.key, again.value)
                continue
            draft = self._campaign(now) if dice.chance(self._share) else self._neutral.next(now)
            if not self._payload.places:
                draft.country = None
            truth.add("counted", draft)
            value = self._payload.render(draft)
            line = Line(now, self._key(draft, value), value)
            if len(recent) < _AGO:
                recent.append(line)
            else:
                recent[index % _AGO] = line
            yield line

    def document(self) -> dict[str, Any]:
        """The counts that must come out, as `streams counts --total --json` writes them."""
        document = self._truth.document()
        for counts in document["campaigns"].values():
            counts["platform"] = {self._payload.platform: counts["total"]}
        return document

    def _campaign(self, now: int) -> Draft:
        day = self._day
        if self._share and day.due(now):
            return day.scripted()
        while True:
            draft = day.next(now)
            if draft.via is not None and (self._payload.platform == "x" or draft.answers is None):
                return draft

    def _key(self, draft: Draft, value: bytes) -> bytes:
        """The uid."""
        if self._payload.platform == "x":
            return b"x:%d" % draft.id
        if not self._payload.decodable:  # no worker will read it: any key spreads the records
            return b"%d" % draft.id
        post = decode(value)
        if not isinstance(post, Post | Deleted):
            raise TypeError(f"the decoder does not take this for a post: {value!r}")
        return post.uid.encode()


def _fitting(scenario: Scenario, payload: Payload) -> Scenario:
    """The day without posts of other things, and without kinds that the format cannot show."""
    replace = msgspec.structs.replace
    mix, originals = scenario.mix, replace(scenario.originals, chatter=0.0)
    if not payload.repost:
        mix = replace(mix, repost=0.0, reply=0.2, quote=payload.quote)
    if payload.platform != "x":
        mix = replace(mix, reply=0.0)
    return replace(scenario, mix=mix, originals=originals)
