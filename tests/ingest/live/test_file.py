"""A file that grows, is renamed, cut or written anew; a FIFO; standard input."""

# ruff: noqa: ASYNC240 - small files, on this machine
from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import aiohttp
import pytest

from streams.config import Settings
from streams.embedded import EmbeddedKafka
from streams.errors import UserError
from streams.ingest.live.backoff import Backoff
from streams.ingest.live.file import FileSource
from streams.ingest.live.follow import follow
from streams.ingest.live.metrics import IngestObserver
from streams.ingest.live.source import Cursor, Item
from streams.ingest.simulate import load_scenario, simulate
from streams.kafka import ensure_topics
from tests.ingest.live.harness import (
    QUICK,
    Ingest,
    collect,
    environment,
    metric,
    stored_cursors,
    until_records,
    values,
)

LINES = [b'{"line":%d}' % n for n in range(60)]
LARGEST = 1000


def ndjson(lines: list[bytes], end: bytes = b"\n") -> bytes:
    return b"".join(line + end for line in lines)


def so_many(n: int) -> Callable[[list[Item]], bool]:
    return lambda found: len(values(found)) >= n


async def read(
    path: Path, observer: IngestObserver, n: int, cursor: Cursor | None = None
) -> tuple[list[bytes], Cursor | None]:
    source = FileSource(str(path), LARGEST, observer)
    items = await collect(source, observer, so_many(n), cursor=cursor)
    newest = [item.cursor for item in items if item.cursor is not None]
    return [i.value for i in items if i.value is not None], newest[-1] if newest else None


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "posts.ndjson"


async def test_lines_as_they_are_and_a_cursor_to_go_on(
    path: Path, observer: IngestObserver
) -> None:
    path.write_bytes(ndjson(LINES[:20], b"\r\n") + b"\n" + LINES[20])  # the last one grows still
    found, cursor = await read(path, observer, 20)
    assert found == LINES[:20]
    with path.open("ab") as file:
        file.write(b"\n" + ndjson(LINES[21:]))
    found, _ = await read(path, observer, 40, cursor)
    assert found == LINES[20:]


async def test_a_file_that_grows_while_it_is_read(path: Path, observer: IngestObserver) -> None:
    path.touch()

    async def write() -> None:
        for line in LINES:
            with path.open("ab") as file:
                file.write(line[:5])
                file.flush()
                await asyncio.sleep(0.001)
                file.write(line[5:] + b"\n")

    writing = asyncio.create_task(write())
    assert (await read(path, observer, len(LINES)))[0] == LINES
    await writing


async def test_a_renamed_file_is_read_to_its_end(
    path: Path, observer: IngestObserver, unique: str
) -> None:
    path.write_bytes(ndjson(LINES[:10]))
    waiting: asyncio.Queue[Item] = asyncio.Queue()
    source = FileSource(str(path), LARGEST, observer)
    task = asyncio.create_task(follow(source, None, waiting, observer, Backoff(QUICK)))
    found = [await waiting.get() for _ in range(10)]
    with path.open("ab") as old:
        path.rename(path.with_suffix(".ndjson.1"))
        old.write(ndjson(LINES[10:20]))
    path.write_bytes(ndjson(LINES[20:]))
    async with asyncio.timeout(30):
        while len(values(found)) < len(LINES):
            found.append(await waiting.get())
    task.cancel()
    assert [item.value for item in found if item.value is not None] == LINES
    assert metric("streams_ingest_gaps_total", unique) == 0


async def test_renamed_while_nobody_read(path: Path, observer: IngestObserver, unique: str) -> None:
    path.write_bytes(ndjson(LINES[:10]))
    _, cursor = await read(path, observer, 10)
    with path.open("ab") as file:
        file.write(ndjson(LINES[10:20]))
    path.rename(path.with_suffix(".ndjson.1"))
    path.write_bytes(ndjson(LINES[20:]))
    found, _ = await read(path, observer, 50, cursor)
    assert found == LINES[10:]
    assert metric("streams_ingest_gaps_total", unique) == 0


async def test_another_file_is_begun_at_its_beginning_and_said(
    path: Path, observer: IngestObserver, unique: str
) -> None:
    path.write_bytes(ndjson(LINES[:10]))
    _, cursor = await read(path, observer, 10)
    path.write_bytes(ndjson(LINES[30:50]))
    found, _ = await read(path, observer, 20, cursor)
    assert found == LINES[30:50]
    assert metric("streams_ingest_gaps_total", unique) == 1


