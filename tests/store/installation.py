"""Two partitions whose posts are counted as a worker does, and read as people do."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import orjson

from streams import campaigns
from streams.classify import Classifier
from streams.deadletters import DeadLetterLimit
from streams.kept import Keeping, KeptPost
from streams.keys import Layout
from streams.partition import Partition
from streams.reading import Place, Rules
from streams.store.commit import PartitionStore
from streams.store.posts import Cursor, PostReader
from streams.store.reads import Reader
from streams.writing import BatchWriter
from tests.protocol.fakes import (
    START_MS,
    FakeLog,
    FakeObserver,
    FakeOutputs,
    FakeRecord,
    NoKinship,
    post,
    record,
)

CLASSIFIER = Classifier([campaigns.load("metoo")])
X = "x:919000000000000{:03}"
LATE = START_MS + 86_400_000  # of records: never before their posts


class Installation:
    """Two partitions of an installation, and what is read of them."""

    def __init__(self, redis: Any, prefix: str, keeping: Keeping) -> None:
        self.redis = redis
        self.layout = Layout(prefix)
        self.rules = Rules(author_key=b"0123456789abcdef", buckets=4, keeping=keeping)
        self.logs = [FakeLog(), FakeLog()]
        self.reader = Reader(redis, self.layout)
        self.posts = PostReader(self.reader, keeping)

    async def count(self, partition: int, limit: int = 7) -> None:
        """Everything in a partition's log, in batches of so many."""
        log = self.logs[partition]
        name = f"posts.raw:{partition}"
        store = PartitionStore(self.redis, self.layout.partition("posts.raw", partition))
        await self.redis.sadd(self.layout.partitions, name)
        observer = FakeObserver()
        reading = Partition(
            name=name,
            log=log,
            store=store,
            writer=BatchWriter(
                place=Place("posts.raw", partition),
                store=store,
                outputs=FakeOutputs(),
                observer=observer,
                kinship=NoKinship(),
                rules=self.rules,
            ),
            observer=observer,
            limits=DeadLetterLimit(1000, 10_000, 0.5),
            classifier=lambda: CLASSIFIER,
            rules=self.rules,
        )
        await reading.check()
        while (batch := log.fetch(limit)) is not None:
            await reading.deliver(batch)

    async def read(
        self,
        *,
        campaign: str | None = "metoo",
        hashtag: str | None = None,
        wanted: Callable[[KeptPost], bool] = lambda _: True,
        limit: int = 4,
    ) -> list[str]:
        """Uids of all pages."""
        found: list[str] = []
        after: Cursor | None = None
        self.posts = PostReader(self.reader, self.rules.keeping)  # that remembers nothing
        while True:
            page = await self.posts.page(
                campaign=campaign, hashtag=hashtag, wanted=wanted, after=after, limit=limit
            )
            found += [one.uid for one in page.posts]
            if page.after is None:
                return found
            assert len(page.posts) == limit
            after = page.after


def said(*texts: tuple[int, str]) -> list[FakeRecord]:
    """Posts by number (its second, and its uid)."""
    return [record(at, post(number, text), at=LATE) for at, (number, text) in enumerate(texts)]


def uids(*numbers: int) -> list[str]:
    return [X.format(number) for number in numbers]


def delete(offset: int, number: int) -> FakeRecord:
    """X's own."""
    uid = {"id_str": X.format(number).removeprefix("x:"), "user_id_str": "1"}
    return record(offset, orjson.dumps({"delete": {"status": uid}}), at=LATE)
