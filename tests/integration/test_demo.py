"""The demo as a user calls it, and the comparison that it ends with.

Slow (up to a minute each): every test starts workers, one of them a Kafka of its own.
"""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import orjson
import psutil
from redis import Redis

from streams.config import Settings
from streams.demo.compare import compare
from streams.keys import US
from tests.integration.pipeline import Pipeline

STREAMS = [sys.executable, "-m", "streams"]


def command(*arguments: str, env: dict[str, str], cwd: Path) -> bytes:
    return subprocess.run(
        [*STREAMS, *arguments], env=env, cwd=cwd, check=True, capture_output=True, timeout=120
    ).stdout


async def test_one_changed_count_is_found(
    new_pipeline: Callable[..., Pipeline], tmp_path: Path
) -> None:
    pipeline = new_pipeline("keyed")
    env = pipeline.environment()
    command("check", "--create-topics", env=env, cwd=tmp_path)
    posts, truth = tmp_path / "day.ndjson", tmp_path / "truth.json"
    posts.write_bytes(
        command("simulate", "--posts", "3000", "--truth", str(truth), env=env, cwd=tmp_path)
    )
    command("replay", str(posts), env=env, cwd=tmp_path)
    pipeline.start_worker()
    await pipeline.wait_for(3000)
    true = orjson.loads(truth.read_bytes())

    def differences() -> list[tuple[str, str]]:
        counted = orjson.loads(command("counts", "--total", "--json", env=env, cwd=tmp_path))
        return [(row.group, row.name) for row in compare(counted, true) if row.difference]

    assert differences() == []
    redis = Redis.from_url(pipeline.settings.redis.url)
    key = next(iter(redis.scan_iter(f"{pipeline.settings.redis.prefix}*:g0:campaigns")))
    redis.hincrby(key, f"metoo{US}stance{US}unclear", 1)
    assert differences() == [("stance", "unclear")]
    redis.close()


def test_the_demo_on_a_kafka_and_redis_of_the_users_own(settings: Settings, tmp_path: Path) -> None:
    env = {
        **os.environ,
        "STREAMS_KAFKA__BROKERS": settings.kafka.brokers[0],
        "STREAMS_REDIS__URL": settings.redis.url,
    }
    done = subprocess.run(
        [*STREAMS, "demo", "--posts", "3000", "--once"],
        env=env,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "every count is exact" in done.stdout


def test_ctrl_c_ends_everything_that_the_demo_started(tmp_path: Path) -> None:
    bystander = subprocess.Popen(["sleep", "300"])
    demo = subprocess.Popen(
        [*STREAMS, "demo", "--posts", "200000"],
        cwd=tmp_path,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        started = _children_of(demo.pid, at_least=4)
        demo.send_signal(signal.SIGINT)
        assert demo.wait(60) == 130
        _, alive = psutil.wait_procs(started, timeout=20)
        assert alive == []
        assert bystander.poll() is None
        assert not (tmp_path / ".streams" / "demo.env").exists()
    finally:
        demo.kill()
        demo.wait()
        bystander.kill()
        bystander.wait()


def _children_of(pid: int, at_least: int) -> list[psutil.Process]:
    """The demo's processes, once Kafka, Redis, a worker and the exporter are among them."""
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        children = psutil.Process(pid).children(recursive=True)
        names = " ".join(map(_command_line, children))
        if len(children) >= at_least and all(
            part in names for part in ("kafka.Kafka", "redis-server", "worker", "exporter")
        ):
            return children
        time.sleep(0.2)  # polling a process tree: there is no event to wait for
    raise AssertionError("the demo did not start its parts")


def _command_line(process: psutil.Process) -> str:
    """Empty where it has ended meanwhile: the demo asks programs for their version."""
    try:
        return " ".join(process.cmdline())
    except psutil.Error:
        return ""


async def test_check_tells_whether_the_raw_topic_is_keyed_by_uid(
    new_pipeline: Callable[..., Pipeline], tmp_path: Path
) -> None:
    for mode, keyed, status, says in (
        ("keyed", True, 0, "is keyed by uid"),
        ("any", True, 0, 'kafka.input = "keyed" would save a hop'),
        ("any", False, 0, "are not keyed by uid"),
        ("keyed", False, 1, 'set kafka.input = "any"'),
    ):
        pipeline = new_pipeline(mode)
        topics = {name: f"{mode}{keyed}-{value}" for name, value in pipeline.settings.kafka.topics}
        kafka = pipeline.settings.kafka.model_copy(
            update={"topics": pipeline.settings.kafka.topics.model_copy(update=topics)}
        )
        pipeline.settings = pipeline.settings.model_copy(update={"kafka": kafka})
        await pipeline.fill(1000, keyed=keyed)
        done = await asyncio.create_subprocess_exec(
            *STREAMS,
            "check",
            env=pipeline.environment(),
            cwd=tmp_path,
            stdout=asyncio.subprocess.PIPE,
        )
        output = (await done.communicate())[0].decode()
        assert (done.returncode, says in output) == (status, True), output
