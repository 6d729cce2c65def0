"""The Kafka and the Redis of a benchmark: real ones, of its own, gone when it ends."""

from __future__ import annotations

import logging
import os
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Final, NamedTuple

from redis import Redis, RedisCluster

from streams.config import KafkaSettings, RedisSettings, Settings, Topics
from streams.embedded import LOCALHOST, EmbeddedKafka, EmbeddedRedis
from streams.errors import UserError

AUTHOR_KEY: Final = "an author key of the benchmark"
REPOSITORY: Final = Path(__file__).resolve().parents[2]


_SLOTS: Final = 16_384


class Services(NamedTuple):
    """Where Kafka and Redis are reached, and a scratch folder for logs and state."""

    bootstrap: str  # host:port
    redis_urls: tuple[str, ...]  # of one server, or of each of a Cluster
    folder: Path

    @property
    def redis_url(self) -> str:
        return self.redis_urls[0]

    @property
    def cluster(self) -> bool:
        return len(self.redis_urls) > 1

    def client(self) -> Redis | RedisCluster:
        """A client of the server or the Cluster."""
        return (RedisCluster if self.cluster else Redis).from_url(self.redis_url)

    def settings(
        self, name: str, *, raw: str, mode: str = "keyed", partitions: int = 8
    ) -> Settings:
        """Settings as they ship, but for addresses and for names that only this run has."""
        return Settings(
            kafka=KafkaSettings(
                brokers=(self.bootstrap,),
                input=mode,
                group=name,
                partitions=partitions,
                topics=Topics(
                    raw=raw,
                    keyed=f"{name}.keyed",
                    classified=f"{name}.classified",
                    dead=f"{name}.dead",
                ),
            ),
            redis=RedisSettings(url=self.redis_url, prefix=f"{name}:", cluster=self.cluster),
            privacy={"author_key": AUTHOR_KEY},
        )


@contextmanager
def services() -> Iterator[Services]:
    """Start both; stop them and remove their data at the end.  UserError where one does not start.

    The newest redis-server of this machine is taken, without persistence: what fsync costs is the
    disk's, and no system measured here waits for it.
    """
    # A topic just made has no leader for a moment: the client tries again, and need not say so.
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    with tempfile.TemporaryDirectory(prefix="streams-bench-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        with EmbeddedKafka(folder / "kafka") as kafka, EmbeddedRedis(folder / "redis") as redis:
            yield Services(kafka.bootstrap, (redis.url,), folder)


@contextmanager
def cluster(running: Services, nodes: int = 3) -> Iterator[Services]:
    """The same Kafka with a Redis Cluster of its own.  UserError where it does not form."""
    with ExitStack() as stack:
        servers = [
            stack.enter_context(
                EmbeddedRedis(running.folder / f"node-{n}", options={"cluster-enabled": "yes"})
            )
            for n in range(nodes)
        ]
        clients = [stack.enter_context(Redis.from_url(server.url)) for server in servers]
        for n, client in enumerate(clients):
            slots = range(_SLOTS * n // nodes, _SLOTS * (n + 1) // nodes)
            client.execute_command("CLUSTER ADDSLOTS", *slots)
            client.execute_command("CLUSTER MEET", LOCALHOST, servers[0].port)
        deadline = time.monotonic() + 30
        while any(b"cluster_state:ok" not in _raw(client, "CLUSTER INFO") for client in clients):
            if time.monotonic() > deadline:
                raise UserError("the Redis Cluster does not form")
            time.sleep(0.1)
        yield running._replace(redis_urls=tuple(server.url for server in servers))


def _raw(client: Redis, command: str) -> bytes:
    """The answer as text, which newer clients make a dictionary of."""
    answer = client.execute_command(command)
    if isinstance(answer, dict):
        return "\n".join(f"{key}:{value}" for key, value in answer.items()).encode()
    return bytes(answer)


def environment(settings: Settings) -> dict[str, str]:
    """What a worker gets: this machine's environment less the user's own STREAMS_… variables."""
    kafka, redis = settings.kafka, settings.redis
    return {
        **{key: value for key, value in os.environ.items() if not key.startswith("STREAMS_")},
        "PYTHONPATH": str(REPOSITORY),  # the working folder is the scratch one
        "STREAMS_KAFKA__BROKERS": ",".join(kafka.brokers),
        "STREAMS_KAFKA__INPUT": kafka.input,
        "STREAMS_KAFKA__GROUP": kafka.group,
        "STREAMS_KAFKA__TOPICS__RAW": kafka.topics.raw,
        "STREAMS_KAFKA__TOPICS__KEYED": kafka.topics.keyed,
        "STREAMS_KAFKA__TOPICS__CLASSIFIED": kafka.topics.classified,
        "STREAMS_KAFKA__TOPICS__DEAD": kafka.topics.dead,
        "STREAMS_REDIS__URL": redis.url,
        "STREAMS_REDIS__CLUSTER": str(redis.cluster).lower(),
        "STREAMS_REDIS__PREFIX": redis.prefix,
        "STREAMS_PRIVACY__AUTHOR_KEY": settings.privacy.key().decode(),
        "STREAMS_WORKER__HOST": "127.0.0.1",
        "STREAMS_WORKER__PORT": "0",
    }


def say(line: str) -> None:
    """A line of progress, on standard error: standard output is for results."""
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()


def entry(main: Callable[[], int]) -> int:
    """The exit status of a benchmark; what the user has to change is one line and not a trace."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that scratch folders go, too
    try:
        return main()
    except KeyboardInterrupt:
        return 130
    except UserError as error:
        say(f"error: {error}")
        return 1
