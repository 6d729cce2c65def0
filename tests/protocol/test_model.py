"""A model of the protocol: whatever happens in whatever order, counters are a function of the log.

Two workers hold both partitions at once, which is every zombie and every rebalance.  Hypothesis
chooses the next of: let a worker's held call to Redis or Kafka through, refuse it, or lose its
answer; kill a worker between two calls; lose a fetched batch; append posts, repeats, late posts and
unreadable ones; put Redis back to any earlier state, of one partition or of all.  The Lua scripts
run on a real Redis.

After every step each partition's outcomes are those of its log up to the stored offset, and
its dead letters are written.  At the end, once the log is drained, every key is what one worker
writes that reads the log in one go.
"""

from __future__ import annotations

import asyncio
import os
from collections import Counter
from typing import ClassVar

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from redis import Redis
from redis.asyncio import Redis as AsyncRedis

from streams.keys import Layout
from tests.faults.judge import compare_keys, fold, snapshot
from tests.protocol.actors import RULES, TOPIC, Actor, Fate
from tests.protocol.fakes import START_MS, FakeRecord, post, record

PREFIX = "model:"
WORKERS = 2
PARTITIONS = 2
HOUR_MS = 3_600_000
#: Hours from one post's number to the next: 40 numbers pass the horizon of 25 h thrice.
STEP_HOURS = 2
UNREADABLE = -1
EXAMPLES = int(os.environ.get("EXAMPLES", "40"))

workers = st.integers(0, WORKERS - 1)
partitions = st.integers(0, PARTITIONS - 1)
limits = st.integers(1, 12)
numbers = st.lists(st.integers(UNREADABLE, 40), min_size=1, max_size=10)
fates = st.sampled_from([Fate.DONE] * 5 + [Fate.REFUSED, Fate.LOST])
TEXTS = ("Good morning #hello", "#MeToo", "Me too.", "#MeToo #hello")


def entry(partition: int, offset: int, number: int) -> FakeRecord:
    """The same number is the same uid, and each uid has one partition."""
    if number == UNREADABLE:
        value = b"{ %d" % offset
    else:
        at = START_MS + number * STEP_HOURS * HOUR_MS
        uid = number * PARTITIONS + partition
        value = post(uid, TEXTS[number % len(TEXTS)], at=at)
    made = record(offset, value, at=START_MS + 10 * 24 * HOUR_MS + offset)
    made.partition = partition
    return made


