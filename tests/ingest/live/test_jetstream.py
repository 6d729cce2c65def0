"""Jetstream over a web socket: cuts, half-open connections, repeats, disorder, refusals, zstd."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import aiohttp
import orjson
import pytest
import zstandard

from streams.config import JetstreamSettings, Settings
from streams.errors import UserError
from streams.ingest.live.jetstream import JetstreamSource
from streams.ingest.live.metrics import IngestObserver
from streams.ingest.live.source import Cursor
from streams.kafka import ensure_topics
from tests.ingest.live.fake_jetstream import FakeJetstream, Plan, events
from tests.ingest.live.harness import (
    Ingest,
    collect,
    environment,
    metric,
    serving,
    stored_cursors,
    until_records,
    values,
)
from tests.posts.samples_bluesky import DID, TIME_US

LOG = events(400)


async def read_all(
    fake: FakeJetstream,
    http: aiohttp.ClientSession,
    observer: IngestObserver,
    *,
    cursor: Cursor | None = None,
    pause: float = 0.0,
    silence: float = 30.0,
    dictionary: Path | None = None,
) -> list[bytes]:
    async with serving(fake.route) as where:
        settings = JetstreamSettings(
            urls=(f"ws://{where}/subscribe",), timeout=silence, dictionary=dictionary
        )
        source = JetstreamSource(settings, http, observer)
        items = await collect(
            source,
            observer,
            lambda found: len(values(found)) == len(fake.log),
            cursor=cursor,
            pause=pause,
        )
    cursors = [item.cursor["time_us"] for item in items if item.cursor is not None]
    assert cursors == sorted(cursors)
    return [item.value for item in items if item.value is not None]


async def test_events_as_they_are_and_only_the_wanted(
    http: aiohttp.ClientSession, observer: IngestObserver
) -> None:
    fake = FakeJetstream(LOG)
    assert await read_all(fake, http, observer) == LOG
    (query,) = fake.queries
    assert query.getall("wantedCollections") == ["app.bsky.feed.post", "app.bsky.feed.repost"]
    assert "cursor" not in query


@pytest.mark.parametrize(
    "plan",
    [
        Plan(cut_after=90),
        Plan(close_after=90),
        Plan(cut_after=90, repeat=2),
        Plan(cut_after=90, shuffle=7),
    ],
    ids=["cut", "closed", "repeated", "in disorder"],
)
async def test_nothing_is_lost_between_connections(
    http: aiohttp.ClientSession, observer: IngestObserver, unique: str, plan: Plan
) -> None:
    fake = FakeJetstream(events(400, step_us=500_000), [plan, plan, plan])
    assert set(await read_all(fake, http, observer)) == set(fake.log)
    assert len(fake.queries) == 4
    assert metric("streams_ingest_gaps_total", unique) == 0
    reason = "end" if plan.close_after else "network"
    assert metric("streams_ingest_reconnects_total", unique, reason=reason) == 3


async def test_a_half_open_connection_is_given_up(
    http: aiohttp.ClientSession, observer: IngestObserver, unique: str
) -> None:
    fake = FakeJetstream(LOG, [Plan(half_open_after=100)])
    assert set(await read_all(fake, http, observer, silence=1.0)) == set(LOG)
    assert metric("streams_ingest_reconnects_total", unique, reason="silent") == 1


async def test_a_slow_reader_gets_everything(
    http: aiohttp.ClientSession, observer: IngestObserver
) -> None:
    assert await read_all(FakeJetstream(LOG), http, observer, pause=0.001) == LOG


async def test_errors_of_the_server_are_waited_out(
    http: aiohttp.ClientSession, observer: IngestObserver, unique: str
) -> None:
    plans = [Plan(status=503), Plan(status=429, headers={"Retry-After": "0"}), Plan(status=502)]
    fake = FakeJetstream(LOG, plans)
    assert set(await read_all(fake, http, observer)) == set(LOG)
    assert metric("streams_ingest_reconnects_total", unique, reason="http") == 2
    assert metric("streams_ingest_reconnects_total", unique, reason="rate") == 1
    assert metric("streams_ingest_rate_limit_waits_total", unique) == 1


async def test_a_refusal_ends_it(http: aiohttp.ClientSession, observer: IngestObserver) -> None:
    fake = FakeJetstream(LOG, [Plan(status=400)])
    with pytest.raises(UserError, match="HTTP 400"):
        await read_all(fake, http, observer)


async def test_a_cursor_rewinds_a_little(
    http: aiohttp.ClientSession, observer: IngestObserver, unique: str
) -> None:
    fake = FakeJetstream(LOG)
    await read_all(fake, http, observer, cursor={"time_us": TIME_US})
    assert fake.queries[0]["cursor"] == str(TIME_US - 5_000_000)
    assert metric("streams_ingest_gaps_total", unique) == 0


async def test_a_cursor_that_is_too_old_is_a_gap(
    http: aiohttp.ClientSession, observer: IngestObserver, unique: str
) -> None:
    old = TIME_US - 3 * 86_400 * 1_000_000
    await read_all(FakeJetstream(LOG), http, observer, cursor={"time_us": old})
    assert metric("streams_ingest_gaps_total", unique) == 1


async def test_zstd_with_jetstreams_dictionary(
    http: aiohttp.ClientSession, observer: IngestObserver, tmp_path: Path
) -> None:
    fake = FakeJetstream(LOG)
    fake.dictionary = zstandard.train_dictionary(4096, LOG * 4)
    path = tmp_path / "zstd_dictionary"
    path.write_bytes(fake.dictionary.as_bytes())
    assert await read_all(fake, http, observer, dictionary=path) == LOG
    assert fake.queries[0]["compress"] == "true"


async def test_another_dictionary_is_said(
    http: aiohttp.ClientSession, observer: IngestObserver, tmp_path: Path
) -> None:
    fake = FakeJetstream(LOG)
    fake.dictionary = zstandard.train_dictionary(4096, LOG * 4)
    path = tmp_path / "zstd_dictionary"
    path.write_bytes(zstandard.train_dictionary(2048, [line[::-1] for line in LOG * 4]).as_bytes())
    with pytest.raises(UserError, match="dictionary"):
        await read_all(fake, http, observer, dictionary=path)


async def test_onto_standard_output_without_kafka(settings: Settings, unique: str) -> None:
    fake = FakeJetstream(LOG)
    async with serving(fake.route) as where:
        extra = {"STREAMS_INGEST__JETSTREAM__URLS": f"ws://{where}/subscribe"}
        extra["STREAMS_KAFKA__BROKERS"] = "127.0.0.1:1"  # nobody asks for it
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "streams", "ingest", "jetstream", "--once", "50s", "--stdout"),
            stdout=asyncio.subprocess.PIPE,
            env=environment(settings, unique, {}) | extra,
        )
        assert process.stdout is not None
        async with asyncio.timeout(60):
            found = [(await process.stdout.readline()).rstrip() for _ in LOG]
            process.terminate()
            assert await process.stdout.read() == b""
            assert await process.wait() == 0
    assert found == LOG


async def test_it_ends_after_so_long(settings: Settings, unique: str) -> None:
    async with serving(FakeJetstream(LOG).route) as where:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "streams", "ingest", "jetstream", "--once", "1s", "--stdout"),
            stdout=asyncio.subprocess.DEVNULL,
            env=environment(settings, unique, {})
            | {"STREAMS_INGEST__JETSTREAM__URLS": f"ws://{where}/subscribe"},
        )
        assert await asyncio.wait_for(process.wait(), 60) == 0


async def test_a_killed_process_loses_nothing(
    settings: Settings, unique: str, tmp_path: Path
) -> None:
    """Slow: three processes, each killed with records on the way, and cuts between them."""
    await ensure_topics(settings.kafka)
    log = events(3000, step_us=1_000)
    fake = FakeJetstream(log[:1000], [Plan(cut_after=400), Plan(cut_after=300)])
    async with serving(fake.route) as where:
        ingest = Ingest(
            settings, unique, tmp_path, "jetstream", JETSTREAM__URLS=f"ws://{where}/subscribe"
        )
        for upto in (1000, 2000):
            await ingest.start()
            await until_records(settings, upto - 900)
            fake.log = log[: upto + 1000]
            await ingest.kill()
        await ingest.start()
        found = await until_records(settings, len(log))
        assert await ingest.stop() == 0
    assert {record.value for record in found} == set(log)
    for record in found:
        number = orjson.loads(record.value)["commit"]["rkey"]
        assert record.key == f"bluesky:{DID}/{number}".encode()
        assert record.headers == (("platform", b"bluesky"),)
    (cursor, *_) = reversed(await stored_cursors(settings, unique))
    assert cursor["time_us"] == TIME_US + 2999 * 1_000
