"""Mastodon's server-sent events: cuts and what the timeline gives back, silence, refusals."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import aiohttp
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from streams.config import MastodonSettings, Settings
from streams.errors import UserError
from streams.ingest.live.mastodon import MastodonSource
from streams.ingest.live.metrics import IngestObserver
from streams.ingest.live.source import Cursor, Item
from streams.ingest.live.sse import Event, EventParser
from streams.kafka import ensure_topics
from streams.posts import Deleted, Post, decode
from tests.ingest.live.fake_mastodon import FIRST, FakeMastodon, Plan, statuses
from tests.ingest.live.harness import Ingest, collect, metric, serving, until_records, values

LOG = statuses(300)


def payloads(items: list[Item]) -> list[bytes]:
    """The statuses in records, as the server wrote them."""
    found = [item.value for item in items if item.value is not None]
    updates = [value for value in found if value.startswith(b'{"event":"update"')]
    return [value.partition(b'"payload":')[2].removesuffix(b"}") for value in updates]


async def read_all(
    fake: FakeMastodon,
    http: aiohttp.ClientSession,
    observer: IngestObserver,
    *,
    cursor: Cursor | None = None,
    wanted: int = len(LOG),
    **settings: Any,
) -> list[Item]:
    async with serving(*fake.routes) as where:
        source = MastodonSource(MastodonSettings(url=f"http://{where}", **settings), http, observer)
        return await collect(
            source, observer, lambda found: len(set(payloads(found))) >= wanted, cursor=cursor
        )


async def test_statuses_as_they_are(http: aiohttp.ClientSession, observer: IngestObserver) -> None:
    fake = FakeMastodon(LOG, [])
    items = await read_all(fake, http, observer, token="invented")
    assert payloads(items) == LOG
    assert fake.authorization == {"Bearer invented"}
    posts = [decode(item.value, "mastodon") for item in items if item.value is not None]
    first = posts[0]
    assert isinstance(first, Post)
    assert first.uid.startswith("mastodon:127.0.0.1:")
    assert first.uid.endswith(f"/{FIRST}")


@pytest.mark.parametrize(
    "plan",
    [
        Plan(live=50, cut=True),
        Plan(live=50, cut=True, chunk=7),
        Plan(live=50, cut=True, repeat=2),
        Plan(cut=True),
        Plan(live=50, silent=True),
    ],
    ids=["cut", "in small pieces", "repeated", "before the first status", "silent"],
)
async def test_what_a_cut_takes_comes_from_the_timeline(
    http: aiohttp.ClientSession, observer: IngestObserver, unique: str, plan: Plan
) -> None:
    fake = FakeMastodon(LOG, [plan, plan], missed=70)
    items = await read_all(fake, http, observer, timeout=1.0 if plan.silent else 30.0)
    assert set(payloads(items)) == set(LOG)
    assert fake.pages >= 4
    reason = "silent" if plan.silent else "network"
    assert metric("streams_ingest_reconnects_total", unique, reason=reason) == 2
    assert metric("streams_ingest_gaps_total", unique) == 0
    cursors = [int(item.cursor["id"]) for item in items if item.cursor is not None]
    assert cursors == sorted(cursors)


async def test_a_hashtag(http: aiohttp.ClientSession, observer: IngestObserver) -> None:
    plan = Plan(live=50, cut=True)
    fake = FakeMastodon(LOG, [plan], missed=5)
    items = await read_all(fake, http, observer, stream="hashtag", hashtag="MeToo")
    assert set(payloads(items)) == set(LOG)


async def test_deletes_come_through(http: aiohttp.ClientSession, observer: IngestObserver) -> None:
    items = await read_all(FakeMastodon(LOG, [Plan(live=9, cut=True)]), http, observer)
    found = [decode(value, "mastodon") for value in values(items) if b'"delete"' in value[:20]]
    assert len(found) == 1
    assert isinstance(found[0], Deleted)
    assert found[0].uid.endswith(f"/{FIRST}")


async def test_more_than_the_timeline_gives_is_a_gap(
    http: aiohttp.ClientSession, observer: IngestObserver, unique: str
) -> None:
    fake = FakeMastodon(LOG, [Plan(live=50, cut=True)], missed=200)
    await read_all(fake, http, observer, backfill=80, wanted=130)
    assert metric("streams_ingest_gaps_total", unique) == 1


async def test_rate_limits_and_errors_are_waited_out(
    http: aiohttp.ClientSession, observer: IngestObserver, unique: str
) -> None:
    plans = [
        *(Plan(live=50, cut=True), Plan(status=429, headers={"Retry-After": "0"})),
        *(Plan(status=503), Plan(wrong_type=True)),
    ]
    fake = FakeMastodon(LOG, plans, missed=20)
    fake.refuse_pages = 2
    assert set(payloads(await read_all(fake, http, observer))) == set(LOG)
    assert metric("streams_ingest_reconnects_total", unique, reason="rate") == 3
    assert metric("streams_ingest_reconnects_total", unique, reason="http") == 2
    assert metric("streams_ingest_rate_limit_waits_total", unique) == 3


async def test_a_refusal_ends_it(http: aiohttp.ClientSession, observer: IngestObserver) -> None:
    with pytest.raises(UserError, match="HTTP 401"):
        await read_all(FakeMastodon(LOG, [Plan(status=401)]), http, observer)


def test_a_hashtag_needs_its_stream() -> None:
    with pytest.raises(ValidationError, match="go together"):
        MastodonSettings(hashtag="MeToo")


async def test_a_killed_process_loses_nothing(
    settings: Settings, unique: str, tmp_path: Path
) -> None:
    """Slow: two processes, the first is killed; posts appear while none runs."""
    await ensure_topics(settings.kafka)
    fake = FakeMastodon(LOG, [Plan(live=40, cut=True), Plan(live=60)], missed=30)
    async with serving(*fake.routes) as where:
        token = tmp_path / "token"
        token.write_text("invented\n")
        ingest = Ingest(
            settings, unique, tmp_path, "mastodon",
            MASTODON__URL=f"http://{where}", MASTODON__TOKEN_FILE=str(token),
        )  # fmt: skip
        await ingest.start()
        await until_records(settings, 50)
        await ingest.kill()
        fake.visible += 100
        await ingest.start()
        found = await until_records(settings, len(LOG) + 1)  # and a delete
        assert await ingest.stop() == 0
    updates = [Item(record.value) for record in found]
    assert set(payloads(updates)) == set(LOG)
    keys = {record.key for record in found}
    numbers = {orjson.loads(line)["id"] for line in LOG}
    assert keys == {f"mastodon:{where}/{number}".encode() for number in numbers}
    assert fake.authorization == {"Bearer invented"}


EVENTS = [Event("update", b'{"id":"1"}'), Event("delete", b"12"), Event("message", b"a\nb")]
STREAM = (
    b':)\n\nevent: update\ndata: {"id":"1"}\n\n:thump\nevent:delete\r\ndata:12\r\n\r\n'
    b"retry: 3\n\nevent: nothing\n\ndata: a\rdata: b\r\revent: update\ndata: cut"
)


@given(st.lists(st.integers(0, len(STREAM))))
def test_events_however_they_are_cut(cuts: list[int]) -> None:
    parser = EventParser()
    places = [0, *sorted(cuts), len(STREAM)]
    found = []
    for begin, end in itertools.pairwise(places):
        found += parser.feed(STREAM[begin:end])
    assert found == EVENTS