async def test_a_line_that_is_too_long_is_left_out_and_said(
    path: Path, observer: IngestObserver, unique: str
) -> None:
    path.write_bytes(ndjson(LINES[:5]) + b"x" * (1 << 20) + b"\n" + ndjson(LINES[5:]))
    assert (await read(path, observer, len(LINES)))[0] == LINES
    assert metric("streams_ingest_skipped_total", unique, reason="too_large") == 1


async def test_a_file_that_is_not_there_yet(path: Path, observer: IngestObserver) -> None:
    reading = asyncio.create_task(read(path, observer, len(LINES)))
    await asyncio.sleep(0.05)
    path.write_bytes(ndjson(LINES))
    assert (await reading)[0] == LINES


async def test_a_folder_is_refused(tmp_path: Path, observer: IngestObserver) -> None:
    with pytest.raises(UserError, match="neither a file nor a FIFO"):
        await read(tmp_path, observer, 1)


async def test_a_fifo_outlives_its_writers(path: Path, observer: IngestObserver) -> None:
    os.mkfifo(path)
    reading = asyncio.create_task(read(path, observer, len(LINES)))
    for part in (LINES[:30], LINES[30:]):
        await asyncio.to_thread(path.write_bytes, ndjson(part))
    assert (await reading)[0] == LINES


def test_standard_input_without_kafka(settings: Settings, unique: str) -> None:
    lines = list(simulate(load_scenario("metoo-day"), posts=300, seed=2))
    command = [sys.executable, "-m", "streams", "ingest", "file", "-", "--stdout"]
    found = subprocess.run(
        command, input=ndjson(lines), capture_output=True, timeout=60, check=True,
        env=environment(settings, unique, {}),
    )  # fmt: skip
    assert found.stdout == ndjson(lines)


async def test_a_killed_process_loses_nothing(
    settings: Settings, unique: str, tmp_path: Path, path: Path, http: aiohttp.ClientSession
) -> None:
    """Slow: three processes, two of them killed while the file grows."""
    await ensure_topics(settings.kafka)
    lines = sorted(set(simulate(load_scenario("metoo-day"), posts=3000, seed=5)))
    ingest = Ingest(settings, unique, tmp_path, "file", str(path))
    for begin, end in ((0, 900), (900, 1800)):
        with path.open("ab") as file:
            file.write(ndjson(lines[begin:end]))
        await ingest.start()
        await until_records(settings, begin + 1)
        await ingest.kill()
    with path.open("ab") as file:
        file.write(ndjson(lines[1800:]))
    await ingest.start()
    found = await until_records(settings, len(lines))
    page = await ingest.metrics(http)
    assert 'streams_ingest_connected{source="file"} 1.0' in page
    assert 'streams_ingest_cursor_age_seconds{source="file"}' in page
    assert await ingest.stop() == 0
    assert {record.value for record in found} == set(lines)
    cursors = await stored_cursors(settings, unique)
    assert cursors[-1]["offset"] == path.stat().st_size


@pytest.mark.slow
async def test_a_broker_that_is_killed_and_comes_back(
    settings: Settings, unique: str, tmp_path: Path, path: Path
) -> None:
    """Slow: a Kafka of its own, which is started twice, while the file grows."""
    with EmbeddedKafka(tmp_path / "kafka") as kafka:
        own = settings.kafka.model_copy(update={"brokers": (kafka.bootstrap,)})
        settings = settings.model_copy(update={"kafka": own})
        await ensure_topics(settings.kafka)
        lines = sorted(set(simulate(load_scenario("metoo-day"), posts=3000, seed=6)))
        path.write_bytes(ndjson(lines[:1000]))
        ingest = Ingest(settings, unique, tmp_path, "file", str(path))
        await ingest.start()
        await until_records(settings, 1000)
        with path.open("ab") as file:
            file.write(ndjson(lines[1000:2000]))
            file.flush()
            await asyncio.to_thread(kafka.kill)
            file.write(ndjson(lines[2000:]))
        await asyncio.to_thread(kafka.start)
        found = await until_records(settings, len(lines))
        assert await ingest.stop() == 0
    assert {record.value for record in found} == set(lines)
