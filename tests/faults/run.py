"""`make faults`: replay simulated posts, break everything in turn, and compare every number.

    python -m tests.faults.run --posts 200000 --seed 7

The order of faults, their victims and how long they last are drawn from the seed.  Exit status 0
only if nothing was lost, nothing counted twice, and all else held, too.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import math
import random
import tempfile
import time
from collections import Counter
from contextlib import ExitStack
from pathlib import Path
from typing import Final, NamedTuple

from streams.errors import UserError
from streams.kafka import ensure_topics
from tests.benchmarks.services import entry, say
from tests.faults import on_kafka, on_network, on_redis, on_workers
from tests.faults.fault import FAULTS, Fault
from tests.faults.feed import Feed
from tests.faults.final import judge
from tests.faults.glance import Glances
from tests.faults.judge import committed, ends
from tests.faults.stage import HORIZONS, Progress, Stage
from tests.faults.workers import all_running

__all__ = ["on_kafka", "on_network", "on_redis", "on_workers"]

PARTITIONS: Final = 6
WORKERS: Final = 3
_DRAIN_SECONDS: Final = 150.0


class Step(NamedTuple):
    """One fault of a run."""

    fault: str
    seed: str  # of its dice
    burst: bool  # posts come at once, so that batches are under way; else a few at a time
    drain: bool  # whether all is counted before the next one; else faults meet


def schedule(seed: int, count: int, names: list[str]) -> list[Step]:
    """Every fault once, in random order, then all of them again."""
    dice = random.Random(f"schedule {seed}")
    order: list[str] = []
    while len(order) < count:
        order += dice.sample(names, len(names))
    return [
        Step(name, f"{seed} {n} {name}", dice.random() < 0.6, dice.random() < 0.5)
        for n, name in enumerate(order[:count])
    ]


class Run:
    """One stage under one schedule."""

    def __init__(self, stage: Stage, feed: Feed, progress: Progress) -> None:
        self.wrong: list[str] = []
        self._stage = stage
        self._feed = feed
        self._progress = progress

    def step(self, step: Step, posts: int) -> None:
        stage, fault = self._stage, FAULTS[step.fault]()
        dice = random.Random(step.seed)
        if fault.settles:
            stage.settled()
        seconds = dice.uniform(*fault.hold)
        self._progress.label = step.fault
        self._feed.begin(posts, 0.0 if step.burst else seconds + 1.0)
        time.sleep(dice.uniform(0.0, 0.3))
        try:
            fault.inject(stage, dice)
            time.sleep(seconds)
            fault.check(stage)
        except UserError as error:
            self.complain(str(error))
        finally:
            self._mend(fault)
        self._feed.finish()
        if step.drain:
            self.drain()

    def complain(self, text: str) -> None:
        say(f"WRONG  {text}")
        self.wrong.append(text)

    def _mend(self, fault: Fault) -> None:
        try:
            fault.heal(self._stage)
        except UserError as error:
            self.complain(str(error))

    def drain(self) -> None:
        """Wait until everything that was fed is counted.  UserError where it takes too long."""
        stage = self._stage
        deadline = time.monotonic() + _DRAIN_SECONDS
        while True:
            all_running(stage.workers)
            wanted = self._wanted()
            if wanted is not None:
                self._progress.extra = max(0, sum(wanted) - self._feed.fed)
                if self._progress.offsets == wanted:
                    return
            if time.monotonic() > deadline:
                raise UserError(
                    f"after {self._progress.label}: counted up to {self._progress.offsets} of "
                    f"{wanted} and no further"
                )
            time.sleep(0.1)

    def _wanted(self) -> list[int] | None:
        """Next offsets once all is counted; None while posts wait to be forwarded."""
        stage = self._stage
        kafka, bootstrap = stage.settings.kafka, stage.kafka.bootstrap
        if stage.mode == "any":
            raw = ends(bootstrap, kafka.topics.raw)
            if committed(bootstrap, kafka.group, kafka.topics.raw, kafka.partitions) != raw:
                return None
        found = ends(bootstrap, stage.counted_topic)
        return [found[p] for p in sorted(found)]


def main() -> int:
    options = _options()
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # what is broken is known here
    asked = [name for name in FAULTS if not options.only or options.only in name]
    names = [name for name in asked if FAULTS[name].possible()]
    for name in sorted({*asked} - {*names}):
        say(f"left out: {name} (needs redis-server 7 on the PATH)")
    count = options.faults or max(len(names), options.posts // 2500)
    steps = schedule(options.seed, count, names)
    portion = math.ceil(options.posts / count)
    began = time.monotonic()
    with ExitStack() as stack:
        folder = Path(
            options.keep
            or stack.enter_context(
                tempfile.TemporaryDirectory(prefix="streams-faults-", ignore_cleanup_errors=True)
            )
        )
        stage = stack.enter_context(
            Stage(
                folder,
                mode=options.mode,
                partitions=PARTITIONS,
                workers=WORKERS,
                horizon=HORIZONS[options.seed % 2],
            )
        )
        kafka = stage.settings.kafka
        asyncio.run(ensure_topics(kafka.model_copy(update={"brokers": (stage.kafka.bootstrap,)})))
        feed = stack.enter_context(
            Feed(
                kafka,
                posts=options.posts,
                seed=options.seed,
                keyed=options.mode == "keyed",
                bootstrap=stage.kafka.bootstrap,
            )
        )
        progress = stack.enter_context(Progress(stage, lambda: feed.fed))
        stage.start_workers()
        glances = stack.enter_context(Glances(stage))
        run = Run(stage, feed, progress)
        for number, step in enumerate(steps, 1):
            say(f"{time.monotonic() - began:6.0f} s  {number:3}/{count}  {step.fault}")
            run.step(step, portion)
        progress.label = "the rest"
        feed.begin(None, 0)
        feed.finish()
        run.drain()
        progress.label = "an older RDB under an idle topic"
        run.step(Step("Redis restored from an RDB", f"{options.seed} idle", True, True), 0)
        glances.stop()
        verdict = judge(stage, feed)
        wrong = [*run.wrong, *glances.wrong, *verdict.wrong]
        _report(options, steps, feed, progress, glances, stage, time.monotonic() - began)
        say("")
        for line in wrong[:40]:
            say(f"WRONG  {line}")
        print(  # noqa: T201 - the result
            f"posts lost {verdict.lost}, posts counted twice {verdict.twice}, "
            f"{len(wrong)} other complaints"
        )
        return 1 if wrong or verdict.lost or verdict.twice else 0


def _report(
    options: argparse.Namespace,
    steps: list[Step],
    feed: Feed,
    progress: Progress,
    glances: Glances,
    stage: Stage,
    seconds: float,
) -> None:
    injected = Counter(step.fault for step in steps)
    lines = [f"{n:4}  {name}" for name, n in sorted(injected.items())]
    lines += [
        f"seed {options.seed}, mode {options.mode}: {feed.fed:,} records ({feed.extra:,} of them "
        f"redelivered or poison), {len(steps)} faults, {seconds:.0f} s",
        f"longest stall {progress.longest_stall:.1f} s ({progress.stall_during}); "
        f"{glances.taken:,} looks of a reader, whole batches each time",
    ]
    if stage.hand_overs:
        took = ", ".join(f"{seconds:.1f}" for seconds in stage.hand_overs)
        lines.append(
            f"SIGTERM to another worker's first commit: {took} s, at most "
            f"{max(stage.hand_overs):.1f} s"
        )
    print("\n".join(lines))  # noqa: T201 - the result


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, prog="make faults")
    parser.add_argument("--posts", type=int, default=200_000, help="simulated posts")
    parser.add_argument("--seed", type=int, default=1, help="draws posts, faults and their order")
    parser.add_argument("--faults", type=int, default=0, help="how many (default: by posts)")
    parser.add_argument("--mode", choices=("keyed", "any"), default="keyed", help="kafka.input")
    parser.add_argument("--only", default="", help="faults whose name holds this")
    parser.add_argument("--keep", default="", help="folder for data and logs, kept")
    return parser.parse_args()


if __name__ == "__main__":
    raise SystemExit(entry(main))
