from __future__ import annotations

import json

import pytest

from streams.config import RedisSettings, Settings
from streams.counts import print_counts, print_rules, read_totals, read_velocity
from streams.errors import UsageError, UserError
from streams.redis_client import connect
from tests.filled import Filled

T = 1_508_158_800


@pytest.fixture
def filled(redis_url: str, unique: str) -> Filled:
    return Filled(redis_url, f"{unique}:")


@pytest.fixture
def configured(redis_url: str, filled: Filled) -> Settings:
    prefix = filled.layout.prefix
    return Settings(redis=RedisSettings(url=redis_url, prefix=prefix), exporter={"clock": "replay"})


def fill(filled: Filled) -> None:
    filled.partition(0, watermark=T)
    filled.partition(1, watermark=T - 3)
    for outcome, n in (("counted", 9), ("duplicate", 2), ("dead", 1), ("ignored", 4), ("late", 3)):
        filled.outcome(0, outcome, n)
    filled.campaign(0, T - 30, 3, lang="de", country="DE")
    filled.campaign(1, T - 3000, 2, kind="repost", via="call", root="x:1")
    filled.tag(0, "metoo", T - 30, 3, other=False)
    filled.tag(1, "b", T - 30, 1, lang="fr")


async def run(capsys: pytest.CaptureFixture[str], settings: Settings, **asked: object) -> str:
    names = {"hashtag": None, "campaign": None, "window": None, "by": None}
    flags = {"total": False, "as_json": True}
    assert await print_counts(settings, **{**names, **flags, **asked}) == 0  # type: ignore[arg-type]
    return capsys.readouterr().out


async def test_the_document_of_totals(
    capsys: pytest.CaptureFixture[str], configured: Settings, filled: Filled
) -> None:
    fill(filled)
    text = await run(capsys, configured, total=True)
    document = json.loads(text)
    assert document == {
        "posts": 19,
        "counted": 9,
        "duplicates": 2,
        "dead": 1,
        "ignored": 4,
        "late": 3,
        "hashtags": {"b": 1, "metoo": 3},
        "campaigns": {
            "metoo": {
                "total": 5,
                "via": {"call": 2, "hashtag": 3},
                "kind": {"original": 3, "repost": 2},
                "stance": {"unclear": 5},
                "lang": {"de": 3, "en": 2},
                "platform": {"x": 5},
                "country": {"DE": 3},
            }
        },
    }
    assert text == json.dumps(document, sort_keys=True) + "\n"


async def test_an_empty_redis_has_counted_nothing(
    capsys: pytest.CaptureFixture[str], configured: Settings
) -> None:
    zeros = dict.fromkeys(("posts", "counted", "duplicates", "dead", "ignored", "late"), 0)
    document = json.loads(await run(capsys, configured, total=True))
    assert document == {**zeros, "hashtags": {}, "campaigns": {}}
    windowed = json.loads(await run(capsys, configured, campaign="metoo", window="1h", by="lang"))
    assert (windowed["count"], windowed["until"], windowed["by"]) == (0, None, {"lang": {}})


@pytest.mark.parametrize(
    ("asked", "count", "until", "by"),
    [
        ({"campaign": "metoo", "window": "1m"}, 3, T, None),
        ({"campaign": "metoo", "window": "1h", "by": "via"}, 5, T, {"call": 2, "hashtag": 3}),
        ({"campaign": "metoo", "window": "24h", "by": "country"}, 5, T, {"DE": 3}),
        ({"campaign": "metoo", "window": "5m", "by": "lang"}, 3, T, {"de": 3}),
        ({"hashtag": "#MeToo", "window": "15m"}, 3, T, None),
        ({"hashtag": "B", "window": "1h", "by": "lang"}, 1, T, {"fr": 1}),
        ({"hashtag": "nothing", "window": "1h"}, 0, T, None),
    ],
)
async def test_windows(
    capsys: pytest.CaptureFixture[str],
    configured: Settings,
    filled: Filled,
    asked: dict[str, str],
    count: int,
    until: int,
    by: dict[str, int] | None,
) -> None:
    fill(filled)
    document = json.loads(await run(capsys, configured, **asked))
    seconds = {"1m": 60, "5m": 300, "15m": 900, "1h": 3600, "24h": 86400}[asked["window"]]
    assert document["count"] == count
    assert document["until"] == until * 1000
    assert document["velocity"] == count / seconds
    assert document.get("by") == (None if by is None else {asked["by"]: by})


