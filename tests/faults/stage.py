"""What a fault run stands on: a broker, a Redis, proxies before both, workers and the feed."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Final, Self

from redis import Redis
from redis.exceptions import RedisError

from streams.config import KafkaSettings, RedisSettings, Settings, Topics
from streams.embedded import LOCALHOST, EmbeddedKafka, free_port
from streams.errors import UserError
from streams.keys import Layout
from tests.benchmarks.services import environment
from tests.faults.proxy import Proxy
from tests.faults.redis_node import RedisNode
from tests.faults.workers import WorkerProcess

SESSION_SECONDS: Final = 8.0
STATIC: Final = 0  # the worker that is a static member
#: By seed: as it ships, and so short that redelivered posts come at its edge.
HORIZONS: Final = (90_000.0, 7200.0)
#: Zombies are made within seconds.
BROKER: Final = {"group.min.session.timeout.ms": "1000"}


def settings_of(
    bootstrap: str,
    redis: RedisSettings,
    *,
    mode: str,
    partitions: int,
    horizon: float = HORIZONS[0],
    name: str = "faults",
) -> Settings:
    """As they ship, but for names and for times that would make a run long."""
    return Settings(
        kafka=KafkaSettings(
            brokers=tuple(bootstrap.split(",")),
            input=mode,
            group=name,
            partitions=partitions,
            session_timeout=SESSION_SECONDS,
            topics=Topics(
                raw=f"{name}.raw",
                keyed=f"{name}.keyed",
                classified=f"{name}.classified",
                dead=f"{name}.dead",
            ),
        ),
        redis=redis,
        dedupe={"horizon": horizon},
        commit={"max_age": 2.0},
        privacy={"author_key": "an author key of the fault run"},
    )


def worker_environment(settings: Settings) -> dict[str, str]:
    redis = settings.redis
    env = {
        **environment(settings),
        "STREAMS_KAFKA__SESSION_TIMEOUT": str(settings.kafka.session_timeout),
        "STREAMS_DEDUPE__HORIZON": str(settings.dedupe.horizon),
        "STREAMS_COMMIT__MAX_AGE": str(settings.commit.max_age),
        "STREAMS_COMMIT__MAX_POSTS": str(settings.commit.max_posts),
        "STREAMS_KAFKA__MAX_POLL_RECORDS": str(settings.kafka.max_poll_records),
        "STREAMS_REDIS__TIMEOUT": str(redis.timeout),
    }
    if redis.sentinels and redis.service:
        env["STREAMS_REDIS__SENTINELS"] = ",".join(redis.sentinels)
        env["STREAMS_REDIS__SERVICE"] = redis.service
    return env


class Stage:
    """One broker and one Redis; `with` starts and ends all of it."""

    def __init__(
        self, folder: Path, *, mode: str, partitions: int, workers: int, horizon: float
    ) -> None:
        self.folder = folder
        self.mode = mode
        self.workers: list[WorkerProcess] = []
        self.hand_overs: list[float] = []  # seconds from SIGTERM until others had all partitions
        self._partitions = partitions
        self._first_workers = workers
        self._stack = ExitStack()
        inner, port, controller = free_port(), free_port(), free_port()
        self.kafka_proxy = Proxy(inner)
        # Workers are told the proxy's address; what watches and feeds goes round it.
        listeners = {
            "listeners": f"PLAINTEXT://{LOCALHOST}:{port},PROXIED://{LOCALHOST}:{inner},"
            f"CONTROLLER://{LOCALHOST}:{controller}",
            "advertised.listeners": f"PLAINTEXT://{LOCALHOST}:{port},"
            f"PROXIED://{LOCALHOST}:{self.kafka_proxy.port}",
            "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,PROXIED:PLAINTEXT,"
            "CONTROLLER:PLAINTEXT",
        }
        self.kafka = EmbeddedKafka(
            folder / "kafka",
            port=port,
            controller_port=controller,
            properties={**BROKER, **listeners},
        )
        self.redis = RedisNode(folder / "redis")
        self.redis_proxy = Proxy(self.redis.server.port)
        self.settings = settings_of(
            f"{LOCALHOST}:{self.kafka_proxy.port}",
            RedisSettings(url=f"redis://{LOCALHOST}:{self.redis_proxy.port}/0", timeout=2.0),
            mode=mode,
            partitions=partitions,
            horizon=horizon,
        )

    def __enter__(self) -> Self:
        try:
            self._stack.enter_context(self.kafka_proxy)
            self._stack.enter_context(self.redis_proxy)
            self._stack.enter_context(self.kafka)
            self._stack.callback(self.redis.server.stop)
            self.redis.start()
        except BaseException:
            self._stack.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        for worker in self.workers:
            worker.child.kill()
        self._stack.close()

    def start_workers(self) -> None:
        for number in range(self._first_workers):
            self.add_worker(number, ready=False)
        for worker in self.workers:
            worker.wait_ready()

    def add_worker(self, number: int, *, ready: bool = True) -> WorkerProcess:
        env = worker_environment(self.settings)
        if number == STATIC:
            env["STREAMS_KAFKA__INSTANCE_ID"] = "faults-0"
        worker = WorkerProcess(number, self.folder, env)
        self.workers.append(worker)
        worker.start(ready=ready)
        return worker

    def settled(self, seconds: float = 60.0) -> None:
        """Wait until nobody has been given another assignment for some seconds."""
        deadline = time.monotonic() + seconds
        counts, since = [w.assignments() for w in self.workers], time.monotonic()
        while time.monotonic() - since < 3 and time.monotonic() < deadline:
            time.sleep(0.2)
            now = [w.assignments() for w in self.workers]
            if now != counts:
                counts, since = now, time.monotonic()

    def offsets(self) -> list[int]:
        """Stored next offsets, by partition."""
        with self.redis.admin() as client:
            return stored_offsets(client, self)

    @property
    def counted_topic(self) -> str:
        topics = self.settings.kafka.topics
        return topics.keyed if self.mode == "any" else topics.raw


def stored_offsets(client: Redis, stage: Stage) -> list[int]:
    """Next offsets, by partition; 0 where nothing is counted.  Raises `RedisError`."""
    layout = Layout(stage.settings.redis.prefix)
    pipeline = client.pipeline(transaction=False)
    for n in range(stage.settings.kafka.partitions):
        pipeline.hget(layout.partition(stage.counted_topic, n).state, "offset")
    return [int(found or 0) for found in pipeline.execute()]


class Progress:
    """Looks at the stored offsets all the time: the longest time in which something waited and
    nothing was counted, and how long the file was."""

    def __init__(self, stage: Stage, fed: Callable[[], int]) -> None:
        self.longest_stall = 0.0
        self.stall_during = ""
        self.label = "start"
        self.extra = 0  # records to count beside those fed: forwarded more than once
        self._fed = fed
        self._stage = stage
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self.offsets: list[int] = [0] * stage.settings.kafka.partitions

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._end.set()
        self._thread.join(10)

    def _run(self) -> None:
        client = Redis.from_url(self._stage.redis.server.url, socket_timeout=0.5)
        counted, moved = 0, time.monotonic()
        while not self._end.wait(0.02):
            now = time.monotonic()
            with suppress(OSError, UserError):
                self._stage.redis.note_size()
            with suppress(RedisError, OSError):
                self.offsets = stored_offsets(client, self._stage)
            done = sum(self.offsets)
            if done != counted or done >= self._fed() + self.extra:
                counted, moved = done, now
            elif now - moved > self.longest_stall:
                self.longest_stall, self.stall_during = now - moved, self.label
        client.close()
