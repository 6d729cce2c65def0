"""TLS, SCRAM, client certificates and the shipped ACL users, on a real Kafka and Redis."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from redis import Redis

from streams.config import KafkaSettings, RedisSettings, Settings, Topics
from streams.embedded import Child, free_port, url_answers
from tests.integration.pipeline import Pipeline
from tests.integration.secured import KAFKA_PASSWORD, REDIS_PASSWORD, Secured, secured
from tests.redis_server import knows

POSTS = 3_000
EXPORTER, WORKER = "streams-exporter", "streams-worker"


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Secured]:
    if not knows("tls-port 0"):
        pytest.skip("needs a redis-server with TLS on the PATH")
    with secured(tmp_path_factory.mktemp("secured")) as running:
        yield running


@dataclass
class SecuredPipeline(Pipeline):
    """Workers go the secured way; the test itself takes the plain ports."""

    way: dict[str, str] = field(default_factory=dict)

    def environment(self) -> dict[str, str]:
        return {**super().environment(), **self.way, "STREAMS_LOG_LEVEL": "DEBUG"}


@pytest.fixture
def plain(servers: Secured, unique: str) -> Settings:
    """The test's own topics, reached by the plain ports."""
    return Settings(
        kafka=KafkaSettings(
            brokers=(servers.kafka.bootstrap,),
            input="keyed",
            group=unique,
            partitions=4,
            topics=Topics(
                raw=f"{unique}.raw",
                keyed=f"{unique}.keyed",
                classified=f"{unique}.classified",
                dead=f"{unique}.dead",
            ),
        ),
        redis=RedisSettings(url=servers.redis.url, prefix="streams:"),
        privacy={"author_key": "a key for tests, 16+ bytes"},
    )


def no_secrets(text: str) -> None:
    for secret in (KAFKA_PASSWORD, REDIS_PASSWORD, "another-password"):
        assert secret not in text


@pytest.mark.parametrize("way", ["scram", "mtls"])
async def test_all_is_counted_the_secured_way_and_nothing_is_refused(
    servers: Secured, plain: Settings, tmp_path: Path, way: str
) -> None:
    kafka = servers.scram_settings() if way == "scram" else servers.mtls_settings()
    pipeline = SecuredPipeline(plain, tmp_path, way={**kafka, **servers.redis_settings(WORKER)})
    port = free_port()
    exporter = Child(
        "exporter",
        [sys.executable, "-m", "streams", "exporter"],
        log=tmp_path / "exporter.log",
        env={
            **pipeline.environment(),
            **servers.redis_settings(EXPORTER),
            "STREAMS_EXPORTER__PORT": str(port),
            "STREAMS_EXPORTER__INTERVAL": "0.2",
        },
    )
    with Redis.from_url(servers.redis.url) as redis:
        redis.flushall()
        redis.acl_log_reset()
        try:
            await pipeline.fill(POSTS)
            exporter.start()
            pipeline.start_worker()
            assert (await pipeline.wait_for(POSTS))["campaigns"] == pipeline.truth["campaigns"]
            for path in ("readyz", "api/v1/hashtags", "api/v1/posts?campaign=metoo"):
                exporter.wait_ready(lambda p=path: url_answers(f"http://127.0.0.1:{port}/{p}"))  # type: ignore[misc]
        finally:
            pipeline.stop()
            exporter.stop()
        assert [(entry["reason"], entry["object"]) for entry in redis.acl_log()] == []
    no_secrets(pipeline.workers[0].log.read_text() + exporter.log.read_text())


def test_users_may_do_no_more_than_they_have_to(servers: Secured) -> None:
    refused = {
        WORKER: [
            ("KEYS", "*"), ("SCAN", "0"), ("FLUSHALL",), ("CONFIG", "GET", "*"),
            ("LPUSH", "streams:x", "1"), ("HSET", "other:x", "a", "1"), ("ACL", "LIST"),
            ("EVAL", "return redis.call('FLUSHALL')", "0"),
        ],
        EXPORTER: [
            ("KEYS", "*"), ("FLUSHALL",), ("CONFIG", "GET", "*"),
            ("SADD", "streams:1:partitions", "x"), ("HDEL", "streams:x", "a"), ("GET", "other:x"),
        ],
    }  # fmt: skip
    with Redis.from_url(servers.redis.url) as admin:
        for user, commands in refused.items():
            for command in commands:
                # A dry run says nothing of a script's own calls: those are really run below.
                answer = admin.execute_command("ACL", "DRYRUN", user, *command)
                if command[0] == "EVAL":
                    continue
                assert answer != b"OK", (user, command)
    with (
        Redis(
            port=servers.redis_port,
            ssl=True,
            ssl_ca_certs=str(servers.ca),
            username=WORKER,
            password=REDIS_PASSWORD,
        ) as redis,
        pytest.raises(Exception, match=r"(?i)permission|can.t run"),
    ):
        redis.execute_command("EVAL", "return redis.call('FLUSHALL')", "0")


