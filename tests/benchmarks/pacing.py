"""A producer that keeps a rate: the load of the latency benchmark, in a process of its own.

`python -m tests.benchmarks.pacing BOOTSTRAP TOPIC PARTITIONS RATE SECONDS` sends compact X v2 posts
every few milliseconds, as many as are due, and prints one line of JSON at the end: for each batch
its partition, first offset, records, and the time (monotonic clock, s) at which it was handed to
the producer.
"""

from __future__ import annotations

import asyncio
import gc
import json
import sys
import time
from typing import Any, Final

from streams.config import KafkaSettings
from streams.murmur2 import partition_of
from tests.benchmarks.firehose import PAYLOADS, Firehose, Line
from tests.benchmarks.topics import producer

_TICK: Final = 0.005  # s: what producers call linger

Sent = tuple[int, int, int, float]  # partition, first offset, records, time


async def _send(kafka: KafkaSettings, lines: list[Line], rate: float) -> list[Sent]:
    """All lines at `rate` a second; later where the producer cannot keep up."""
    placed = [(partition_of(line.key, kafka.partitions), line) for line in lines]
    # As a service sets it that wants its posts counted soon, and not the fewest bytes.
    async with producer(kafka, compression_type="zstd", max_batch_size=2**20) as to:
        waiting: list[tuple[int, int, float, Any]] = []
        began, done = time.monotonic(), 0
        while done < len(placed):
            due = min(len(placed), int((time.monotonic() - began) * rate))
            batches: dict[int, list[Any]] = {}
            for partition, (stamp, key, value) in placed[done:due]:
                of = batches.setdefault(partition, [to.create_batch()])
                if of[-1].append(timestamp=stamp, key=key, value=value) is None:  # it is full
                    of.append(to.create_batch())
                    of[-1].append(timestamp=stamp, key=key, value=value)
            for partition, batch in [(p, one) for p, of in batches.items() for one in of]:
                now = time.monotonic()
                records = batch.record_count()
                future = await to.send_batch(batch, kafka.topics.raw, partition=partition)
                waiting.append((partition, records, now, future))
            done = due
            await asyncio.sleep(_TICK)
        return [
            (partition, (await future).offset, records, at)
            for partition, records, at, future in waiting
        ]


def main() -> None:
    bootstrap, topic, partitions, rate, seconds = sys.argv[1:]
    kafka = KafkaSettings(brokers=(bootstrap,), partitions=int(partitions), topics={"raw": topic})
    posts = int(float(rate) * float(seconds))
    # Event time goes on as the wall's does: posts of one second are a second's.
    lines = list(Firehose(PAYLOADS["compact-v2"], posts, share=0.05, rate=float(rate)))
    gc.freeze()  # or a second passes whenever millions of lines are looked through
    sys.stdout.write(json.dumps(asyncio.run(_send(kafka, lines, float(rate)))) + "\n")


if __name__ == "__main__":
    main()
