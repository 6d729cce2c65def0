"""X's filtered stream: cuts and backfill, silence, farewells, rate limits, and its rules."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import aiohttp
import msgspec
import pytest

from streams.campaigns import Campaign, load
from streams.config import Settings, XSettings
from streams.errors import UserError
from streams.ingest.live.metrics import IngestObserver
from streams.ingest.live.source import Cursor
from streams.ingest.live.x import XSource
from streams.ingest.live.x_rules import Rule, RuleBook, rules_of
from streams.kafka import ensure_topics
from tests.ingest.live.fake_x import FAREWELL, FakeX, Plan, posts
from tests.ingest.live.harness import Ingest, collect, metric, serving, until_records, values

LOG = posts(400)
SMALL = Campaign(
    name="small",
    version="1",
    hashtags={"en": ["MeToo", "🍚🐰"]},
    phrases={"en": ["me  too"]},
    calls={"en": ["If everyone wrote “Me too” as a status, we would see how many we are."]},
    roots=["x:919659438700670976", "mastodon:1"],
)


async def read_all(
    fake: FakeX,
    http: aiohttp.ClientSession,
    observer: IngestObserver,
    *,
    cursor: Cursor | None = None,
    wanted: int = len(LOG),
    now: Callable[[], float] = time.time,
    campaigns: Sequence[Campaign] = (SMALL,),
    **settings: Any,
) -> set[bytes]:
    async def current() -> Sequence[Campaign]:
        return campaigns

    async with serving(*fake.routes) as where:
        chosen = XSettings(url=f"http://{where}", token="invented", **settings)
        source = XSource(chosen, http, observer, current, now)
        items = await collect(
            source, observer, lambda found: len(values(found)) >= wanted, cursor=cursor
        )
    return values(items)


async def test_posts_as_they_are(http: aiohttp.ClientSession, observer: IngestObserver) -> None:
    fake = FakeX(LOG)
    assert await read_all(fake, http, observer) == set(LOG)
    assert fake.authorization == {"Bearer invented"}
    (query,) = fake.queries
    assert "backfill_minutes" not in query
    assert "author_id" in query["tweet.fields"]
    assert {rule["tag"] for rule in fake.rules.values()} == {"streams:small"}


@pytest.mark.parametrize(
    "plan",
    [
        Plan(live=60, cut=True),
        Plan(live=60, cut=True, chunk=9),
        Plan(cut=True),
        Plan(live=60, silent=True),
        Plan(live=60, farewell=True),
    ],
    ids=["cut", "in small pieces", "before the first post", "silent", "farewell"],
)
async def test_backfill_gives_back_what_a_cut_took(
    http: aiohttp.ClientSession, observer: IngestObserver, unique: str, plan: Plan
) -> None:
    fake = FakeX(LOG, [plan, plan], missed=50)
    silence = 1.0 if plan.silent else 30.0
    assert await read_all(fake, http, observer, timeout=silence) == set(LOG)
    assert [query.get("backfill_minutes") for query in fake.queries] == [None, "1", "1"]
    reason = "silent" if plan.silent else "http" if plan.farewell else "network"
    assert metric("streams_ingest_reconnects_total", unique, reason=reason) == 2
    assert metric("streams_ingest_gaps_total", unique) == 0
    assert FAREWELL not in LOG


@pytest.mark.parametrize(
    ("away", "minutes", "gaps"), [(0, "1", 0), (60, "2", 0), (295, "5", 0), (900, "5", 1)]
)
async def test_as_many_minutes_as_it_was_away(
    http: aiohttp.ClientSession,
    observer: IngestObserver,
    unique: str,
    away: float,
    minutes: str,
    gaps: int,
) -> None:
    fake = FakeX(LOG)
    await read_all(fake, http, observer, cursor={"at": 1_000_000}, now=lambda: 1000.0 + away)
    assert fake.queries[0]["backfill_minutes"] == minutes
    assert metric("streams_ingest_gaps_total", unique) == gaps


async def test_an_account_without_backfill(
    http: aiohttp.ClientSession, observer: IngestObserver, unique: str
) -> None:
    refusal = Plan(status=400, body='{"errors":[{"parameters":{"backfill_minutes":["1"]}}]}')
    fake = FakeX(LOG, [refusal])
    await read_all(fake, http, observer, cursor={"at": int(time.time() * 1000)})
    assert [query.get("backfill_minutes") for query in fake.queries] == ["1", None]
    assert metric("streams_ingest_gaps_total", unique) == 2


async def test_rate_limits_and_errors_are_waited_out(
    http: aiohttp.ClientSession, observer: IngestObserver, unique: str
) -> None:
    plans = [
        Plan(status=429, headers={"x-rate-limit-reset": str(int(time.time()))}),
        *(Plan(status=503), Plan(live=60, cut=True)),
    ]
    fake = FakeX(LOG, plans)
    fake.refuse_rules = [429, 503]
    assert await read_all(fake, http, observer) == set(LOG)
    assert metric("streams_ingest_reconnects_total", unique, reason="rate") == 2
    assert metric("streams_ingest_reconnects_total", unique, reason="http") == 2
    assert metric("streams_ingest_rate_limit_waits_total", unique) == 2


async def test_a_refusal_ends_it(http: aiohttp.ClientSession, observer: IngestObserver) -> None:
    with pytest.raises(UserError, match="HTTP 403"):
        await read_all(FakeX(LOG, [Plan(status=403)]), http, observer)


def test_no_token(observer: IngestObserver) -> None:
    with pytest.raises(UserError, match=r"ingest\.x\.token_file"):
        XSource(XSettings(), None, observer, None)  # type: ignore[arg-type]


def test_rules_of_a_campaign() -> None:
    assert rules_of([SMALL], length=120, phrases=True) == [
        Rule(
            "#metoo OR conversation_id:919659438700670976 OR "
            'retweets_of_tweet_id:919659438700670976 OR "me too"',
            "streams:small",
        ),
        Rule('"If everyone wrote Me too"', "streams:small"),
    ]
    assert '"me too"' not in " ".join(
        rule.value for rule in rules_of([SMALL], length=512, phrases=False)
    )


def test_rules_of_the_shipped_campaign_fit() -> None:
    rules = rules_of([load("metoo")], length=512, phrases=True)
    assert len(rules) <= 25
    assert max(len(rule.value) for rule in rules) <= 512
    assert rules == rules_of([load("metoo")], length=512, phrases=True)
    terms = " OR ".join(rule.value for rule in rules).split(" OR ")
    assert len(terms) == len(set(terms))
    assert {"#metoo", "#미투", '"moi aussi"', "conversation_id:919659438700670976"} <= set(terms)


class TestKeepingInStep:
    async def test_only_ours_are_touched_and_new_ones_come_first(
        self, http: aiohttp.ClientSession
    ) -> None:
        fake = FakeX(LOG)
        fake.rules["99"] = {"id": "99", "value": "cats", "tag": "somebody's"}
        fake.rules["98"] = {"id": "98", "value": "dogs"}
        async with serving(*fake.routes) as where:
            book = RuleBook(f"http://{where}", {}, http, 25)
            first = rules_of([SMALL], length=60, phrases=True)
            assert await book.bring_in_step(first) == (len(first), 0)
            assert await book.bring_in_step(first) == (0, 0)
            changed = msgspec.structs.replace(SMALL, hashtags={"en": ["WeToo"]})
            second = rules_of([changed], length=60, phrases=True)
            fake.calls.clear()
            assert await book.bring_in_step(second) == (1, 1)
            assert fake.calls == ["add", "delete"]
        ours = {rule["value"] for rule in fake.rules.values() if rule.get("tag") == "streams:small"}
        assert ours == {rule.value for rule in second}
        assert {"98", "99"} <= fake.rules.keys()

    async def test_without_room_the_old_ones_go_first(self, http: aiohttp.ClientSession) -> None:
        fake = FakeX(LOG)
        async with serving(*fake.routes) as where:
            book = RuleBook(f"http://{where}", {}, http, 1)
            await book.bring_in_step([Rule("#one", "streams:a")])
            fake.calls.clear()
            await book.bring_in_step([Rule("#two", "streams:a")])
        assert fake.calls == ["delete", "add"]

    async def test_too_many_and_refused_ones_are_said(self, http: aiohttp.ClientSession) -> None:
        async with serving(*FakeX(LOG).routes) as where:
            book = RuleBook(f"http://{where}", {}, http, 1)
            with pytest.raises(UserError, match=r"need 2 rules at X, and 1 of 1 are free"):
                await book.bring_in_step([Rule("#one", "streams:a"), Rule("#two", "streams:a")])
            with pytest.raises(UserError, match="UnprocessableEntity"):
                await book.bring_in_step([Rule("#bad", "streams:a")])

    async def test_a_campaign_that_changes_while_the_stream_runs(
        self, http: aiohttp.ClientSession, observer: IngestObserver
    ) -> None:
        fake = FakeX(LOG, [Plan(live=100)])
        campaigns = [SMALL]
        other = msgspec.structs.replace(SMALL, name="other", hashtags={"en": ["WeToo"]}, calls={})

        async def current() -> Sequence[Campaign]:
            return campaigns

        async with serving(*fake.routes) as where:
            settings = XSettings(url=f"http://{where}", token="invented", rules_interval=0.01)
            source = XSource(settings, http, observer, current)

            def enough(found: list[Any]) -> bool:
                if len(values(found)) == 100 and other not in campaigns:
                    campaigns.append(other)
                return {rule["tag"] for rule in fake.rules.values()} > {"streams:small"}

            await collect(source, observer, enough)
        assert len(fake.queries) == 1


async def test_a_killed_process_loses_nothing(
    settings: Settings, unique: str, tmp_path: Path
) -> None:
    """Slow: two processes, the first is killed; posts appear while none runs."""
    await ensure_topics(settings.kafka)
    fake = FakeX(LOG, [Plan(live=90, cut=True), Plan(live=60)], missed=30)
    async with serving(*fake.routes) as where:
        token = tmp_path / "token"
        token.write_text("invented\n")
        ingest = Ingest(
            settings, unique, tmp_path, "x", X__URL=f"http://{where}", X__TOKEN_FILE=str(token)
        )
        await ingest.start()
        await until_records(settings, 150)
        await ingest.kill()
        fake.visible += 100
        await ingest.start()
        found = await until_records(settings, len(LOG))
        assert await ingest.stop() == 0
    assert {record.value for record in found} == set(LOG)
    assert {record.key for record in found} == {
        b"x:%d" % (919_660_000_000_000_000 + k) for k in range(len(LOG))
    }
    assert {rule["tag"] for rule in fake.rules.values()} == {"streams:metoo"}
