"""Fixtures that all tests share: one embedded Kafka and one Redis for the whole run.

Tests keep apart by names of their own (`unique`): topics, groups, prefixes.  A test whose tool is
missing skips with a reason that begins with "needs "; with CI=true that is a failure.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from streams.config import KafkaSettings, RedisSettings, Settings, Topics
from streams.embedded import EmbeddedKafka, EmbeddedRedis

SHARED_DATA = Path(__file__).resolve().parents[2] / "shared" / "data"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """In CI a test may not be skipped because a tool is missing."""
    report = yield
    if report.skipped and os.environ.get("CI") == "true" and isinstance(report.longrepr, tuple):
        reason = report.longrepr[2].removeprefix("Skipped: ")
        if reason.startswith("needs "):
            report.outcome = "failed"
            report.longrepr = f"{item.nodeid}: {reason} (skipped tests fail with CI=true)"
    return report


@pytest.fixture(autouse=True)
def _no_settings_of_the_user(monkeypatch: pytest.MonkeyPatch) -> None:
    """The machine's own STREAMS_… variables do not reach a test."""
    for name in [name for name in os.environ if name.startswith("STREAMS_")]:
        monkeypatch.delenv(name)


@pytest.fixture(scope="session")
def tool() -> Callable[[str], str]:
    """Path of a program on the PATH; skips where there is none."""

    def find(name: str) -> str:
        return shutil.which(name) or pytest.skip(f"needs {name} on the PATH")

    return find


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of reference data that lies beside the repository; skips where it is absent."""
    if not SHARED_DATA.is_dir():
        pytest.skip("no shared data beside the repository")
    return SHARED_DATA


@pytest.fixture
def unique() -> str:
    """A name that no other test has."""
    return f"t{uuid4().hex[:10]}"


@pytest.fixture(scope="session")
def kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedKafka]:
    """A running Kafka for the whole run: one node, no topics; `kafka.bootstrap` is host:port."""
    with EmbeddedKafka(tmp_path_factory.mktemp("kafka")) as running:
        yield running


@pytest.fixture(scope="session")
def redis_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedRedis]:
    """A running Redis for the whole run; `redis_server.url`."""
    with EmbeddedRedis(tmp_path_factory.mktemp("redis")) as running:
        yield running


@pytest.fixture
def redis_url(redis_server: EmbeddedRedis) -> str:
    """URL of the running Redis; use a prefix of your own (`unique`), or `settings`."""
    return redis_server.url


@pytest.fixture
def settings(kafka: EmbeddedKafka, redis_server: EmbeddedRedis, unique: str) -> Settings:
    """Settings for the running Kafka and Redis with topics, group and prefix of the test's own."""
    return Settings(
        kafka=KafkaSettings(
            brokers=(kafka.bootstrap,),
            group=unique,
            partitions=4,
            topics=Topics(
                raw=f"{unique}.raw",
                keyed=f"{unique}.keyed",
                classified=f"{unique}.classified",
                dead=f"{unique}.dead",
            ),
        ),
        redis=RedisSettings(url=redis_server.url, prefix=f"{unique}:"),
        privacy={"author_key": "a key for tests, 16+ bytes"},
        worker={"port": 0},
        exporter={"port": 0},
    )
