"""The embedded parts: they start, answer, survive a restart, and end with their parent."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from streams.config import Settings
from streams.embedded import Child, EmbeddedKafka, EmbeddedRedis, free_port, port_answers
from streams.embedded import jars as kafka_jars
from streams.embedded.redis import find_redis_server
from streams.errors import UserError
from streams.kafka import client_options, ensure_topics
from streams.redis_client import connect, ping

EVENT_MS = 1_508_098_271_000  # 15 October 2017
REPOSITORY = Path(__file__).resolve().parents[1]


async def _send(settings: Settings, topic: str, value: bytes) -> int:
    producer = AIOKafkaProducer(**client_options(settings.kafka), max_request_size=4 << 20)
    await producer.start()
    try:
        return (await producer.send_and_wait(topic, value, timestamp_ms=EVENT_MS)).offset
    finally:
        await producer.stop()


async def _first(settings: Settings, topic: str) -> tuple[bytes | None, int]:
    options = client_options(settings.kafka)
    consumer = AIOKafkaConsumer(topic, **options, auto_offset_reset="earliest")
    await consumer.start()
    try:
        record = await consumer.getone()
    finally:
        await consumer.stop()
    return record.value, record.timestamp


class TestTopics:
    async def test_are_made_once_and_keep_2017(self, settings: Settings) -> None:
        topics = settings.kafka.topics
        created = await ensure_topics(settings.kafka)
        assert sorted(created) == sorted({*topics.model_dump().values()} - {topics.campaigns})
        assert await ensure_topics(settings.kafka) == []
        await _send(settings, topics.raw, b"{}")
        assert await _first(settings, topics.raw) == (b"{}", EVENT_MS)

    async def test_the_dead_letters_topic_takes_the_largest_record_and_its_headers(
        self, settings: Settings
    ) -> None:
        await ensure_topics(settings.kafka)
        admin = AIOKafkaAdminClient(**client_options(settings.kafka))
        await admin.start()
        try:
            sizes = []
            for topic in (settings.kafka.topics.raw, settings.kafka.topics.dead):
                resource = ConfigResource(ConfigResourceType.TOPIC, topic)
                (response,) = await admin.describe_configs([resource])
                values = {entry[0]: entry[1] for entry in response.resources[0][4]}
                assert values["retention.ms"] == "-1"
                sizes.append(int(values["max.message.bytes"]))
        finally:
            await admin.close()
        assert sizes[1] >= sizes[0] + 64 * 1024

    async def test_an_unreachable_kafka_is_one_line(self, settings: Settings) -> None:
        kafka = settings.kafka.model_copy(update={"brokers": (f"127.0.0.1:{free_port()}",)})
        with pytest.raises(UserError, match=r"^Kafka at 127.* does not answer .*$"):
            await ensure_topics(kafka)


class TestRedisClient:
    async def test_reaches_the_embedded_redis(self, settings: Settings) -> None:
        client = connect(settings.redis)
        try:
            await ping(client, settings.redis)
        finally:
            await client.aclose()

    async def test_an_unreachable_redis_is_one_line(self, settings: Settings) -> None:
        redis = settings.redis.model_copy(update={"url": f"redis://127.0.0.1:{free_port()}/0"})
        client = connect(redis)
        try:
            with pytest.raises(UserError, match=r"^Redis at redis://127.* does not answer .*$"):
                await ping(client, redis)
        finally:
            await client.aclose()


class TestRedis:
    async def test_goes_on_with_its_data_after_a_kill(
        self, tmp_path: Path, settings: Settings
    ) -> None:
        with EmbeddedRedis(tmp_path, appendonly=True, options={"appendfsync": "always"}) as redis:
            client = connect(settings.redis.model_copy(update={"url": redis.url}), retries=3)
            try:
                await client.set("key", "value")
                await asyncio.to_thread(redis.kill)
                await asyncio.to_thread(redis.start)
                assert await client.get("key") == b"value"
            finally:
                await client.aclose()

    def test_a_busy_port_is_one_line(self, redis_server: EmbeddedRedis, tmp_path: Path) -> None:
        with pytest.raises(UserError, match="something listens on port"):
            EmbeddedRedis(tmp_path, port=redis_server.port).start()

    def test_the_newer_server_is_taken(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        newer = tmp_path / "redis-server"
        newer.write_text("#!/bin/sh\necho 'Redis server v=99.0.0 sha=0'\n", encoding="utf-8")
        newer.chmod(0o755)
        monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
        assert find_redis_server() == newer
        newer.write_text("#!/bin/sh\necho 'Redis server v=2.8.0 sha=0'\n", encoding="utf-8")
        assert find_redis_server() != newer


class TestKafka:
    async def test_goes_on_with_its_data_after_a_kill(
        self, tmp_path: Path, settings: Settings
    ) -> None:
        kafka = EmbeddedKafka(tmp_path)
        try:
            await asyncio.to_thread(kafka.start)
            brokers = settings.kafka.model_copy(update={"brokers": (kafka.bootstrap,)})
            own = settings.model_copy(update={"kafka": brokers})
            await ensure_topics(own.kafka)
            await _send(own, own.kafka.topics.raw, b"before")
            await asyncio.to_thread(kafka.kill)
            await asyncio.to_thread(kafka.start)
            assert await _first(own, own.kafka.topics.raw) == (b"before", EVENT_MS)
        finally:
            await asyncio.to_thread(kafka.stop)
        assert not port_answers(kafka.port)

    def test_a_wrong_property_is_one_line(self, tmp_path: Path) -> None:
        with pytest.raises(UserError, match=r"^cannot format Kafka's storage: .*$"):
            EmbeddedKafka(tmp_path, properties={"process.roles": "nonsense"}).start()


class TestJars:
    def test_are_pinned(self) -> None:
        jars = kafka_jars.pinned()
        assert "kafka_2.13" in {jar.artifact for jar in jars}
        assert all(len(jar.sha256) == 64 for jar in jars)
        assert len({(jar.group, jar.artifact) for jar in jars}) == len(jars)

    def test_without_network_one_line_says_what_to_do(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for name in ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{free_port()}")
        monkeypatch.delenv("NO_PROXY", raising=False)
        monkeypatch.delenv("no_proxy", raising=False)
        with pytest.raises(UserError, match=r"^cannot fetch .* connect to the internet .*$"):
            kafka_jars.classpath(tmp_path)
        assert list(tmp_path.iterdir()) == []


def _gone(pid: int) -> bool:
    """Whether the process has ended; a zombie that nobody collects has."""
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[
            0
        ] in ("Z", "X")
    except FileNotFoundError:
        return True


def _wait_gone(pids: list[int]) -> None:
    deadline = time.monotonic() + 20
    while not all(map(_gone, pids)):
        assert time.monotonic() < deadline, "children outlived their parent"
        time.sleep(0.05)


PARENT = """
import sys, time
from pathlib import Path
from streams.embedded import Child, EmbeddedRedis
folder = Path(sys.argv[1])
redis = EmbeddedRedis(folder).start()
shell = Child("shell", ["sh", "-c", "sleep 600 & echo $!; wait"], log=folder / "shell.log").start()
while not shell.log_tail(1):
    time.sleep(0.01)
