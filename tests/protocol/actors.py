"""Workers whose every call to Redis and Kafka waits until a test lets it through, or breaks it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from enum import Enum
from typing import Any

from aiokafka.errors import KafkaConnectionError
from redis.asyncio import Redis
from redis.exceptions import ConnectionError as RedisConnectionError

from streams import campaigns
from streams.classify import Classifier
from streams.deadletters import DeadLetterLimit
from streams.increments import Result
from streams.keys import Layout
from streams.partition import RETRIED, Partition
from streams.reading import Place, Reading, Rules
from streams.store.commit import PartitionStore
from streams.writing import BatchWriter
from tests.protocol.fakes import FakeLog, FakeObserver, FakeRecord, NoKinship

TOPIC = "posts.raw"
RULES = Rules(author_key=b"0123456789abcdef", buckets=4)
CLASSIFIER = Classifier([campaigns.load("metoo")])


class Fate(Enum):
    """What becomes of one call."""

    DONE = "done"
    REFUSED = "refused"  # it never arrives
    LOST = "lost"  # it is done, and its answer is lost


class Turnstile:
    """Holds one call at a time."""

    def __init__(self) -> None:
        self._held: asyncio.Future[Fate] | None = None
        self._arrived = asyncio.Event()

    @property
    def holds(self) -> bool:
        return self._held is not None

    async def arrived(self) -> None:
        """Returns once a call is held."""
        await self._arrived.wait()

    def release(self, fate: Fate) -> None:
        assert self._held is not None
        held, self._held = self._held, None
        self._arrived.clear()
        held.set_result(fate)

    async def passing(self, call: Callable[[], Awaitable[Any]], broken: Exception) -> Any:
        self._held = asyncio.get_running_loop().create_future()
        self._arrived.set()
        fate = await self._held
        if fate is Fate.REFUSED:
            raise broken
        answer = await call()
        if fate is Fate.LOST:
            raise broken
        return answer


class HeldRedis:
    """A Redis client whose commands and scripts pass a turnstile."""

    def __init__(self, redis: Redis, turnstile: Turnstile) -> None:
        self._redis = redis
        self._turnstile = turnstile

    def register_script(self, script: str) -> Callable[..., Awaitable[Any]]:
        return self._held(self._redis.register_script(script))

    def __getattr__(self, command: str) -> Callable[..., Awaitable[Any]]:
        return self._held(getattr(self._redis, command))

    def _held(self, call: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
        async def held(*args: Any, **kwargs: Any) -> Any:
            broken = RedisConnectionError("cut")
            return await self._turnstile.passing(lambda: call(*args, **kwargs), broken)

        return held


class HeldOutputs:
    """Output topics that pass the same turnstile; `dead` outlives the worker, as Kafka does."""

    def __init__(self, turnstile: Turnstile, dead: set[tuple[int, int]]) -> None:
        self._turnstile = turnstile
        self._dead = dead

    async def write(self, place: Place, reading: Reading, result: Result) -> None:
        async def write() -> None:
            self._dead.update((place.partition, letter.record.offset) for letter in reading.dead)

        await self._turnstile.passing(write, KafkaConnectionError())


class Actor:
    """One worker's hold of one partition: at most one delivery or check at a time."""

    def __init__(
        self,
        redis: Redis,
        number: int,
        records: list[FakeRecord],
        dead: set[tuple[int, int]],
    ) -> None:
        self.turnstile = Turnstile()
        self.log = FakeLog(records)
        self.task: asyncio.Task[None] | None = None
        self._loop = asyncio.get_event_loop()
        store = PartitionStore(
            HeldRedis(redis, self.turnstile),  # type: ignore[arg-type] # same calls, held
            Layout("model:").partition(TOPIC, number),
        )
        observer = FakeObserver()
        self.partition = Partition(
            name=f"{TOPIC}:{number}",
            log=self.log,
            store=store,
            writer=BatchWriter(
                place=Place(TOPIC, number),
                store=store,
                outputs=HeldOutputs(self.turnstile, dead),
                observer=observer,
                kinship=NoKinship(),
                rules=RULES,
            ),
            observer=observer,
            limits=DeadLetterLimit(10**6, 10**6, 1.0),
            classifier=lambda: CLASSIFIER,
            rules=RULES,
            most=7,
            sleep=lambda _: asyncio.sleep(0),
        )

    def begin(self, limit: int) -> None:
        """Fetch and deliver; compare positions where nothing is to be fetched."""
        batch = self.log.fetch(limit)
        self._start(self.partition.check() if batch is None else self.partition.deliver(batch))

    def begin_check(self) -> None:
        self._start(self.partition.check())

    def _start(self, work: Any) -> None:
        assert self.task is None

        async def waited_out() -> None:
            with suppress(*RETRIED):  # a check is repeated by its caller
                await work

        self.task = self._loop.create_task(waited_out())
        self._settle()

    def step(self, fate: Fate) -> None:
        """Let the held call through, or break it, and run on to the next call."""
        self.turnstile.release(fate)
        self._settle()

    def finish(self) -> None:
        """Run what is in hand to its end, undisturbed."""
        while self.task is not None:
            self.step(Fate.DONE)

    def die(self) -> None:
        """SIGKILL: no call more.  (One already sent is a step before it.)"""
        if self.task is not None:
            self.task.cancel()
            self._loop.run_until_complete(asyncio.gather(self.task, return_exceptions=True))
            self.task = None

    def _settle(self) -> None:
        """Until a call is held, or nothing is in hand."""
        task = self.task
        assert task is not None

        async def settle() -> None:
            arrived = self._loop.create_task(self.turnstile.arrived())
            await asyncio.wait((task, arrived), return_when=asyncio.FIRST_COMPLETED)
            arrived.cancel()

        self._loop.run_until_complete(settle())
        if task.done():
            self.task = None
            task.result()  # what it raised is a failure
