"""Records of a fetch, handed out as lists: each once, in order, and no more than asked for."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from aiokafka import TopicPartition
from aiokafka.consumer.fetcher import PartitionRecords
from aiokafka.record.default_records import DefaultRecordBatchBuilder
from aiokafka.record.memory_records import MemoryRecords

from streams.fetching import _Runs


def fetched(sizes: Sequence[int], fetch_offset: int = 0) -> PartitionRecords:
    """What a fetch brings: producers' batches of so many records, from offset 0 on."""
    data = bytearray()
    first = 0
    for size in sizes:
        builder = DefaultRecordBatchBuilder(2, 0, 0, -1, -1, -1, 2**20)
        for n in range(size):
            builder.append(n, timestamp=1, key=None, value=b"%d" % (first + n), headers=[])
        batch = bytearray(builder.build())
        batch[0:8] = first.to_bytes(8, "big")  # the broker writes the base offset
        data += batch
        first += size
    return PartitionRecords(
        TopicPartition("t", 0), MemoryRecords(bytes(data)), None, fetch_offset, None, None, True, 0
    )


@pytest.mark.parametrize("most", [1, 2, 199, 200, 201, 1000, None])
@pytest.mark.parametrize("sizes", [(1,), (200,), (1, 700, 3), (3, 700), (401, 401), (1,) * 10])
def test_each_record_once_in_order_and_no_more_than_asked_for(
    sizes: tuple[int, ...], most: int | None
) -> None:
    runs = _Runs(fetched(sizes))
    offsets: list[int] = []
    done = False
    while not done:
        records, done = runs.take(most)
        assert most is None or 0 < len(records) <= most
        offsets += [record.offset for record in records]
        assert runs.next_fetch_offset == offsets[-1] + 1
    assert offsets == list(range(sum(sizes)))


def test_a_fetch_that_begins_in_the_middle_of_a_batch() -> None:
    runs = _Runs(fetched((10, 10), fetch_offset=7))
    records, done = runs.take(5)
    assert ([record.offset for record in records], done) == ([7, 8, 9, 10, 11], False)
    records, done = runs.take(None)
    assert ([record.offset for record in records], done) == (list(range(12, 20)), True)
