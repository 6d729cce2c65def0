"""One batch of a partition, once: ask what was seen, add up, write outputs, commit."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from typing import Final

from streams.aggregate import count, tag_hours
from streams.classify import Classifier
from streams.ports import Kinship, Observer, Outputs
from streams.reading import Place, Reading, Rules
from streams.retention import HOUR_MS, TAG_KEEP_MS
from streams.store.commit import Commit, PartitionStore

#: Pairs of hashtag and hour whose counts are remembered; others are asked for where needed.
_MOST_TAG_HOURS: Final = 50_000


class BatchWriter:
    """Writes the batches of one partition; a batch that failed is written again from the first
    call, and changes nothing twice."""

    def __init__(
        self,
        *,
        place: Place,
        store: PartitionStore,
        outputs: Outputs,
        observer: Observer,
        kinship: Kinship,
        rules: Rules,
    ) -> None:
        self._place = place
        self._store = store
        self._outputs = outputs
        self._observer = observer
        self._kinship = kinship
        self._rules = rules
        self._tag_hours: dict[tuple[str, int], int] = {}  # as stored, this worker's own included
        self._hour = 0  # of the watermark

    def forget(self) -> None:
        """Another position: what Redis said of its counters may not hold there."""
        self._tag_hours.clear()
        self._store.forget()

    async def write(
        self,
        commit: Commit,
        reading: Reading,
        classifier: Classifier,
        incidents: Iterable[Sequence[str]],
    ) -> None:
        """All of the batch or nothing.  Raises `Moved`, and what Redis and Kafka raise."""
        began = time.perf_counter()
        inherited = await self._kinship.inherited(reading, classifier)
        pairs = tag_hours(reading.posts, inherited, classifier)
        asked = await self._store.seen(commit, reading, pairs - self._tag_hours.keys())
        self._tag_hours.update(asked.counts)
        answered = time.perf_counter()
        result = count(
            reading,
            asked.known,
            classifier=classifier,
            rules=self._rules,
            before=self._tag_hours,
            inherited=inherited,
        )
        added = time.perf_counter()
        await self._outputs.write(self._place, reading, result)
        published = time.perf_counter()
        await self._store.commit(commit, reading, result, classifier.versions, incidents)
        done = time.perf_counter()
        for pair, n in result.hours.items():
            self._tag_hours[pair] += n
        seconds = {
            "seen": answered - began,
            "count": added - answered,
            "outputs": published - added,
            "commit": done - published,
        }
        self._observer.committed(reading, result, seconds)
        await self._kinship.remember(result)
        if reading.deleted and self._rules.keeping.text:
            await self._store.take_out(commit.gen, reading.deleted)
        self._forget_hours(reading.watermark)

    def _forget_hours(self, watermark: int | None) -> None:
        """Buckets that go with the watermark begin anew, should a post of theirs still come."""
        hour = (watermark or 0) // HOUR_MS
        if hour != self._hour:
            self._hour = hour
            oldest = hour - TAG_KEEP_MS // HOUR_MS
            self._tag_hours = {pair: n for pair, n in self._tag_hours.items() if pair[1] >= oldest}
        if len(self._tag_hours) > _MOST_TAG_HOURS:
            self._tag_hours.clear()
            self._store.forget_tags()
