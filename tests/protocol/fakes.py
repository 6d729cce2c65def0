"""A log in memory and the ports of a partition, for tests of the protocol on a real Redis."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple
from zlib import crc32

import orjson
from faust.types import TP

from streams.classify import Classifier
from streams.consuming import Batch
from streams.increments import Result
from streams.inheritance import NOTHING, Inherited
from streams.reading import Place, Reading

START_MS = 1_508_061_600_000  # 15 October 2017, 10:00 UTC


@dataclass(slots=True)
class FakeRecord:
    """Shaped as aiokafka's `ConsumerRecord`."""

    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: Sequence[tuple[str, bytes]] = ()
    partition: int = 0


def post(number: int, text: str = "Good morning", *, at: int | None = None) -> bytes:
    """An invented X v2 post; the same number is the same uid."""
    created = START_MS + number * 1000 if at is None else at
    seconds, ms = divmod(created, 1000)
    hours, rest = divmod(seconds - START_MS // 1000 + 10 * 3600, 3600)
    days, hour = divmod(hours, 24)
    stamp = f"2017-10-{15 + days:02}T{hour:02}:{rest // 60:02}:{rest % 60:02}.{ms:03}Z"
    return orjson.dumps(
        {
            "data": {
                "id": str(919_000_000_000_000_000 + number),
                "text": text,
                "author_id": str(number % 97),
                "created_at": stamp,
                "lang": "en",
            }
        }
    )


def record(offset: int, value: bytes | None, *, at: int | None = None) -> FakeRecord:
    timestamp = START_MS + offset * 1000 if at is None else at
    return FakeRecord(offset, timestamp, b"%d" % crc32(value or b""), value)


class Incident(NamedTuple):
    kind: str
    facts: Mapping[str, object]


@dataclass
class FakeLog:
    """One partition's log, with the position of one reader."""

    records: list[FakeRecord] = field(default_factory=list)
    epoch: int = 0
    position: int = 0

    async def seek(self, offset: int | None) -> tuple[int, int]:
        self.epoch += 1
        first = self.records[0].offset if self.records else 0
        self.position = first if offset is None else offset
        return self.epoch, self.position

    async def earliest(self) -> int:
        return self.records[0].offset if self.records else 0

    async def given(self) -> int | None:
        return self.position

    def fetch(self, limit: int) -> Batch | None:
        """What Kafka's client would return: out of range starts at the first record again."""
        start = self.position
        if self.records and self.position > self.records[-1].offset + 1:
            self.position = self.records[0].offset
        found = [r for r in self.records if r.offset >= self.position][:limit]
        if not found:
            return None
        self.position = found[-1].offset + 1
        return Batch(TP("posts.raw", 0), self.epoch, start, self.position, found)


class FakeOutputs:
    def __init__(self) -> None:
        self.dead: list[FakeRecord] = []

    async def write(self, place: Place, reading: Reading, result: Result) -> None:
        self.dead += [letter.record for letter in reading.dead]  # type: ignore[misc]


class NoKinship:
    """Nobody inherits anything."""

    async def inherited(self, reading: Reading, classifier: Classifier) -> Inherited:
        return NOTHING

    async def remember(self, result: Result) -> None: ...


class FakeObserver:
    def __init__(self) -> None:
        self.incidents: list[Incident] = []
        self.rejections: list[str] = []
        self.waits: list[str] = []

    def committed(self, reading: Reading, result: Result, seconds: Mapping[str, float]) -> None: ...

    def rejected(self, reason: str) -> None:
        self.rejections.append(reason)

    def waiting(self, reason: str) -> None:
        self.waits.append(reason)

    def incident(self, kind: str, **facts: object) -> None:
        self.incidents.append(Incident(kind, facts))
