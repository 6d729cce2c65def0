"""Three brokers that are their own controllers (KRaft), on this machine."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from streams.embedded import LOCALHOST, EmbeddedKafka, free_port
from tests.faults.stage import BROKER

_COUNT: Final = 3
_REPLICATED: Final = {
    "default.replication.factor": "3",
    "min.insync.replicas": "2",
    "offsets.topic.replication.factor": "3",
    "transaction.state.log.replication.factor": "3",
    "transaction.state.log.min.isr": "2",
    "unclean.leader.election.enable": "false",
    # Leaders go back to where they were, so that they move twice for each fault.
    "leader.imbalance.check.interval.seconds": "5",
    "leader.imbalance.per.broker.percentage": "1",
}


@contextmanager
def brokers(folder: Path) -> Iterator[list[EmbeddedKafka]]:
    """All of them running: none answers before two do."""
    ports = [free_port() for _ in range(_COUNT)]
    voters = ",".join(f"{n}@{LOCALHOST}:{port}" for n, port in enumerate(ports, 1))
    made = [
        EmbeddedKafka(
            folder / f"broker-{n}",
            node_id=n,
            controller_port=port,
            heap="384m",
            properties={**BROKER, **_REPLICATED, "controller.quorum.voters": voters},
        )
        for n, port in enumerate(ports, 1)
    ]
    try:
        with ThreadPoolExecutor(_COUNT) as pool:
            list(pool.map(EmbeddedKafka.start, made))
        yield made
    finally:
        for broker in made:
            broker.kill()