Change = Callable[[Secured], dict[str, str]]


def kafka_cases() -> list[tuple[str, Change, str]]:
    def mtls(s: Secured, **changed: str) -> dict[str, str]:
        return {
            **s.mtls_settings(),
            **{f"STREAMS_KAFKA__{k.upper()}": v for k, v in changed.items()},
        }

    def scram(s: Secured, **changed: str) -> dict[str, str]:
        return {
            **s.scram_settings(),
            **{f"STREAMS_KAFKA__{k.upper()}": v for k, v in changed.items()},
        }

    return [
        ("wrong password", lambda s: scram(s, password_file=str(s.wrong_secret)), "refuses"),
        ("other authority", lambda s: scram(s, ca_file=str(s.other_ca)), "certificate is refused"),
        ("expired", lambda s: scram(s, brokers=f"127.0.0.1:{s.expired}"), "expired"),
        (
            "certificate of a stranger",
            lambda s: mtls(
                s, cert_file=str(s.stranger.certificate), key_file=str(s.stranger.key)
            ),
            "does it trust kafka.cert_file",
        ),
    ]  # fmt: skip


def redis_cases() -> list[tuple[str, Change, str]]:
    return [
        (
            "wrong password",
            lambda s: {"STREAMS_REDIS__PASSWORD_FILE": str(s.wrong_secret)},
            "invalid username-password pair",
        ),
        (
            "other authority",
            lambda s: {"STREAMS_REDIS__CA_FILE": str(s.other_ca)},
            "certificate verify failed",
        ),
    ]


def run_check(folder: Path, environment: dict[str, str]) -> tuple[int | None, str]:
    child = Child(
        "check", [sys.executable, "-m", "streams", "check"], log=folder / "check.log",
        env=environment,
    ).start()  # fmt: skip
    try:
        return child.wait(60), child.log.read_text()
    finally:
        child.kill()


def base(plain: Settings, tmp_path: Path) -> dict[str, str]:
    return {**os.environ, **Pipeline(plain, tmp_path).environment()}


@pytest.mark.parametrize(
    ("change", "reason"), [pytest.param(c, r, id=n) for n, c, r in kafka_cases()]
)
def test_a_kafka_that_refuses_is_said_in_one_line(
    servers: Secured, plain: Settings, tmp_path: Path, change: Change, reason: str
) -> None:
    environment = {
        **base(plain, tmp_path),
        **servers.redis_settings(WORKER),
        **change(servers),
        "STREAMS_WORKER__PORT": "0",
    }
    status, said = run_check(tmp_path, environment)
    assert status == 1
    (line,) = [line for line in said.splitlines() if "FAIL" in line]
    assert reason in line
    worker = Child(
        "worker", [sys.executable, "-m", "streams", "worker"], log=tmp_path / "worker.log",
        env=environment,
    ).start()  # fmt: skip
    try:
        worker.wait_ready(lambda: reason in worker.log.read_text(), timeout=60)
    finally:
        worker.stop()
    assert "Traceback" not in worker.log.read_text() + said
    no_secrets(worker.log.read_text() + said)


@pytest.mark.parametrize(
    ("change", "reason"), [pytest.param(c, r, id=n) for n, c, r in redis_cases()]
)
def test_a_redis_that_refuses_is_said_in_one_line(
    servers: Secured, plain: Settings, tmp_path: Path, change: Change, reason: str
) -> None:
    environment = {
        **base(plain, tmp_path),
        **servers.redis_settings(EXPORTER),
        **change(servers),
        "STREAMS_EXPORTER__PORT": "0",
        "STREAMS_EXPORTER__INTERVAL": "0.2",
    }
    status, said = run_check(tmp_path, environment)
    assert status == 1
    assert [line for line in said.splitlines() if "FAIL" in line and reason in line]
    exporter = Child(
        "exporter", [sys.executable, "-m", "streams", "exporter"], log=tmp_path / "exporter.log",
        env=environment,
    ).start()  # fmt: skip
    try:
        exporter.wait_ready(lambda: reason in exporter.log.read_text(), timeout=60)
    finally:
        exporter.stop()
    assert "Traceback" not in exporter.log.read_text() + said
    no_secrets(exporter.log.read_text() + said)
