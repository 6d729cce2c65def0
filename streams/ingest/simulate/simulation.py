"""The simulated day as lines: good posts, and the dirt of a real feed between them."""

from __future__ import annotations

import json
from bisect import bisect_left
from collections import deque
from collections.abc import Iterator
from typing import Final, NamedTuple

import orjson

from streams.ingest.simulate import dirt, x_v1, x_v2
from streams.ingest.simulate.clock import Clock
from streams.ingest.simulate.day import HOUR_MS, Day
from streams.ingest.simulate.dice import Dice
from streams.ingest.simulate.draft import Draft
from streams.ingest.simulate.scenario import Scenario
from streams.ingest.simulate.truth import Truth

_LATE_FROM: Final = 5_000  # smaller days have partitions that no post has reached by the evening
_KEPT: Final = 0.02  # of the posts, for redelivery after minutes and hours
_NOTED: Final = 0.25  # of the posts, for redelivery within seconds: the newest ...
_RECENT: Final = 32  # ... so many of them
_ASCII: Final = 0.06  # of the v1.1 posts are sent with \uXXXX for everything that is not ASCII


class _Sent(NamedTuple):
    at: int
    line: bytes
    draft: Draft | None  # kept for seconds only
    first: bool  # in v1.1


class Simulation:
    """An iterator over NDJSON lines (without line ends), in order of arrival.

    `truth` is filled on the way and holds for what has been taken so far.
    """

    def __init__(self, scenario: Scenario, posts: int, seed: int) -> None:
        self.truth = Truth(scenario.campaign)
        self.posts = posts
        self._scenario = scenario
        self._dice = Dice(seed)
        self._day = Day(scenario, posts, Dice(seed + 1_000_003))
        self._clock = Clock(scenario, posts)
        self._recent: deque[_Sent] = deque(maxlen=_RECENT)
        self._kept: list[_Sent] = []
        self._late: list[bytes] = []
        self._lines = self._generate()

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        return next(self._lines)

    def _generate(self) -> Iterator[bytes]:
        day, truth = self._day, self.truth
        roles = self._roles()
        times = self._clock.times(Dice(self._dice.below(1 << 30)))
        for index, now in enumerate(times):
            role = roles.get(index)
            if day.due(now):
                yield self._post(day.scripted(), now)
            elif role is None:
                yield self._post(day.next(now), now)
            elif role == "duplicate":
                yield self._again(now)
            elif role == "ignored":
                truth.add("ignored")
                yield dirt.control(now, index, self._dice)
            elif role == "late":
                yield self._too_late(now)
            else:
                truth.add("dead")
                draft = day.next(now)
                record = (x_v1 if self._dice.chance(0.5) else x_v2).record(draft)
                yield dirt.broken(role, draft, record, self._dice)

    def _roles(self) -> dict[int, str]:
        """Which records are dirt, by their place in the day."""
        shares, dice, posts = self._scenario.dirt, self._dice, self.posts
        roles: dict[int, str] = {}

        def place(role: str, share: float, first: int = 0) -> None:
            for _ in range(round(share * posts) or (1 if share and posts >= 1000 else 0)):
                roles[first + dice.below(posts - first)] = role

        place("duplicate", shares.duplicate, first=min(posts - 1, 10))
        place("ignored", shares.ignored)
        for kind in dirt.DEAD:
            place(kind, shares.dead / len(dirt.DEAD))
        if posts >= _LATE_FROM:
            length = self._scenario.hours * HOUR_MS
            evening = self._scenario.start_ms + int(0.75 * length)
            place("late", shares.late, first=self._clock.index_at(evening) + 1)
        return roles

    def _post(self, draft: Draft, now: int) -> bytes:
        self.truth.add("counted", draft)
        first = draft.salt & 1 == 0
        line = self._line(draft, first=first)
        form = self._dice.random()
        if form < _KEPT:
            self._kept.append(_Sent(now, line, None, first))
        elif form < _KEPT + _NOTED or not self._recent:
            self._recent.append(_Sent(now, line, draft, first))
        return line

    def _line(self, draft: Draft, *, first: bool) -> bytes:
        if first:
            line = orjson.dumps(x_v1.record(draft))
            return _ascii(line) if draft.salt % 100 < _ASCII * 100 else line
        return orjson.dumps(x_v2.record(draft))

    def _again(self, now: int) -> bytes:
        """A post is delivered once more: after seconds, minutes or hours; half as it was."""
        dice = self._dice
        gap = dice.random()
        if gap < 0.6 or not self._kept:
            sent = self._recent[dice.below(len(self._recent))]
        else:
            age = dice.below(60 * 60_000) if gap < 0.85 else HOUR_MS + dice.below(9 * HOUR_MS)
            at = bisect_left(self._kept, now - age, key=lambda kept: kept.at)
            sent = self._kept[min(at, len(self._kept) - 1)]
        self.truth.add("duplicate")
        return self._changed(sent) if dice.chance(0.5) else sent.line

    def _changed(self, sent: _Sent) -> bytes:
        """Other bytes, the same post: newer metrics, another serialisation, the other format."""
        dice = self._dice
        form = dice.random()
        if form < 0.6:
            n = str(1 + dice.below(5000)).encode()
            return sent.line.replace(b'"retweet_count":0', b'"retweet_count":' + n, 1)
        if form < 0.8 or sent.draft is None:
            return _ascii(sent.line)
        return self._line(sent.draft, first=not sent.first)

    def _too_late(self, now: int) -> bytes:
        """Older than any dedupe horizon; sent twice, it is late twice."""
        self.truth.add("late")
        if self._late and self._dice.chance(0.3):
            return self._dice.pick(self._late)
        draft = self._day.late(now)
        line = self._line(draft, first=draft.salt & 1 == 0)
        self._late.append(line)
        return line


def simulate(scenario: Scenario, *, posts: int, seed: int) -> Simulation:
    """A day of `posts` records, dirt included; the same for the same arguments, anywhere."""
    if posts < 0:
        raise ValueError("posts must not be negative")
    return Simulation(scenario, posts, seed)


def _ascii(line: bytes) -> bytes:
    """As the v1.1 stream wrote: \\uXXXX for what is not ASCII."""
    return json.dumps(orjson.loads(line), separators=(",", ":")).encode()