print(redis.child.pid, shell.pid, shell.log_tail(1), flush=True)
time.sleep(600)
"""


class TestChildren:
    @pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
    @pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
    def test_end_with_their_parent_and_nothing_else_does(
        self, tmp_path: Path, number: signal.Signals
    ) -> None:
        bystander = subprocess.Popen(["sleep", "600"])
        with subprocess.Popen(
            [sys.executable, "-c", PARENT, str(tmp_path)],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd=REPOSITORY,
            text=True,
        ) as parent:
            try:
                assert parent.stdout is not None
                pids = [int(pid) for pid in parent.stdout.readline().split()]
                assert len(pids) == 3
                parent.send_signal(number)
                parent.wait(20)
                _wait_gone(pids)
                assert bystander.poll() is None
            finally:
                parent.kill()
                bystander.kill()
                bystander.wait()

    def test_that_ignore_sigterm_are_killed_with_their_group(self, tmp_path: Path) -> None:
        script = "trap '' TERM; sleep 600 & echo $!; while :; do wait; done"
        child = Child("stubborn", ["sh", "-c", script], log=tmp_path / "log").start()
        child.wait_ready(lambda: bool(child.log_tail()))
        grandchild = int(child.log_tail(1))
        assert child.stop(grace=0.2) == -signal.SIGKILL
        if sys.platform == "linux":
            _wait_gone([grandchild])
        assert not child.running

    def test_that_end_before_they_are_ready_say_why(self, tmp_path: Path) -> None:
        child = Child("broken", ["sh", "-c", "echo no such luck; exit 3"], log=tmp_path / "log")
        with pytest.raises(UserError, match=r"^broken ended at once \(status 3\): no such luck .*"):
            child.start().wait_ready(lambda: False)

    def test_that_cannot_be_run_are_named(self, tmp_path: Path) -> None:
        with pytest.raises(UserError, match="cannot run /nowhere"):
            Child("none", ["/nowhere"], log=tmp_path / "log").start()

    def test_a_stopped_child_can_be_ended(self, tmp_path: Path) -> None:
        child = Child("sleeper", ["sleep", "600"], log=tmp_path / "log").start()
        child.signal(signal.SIGSTOP)
        assert child.stop() == -signal.SIGTERM