class Protocol(RuleBasedStateMachine):
    url: ClassVar[str]

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        asyncio.set_event_loop(self.loop)
        self.judge: Redis = Redis.from_url(self.url)
        self.judge.flushdb()
        self.client = AsyncRedis.from_url(self.url)
        self.logs: list[list[FakeRecord]] = [[] for _ in range(PARTITIONS)]
        self.dead: set[tuple[int, int]] = set()  # written to posts.dead: partition, offset
        self.past: list[dict[bytes, bytes]] = [{}]  # states of Redis; the first is an empty one
        self.actors = {(w, p): self.actor(p) for w in range(WORKERS) for p in range(PARTITIONS)}

    def actor(self, partition: int) -> Actor:
        return Actor(self.client, partition, self.logs[partition], self.dead)

    # What the world does.

    @initialize(data=st.tuples(numbers, numbers))
    def first(self, data: tuple[list[int], list[int]]) -> None:
        for partition, some in enumerate(data):
            self.append(partition, some)

    @rule(partition=partitions, some=numbers)
    def append(self, partition: int, some: list[int]) -> None:
        log = self.logs[partition]
        log += [entry(partition, len(log) + i, number) for i, number in enumerate(some)]

    @rule()
    def remember(self) -> None:
        names: list[bytes] = self.judge.keys("*")
        pipe = self.judge.pipeline()
        for name in names:
            pipe.dump(name)
        self.past.append(dict(zip(names, pipe.execute(), strict=True)))

    @rule(back=st.integers(0, 5), which=st.none() | partitions)
    def roll_back(self, back: int, which: int | None) -> None:
        """To one of the last states that were remembered, or to nothing at all."""
        state = self.past[-1 - back] if back < len(self.past) else self.past[0]
        ours = "" if which is None else f"{{{TOPIC}:{which}}}"
        pipe = self.judge.pipeline()
        for name in self.judge.keys("*"):
            if ours in name.decode():
                pipe.delete(name)
        for name, value in state.items():
            if ours in name.decode():
                pipe.restore(name, 0, value)
        pipe.execute()

    # What workers do.

    @rule(worker=workers, partition=partitions, limit=limits, fate=fates)
    def step(self, worker: int, partition: int, limit: int, fate: Fate) -> None:
        """One call further; a worker with nothing in hand begins something."""
        actor = self.actors[worker, partition]
        if actor.task is None:
            actor.begin(limit)
        else:
            actor.step(fate)

    @rule(worker=workers, partition=partitions, limit=limits, times=st.integers(1, 3))
    def work(self, worker: int, partition: int, limit: int, times: int) -> None:
        """Finish what is in hand, and some batches more."""
        actor = self.actors[worker, partition]
        actor.finish()
        for _ in range(times):
            actor.begin(limit)
            actor.finish()

    @rule(worker=workers, partition=partitions)
    def watch(self, worker: int, partition: int) -> None:
        actor = self.actors[worker, partition]
        if actor.task is None:
            actor.begin_check()

    @rule(worker=workers, partition=partitions, limit=limits)
    def lose_batch(self, worker: int, partition: int, limit: int) -> None:
        self.actors[worker, partition].log.fetch(limit)

    @precondition(lambda self: any(actor.task for actor in self.actors.values()))
    @rule(worker=workers)
    def kill(self, worker: int) -> None:
        for partition in range(PARTITIONS):
            self.actors[worker, partition].die()
            self.actors[worker, partition] = self.actor(partition)

    # What has to hold.

    @invariant()
    def outcomes_are_those_of_the_log(self) -> None:
        for partition, log in enumerate(self.logs):
            keys = Layout(PREFIX).partition(TOPIC, partition)
            with self.judge.pipeline() as pipe:
                pipe.hget(keys.state, "offset").hgetall(keys.gen(0).outcomes)
                offset, outcomes = pipe.execute()
            counted = log[: int(offset or 0)]
            found: Counter[str] = Counter()
            for name, n in outcomes.items():
                found[name.decode().rpartition("\x1f")[2]] += int(n)
            assert found == fold(counted, RULES.horizon_ms)  # type: ignore[arg-type] # same shape
            unreadable = {(partition, r.offset) for r in counted if r.value.startswith(b"{ ")}
            assert unreadable <= self.dead

    def teardown(self) -> None:
        try:
            for actor in self.actors.values():
                actor.finish()
            # A rollback is found by the first turn, a lost batch by the second; then others see it.
            for _ in range(4):
                for actor in self.actors.values():
                    self.drain(actor, 10)
            for (_, partition), actor in self.actors.items():
                assert actor.partition.offset == (len(self.logs[partition]) or None)
            self.outcomes_are_those_of_the_log()
            found = snapshot(self.judge, PREFIX)
            self.judge.flushdb()
            for partition in range(PARTITIONS):
                self.drain(self.actor(partition), 10_000)
            assert compare_keys(found, snapshot(self.judge, PREFIX)) == (0, 0, [])
        finally:
            for actor in self.actors.values():
                actor.die()
            self.loop.run_until_complete(self.client.aclose())
            self.judge.close()
            self.loop.close()
            asyncio.set_event_loop(None)

    def drain(self, actor: Actor, limit: int) -> None:
        while True:
            epoch, position = actor.log.epoch, actor.log.position
            actor.begin(limit)
            actor.finish()
            if (epoch, position) == (actor.log.epoch, actor.log.position):
                return


def test_counters_are_a_function_of_the_log_whatever_happens(redis_url: str) -> None:
    """Slow (half a minute): some thousand steps, each with calls to a real Redis."""
    Protocol.url = redis_url.rpartition("/")[0] + "/3"
    run_state_machine_as_test(
        Protocol,
        settings=settings(
            max_examples=EXAMPLES,
            stateful_step_count=60,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
