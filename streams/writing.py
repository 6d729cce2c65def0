"""One batch of a partition, once: ask what was seen, add up, write outputs, commit."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from typing import Final

from streams.aggregate import count
from streams.classify import Classifier
from streams.ports import Kinship, Observer, Outputs
from streams.reading import Reading, Rules
from streams.store.commit import Commit, PartitionStore

#: Pairs of hashtag and hour that are remembered; past ones are asked for again where needed.
_MOST_HOT: Final = 10_000


class BatchWriter:
    """Writes the batches of one partition; a batch that failed is written again from the first
    call, and changes nothing twice."""

    def __init__(
        self,
        *,
        store: PartitionStore,
        outputs: Outputs,
        observer: Observer,
        kinship: Kinship,
        rules: Rules,
    ) -> None:
        self._store = store
        self._outputs = outputs
        self._observer = observer
        self._kinship = kinship
        self._rules = rules
        self._hot: set[tuple[str, int]] = set()

    def forget(self) -> None:
        """Another position: what Redis said of its counters may not hold there."""
        self._hot.clear()

    async def write(
        self,
        commit: Commit,
        reading: Reading,
        classifier: Classifier,
        incidents: Iterable[Sequence[str]],
    ) -> None:
        """All of the batch or nothing.  Raises `Moved`, and what Redis and Kafka raise."""
        began = time.perf_counter()
        known = await self._store.seen(commit.gen, commit.expect, reading)
        inherited = await self._kinship.inherited(reading, classifier)
        asked = time.perf_counter()
        written = False  # what is published does not depend on whose authors are wanted
        while True:
            result = count(
                reading,
                known,
                classifier=classifier,
                rules=self._rules,
                hot=self._hot,
                inherited=inherited,
            )
            added = time.perf_counter()
            if not written:
                await self._outputs.write(reading, result)
                written = True
            published = time.perf_counter()
            versions = classifier.versions
            hot = await self._store.commit(commit, reading, result, versions, incidents)
            if not hot:
                break
            self._hot |= hot
        done = time.perf_counter()
        seconds = {
            "seen": asked - began,
            "count": added - asked,
            "outputs": published - added,
            "commit": done - published,
        }
        self._observer.committed(reading, result, seconds)
        await self._kinship.remember(result)
        if len(self._hot) > _MOST_HOT:
            self._hot.clear()
