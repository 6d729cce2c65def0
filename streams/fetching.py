"""Fetched records as lists, as they stand in the producer's batches.

aiokafka makes a `ConsumerRecord` of each record, in Python and one by one, which costs as much as
decompressing and cutting them up (in one run over 300,000 posts of 750 bytes, fetch and nothing
else: 1.9 times the CPU).  Here its own C records are handed on, a list a batch.  What decides which
records are read (aborted transactions, control batches, CRCs, positions) stays aiokafka's.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from aiokafka import AIOKafkaConsumer
from aiokafka.consumer.fetcher import FetchResult, PartitionRecords


class _Run(NamedTuple):
    """Records of one producer's batch; takes the place of one record in aiokafka's loop."""

    records: list[Any]
    offset: int  # of the last one


class _Batch:
    """A record batch that is iterated over in one step."""

    def __init__(self, batch: Any, owner: PartitionRecords) -> None:
        self._batch = batch
        self._owner = owner

    def __getattr__(self, name: str) -> Any:
        return getattr(self._batch, name)

    def __next__(self) -> Any:
        return next(self._batch)

    def __iter__(self) -> Iterator[_Run]:
        records = list(self._batch)
        first = self._owner.next_fetch_offset
        if records and records[0].offset < first:  # the fetch began in the middle of the batch
            records = [record for record in records if record.offset >= first]
        if records:
            yield _Run(records, records[-1].offset)


class _Batches:
    """`MemoryRecords` whose batches are `_Batch`."""

    def __init__(self, batches: Any, owner: PartitionRecords) -> None:
        self._batches = batches
        self._owner = owner
        self.has_next = batches.has_next

    def next_batch(self) -> _Batch:
        return _Batch(self._batches.next_batch(), self._owner)


class _Runs:
    """What takes the place of `PartitionRecords` in a `FetchResult`."""

    def __init__(self, owner: Any) -> None:
        owner._records = _Batches(owner._records, owner)
        owner._consumer_record = lambda _, run: run
        self._owner = owner
        self._left: list[Any] = []
        self._drained = False

    @property
    def next_fetch_offset(self) -> int:
        """Where the partition stands: the first record that is not handed on yet."""
        return int(self._left[0].offset if self._left else self._owner.next_fetch_offset)

    def take(self, most: int | None) -> tuple[list[Any], bool]:
        """The next records, `most` at most, and whether these were the last."""
        found, self._left = self._left, []
        while not self._drained and (most is None or len(found) <= most):
            run = next(self._owner, None)
            if run is None:
                self._drained = True  # it may not be asked again: aiokafka's iterator is gone
            else:
                found += run.records
        if most is None or len(found) <= most:
            return found, True
        self._left = found[most:]
        return found[:most], False


def _take_lists(result: Any) -> None:
    """Make a `FetchResult` that nothing was taken from hand out lists."""
    runs = result._partition_records = _Runs(result._partition_records)

    def getall(max_records: int | None = None) -> list[Any]:
        if not result.check_assignment(result._topic_partition) or not result.has_more():
            return []
        found, done = runs.take(max_records)
        result._update_position()
        if done:
            result._partition_records = None
        return found

    result.getall = getall


def fetch_lists(consumer: AIOKafkaConsumer) -> None:
    """Make a started consumer's `getmany` return lists of aiokafka's C records.

    These have `offset`, `timestamp`, `key`, `value` and `headers` as `ConsumerRecord` has, but
    neither topic nor partition.
    """
    fetcher: Any = consumer._fetcher
    process = fetcher._proc_fetch_request

    async def process_to_lists(*arguments: Any) -> Any:
        answer = await process(*arguments)
        # Nobody else has run since the results were made: `process` does not wait after that.
        for result in fetcher._records.values():
            if type(result) is FetchResult and isinstance(
                result._partition_records, PartitionRecords
            ):
                _take_lists(result)
        return answer

    fetcher._proc_fetch_request = process_to_lists