async def test_totals_of_one(
    capsys: pytest.CaptureFixture[str], configured: Settings, filled: Filled
) -> None:
    fill(filled)
    document = json.loads(await run(capsys, configured, hashtag="b", by="lang"))
    assert document == {"hashtag": "b", "count": 1, "by": {"lang": {"fr": 1}}}
    document = json.loads(await run(capsys, configured, campaign="metoo"))
    assert document == {"campaign": "metoo", "count": 5}


async def test_tables(
    capsys: pytest.CaptureFixture[str], configured: Settings, filled: Filled
) -> None:
    fill(filled)
    assert "metoo" in await run(capsys, configured, as_json=False)
    text = await run(capsys, configured, campaign="metoo", window="1h", by="via", as_json=False)
    assert "2017-10-16 13:00:00 UTC" in text
    assert "hashtag" in text


async def test_what_the_demo_shows(configured: Settings, filled: Filled) -> None:
    fill(filled)
    redis = connect(configured.redis)
    assert (await read_totals(configured, redis))["posts"] == 19
    assert await read_velocity(configured, redis, "metoo") == 3 / 60
    assert await read_velocity(configured, redis, "nothing") == 0
    await redis.aclose()


@pytest.mark.parametrize(
    "asked",
    [
        {"window": "1h"},
        {"hashtag": "a", "campaign": "b"},
        {"hashtag": "#"},
        {"hashtag": "a", "by": "via"},
        {"campaign": "a", "by": "root"},
        {"campaign": "a", "window": "2h"},
        {"campaign": "a", "total": True},
    ],
)
async def test_arguments_that_do_not_go_together(
    capsys: pytest.CaptureFixture[str], asked: dict[str, object]
) -> None:
    with pytest.raises(UsageError):
        await run(capsys, Settings(), **asked)


async def test_redis_that_is_not_there(capsys: pytest.CaptureFixture[str]) -> None:
    settings = Settings(redis=RedisSettings(url="redis://127.0.0.1:1"))
    with pytest.raises(UserError, match=r"127\.0\.0\.1:1.*does not answer"):
        await run(capsys, settings, total=True)


async def test_an_unknown_campaign_is_named(configured: Settings, filled: Filled) -> None:
    fill(filled)
    for window in (None, "1h"):
        with pytest.raises(UsageError, match="no campaign 'nope': take one of metoo"):
            await print_counts(configured, None, "nope", window, None, total=False, as_json=True)


async def test_a_campaign_that_only_workers_name(
    capsys: pytest.CaptureFixture[str], configured: Settings, filled: Filled
) -> None:
    filled.redis.hset(filled.layout.campaigns, "other", '{"version":"1"}')
    document = json.loads(await run(capsys, configured, campaign="other"))
    assert document == {"campaign": "other", "count": 0}


async def test_which_rules_counted_from_which_offset(
    capsys: pytest.CaptureFixture[str], configured: Settings, filled: Filled
) -> None:
    filled.partition(0, watermark=T)
    notes = filled.layout.partition(filled.topic, 0).gen(0).rules
    for offset, program in ((90, "2"), (0, "1")):
        rules = {"campaigns": {"metoo": f"{program}+ab12"}, "program": program}
        filled.redis.hset(notes, str(offset), json.dumps(rules))
    assert await print_rules(configured, as_json=True) == 0
    assert json.loads(capsys.readouterr().out) == [
        {
            "partition": "posts.raw:0",
            "gen": 0,
            "offset": offset,
            "program": program,
            "campaigns": {"metoo": f"{program}+ab12"},
        }
        for offset, program in ((0, "1"), (90, "2"))
    ]
    assert await print_rules(configured, as_json=False) == 0
    assert "metoo 2+ab12" in capsys.readouterr().out
