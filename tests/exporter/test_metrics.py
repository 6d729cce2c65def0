"""What an exporter publishes of a real Redis."""

from __future__ import annotations

import pytest
from prometheus_client.parser import text_string_to_metric_families

from streams.exporter.exposition import Exposition
from streams.exporter.metrics import DEFINITIONS, capped
from streams.exporter.watch import Watch
from streams.store.reads import Reader
from streams.store.subjects import campaign
from tests.filled import Filled

T = 1_508_158_800  # a whole hour
Series = dict[tuple[str, tuple[tuple[str, str], ...]], float]


def scrape(exposition: Exposition) -> Series:
    text = exposition.text().decode()
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def value(series: Series, name: str, **labels: str) -> float | None:
    return series.get((f"streams_{name}", tuple(sorted(labels.items()))))


@pytest.fixture
def exposition() -> Exposition:
    return Exposition()


@pytest.fixture
def watch(reader: Reader, exposition: Exposition) -> Watch:
    return Watch(reader, exposition, top=2, clock="replay")


async def test_an_empty_redis(watch: Watch, exposition: Exposition) -> None:
    assert value(scrape(exposition), "redis_read_failures_total") == 0
    await watch.read()
    series = scrape(exposition)
    assert value(series, "hashtags_untracked") == 0
    assert value(series, "watermark_timestamp_seconds") is None
    assert value(series, "redis_read_seconds_count") == 1


async def test_a_campaign(watch: Watch, exposition: Exposition, filled: Filled) -> None:
    filled.partition(0, watermark=T)
    filled.partition(1, watermark=T - 7)
    filled.redis.hset(
        filled.layout.campaigns,
        "metoo",
        '{"version":"1","hashtags":["metoo"],"thresholds":{"page":2.5},"milestones":[10,500]}',
    )
    filled.outcome(0, "counted", 210)
    filled.outcome(1, "duplicate", 5)
    filled.campaign(0, T - 65, 60, country="US")
    filled.campaign(0, T - 5, 30, via="reply", kind="reply", root="x:1", lang="fr")
    filled.campaign(1, T - 15, 90)
    filled.tag(0, "metoo", T - 5, 7, other=False)
    subject = campaign("metoo").key
    filled.authors(0, subject, T - 5, ["a", "b"])
    filled.authors(1, subject, T - 65, ["b", "c"])
    await watch.read()
    series = scrape(exposition)
    labels = {"campaign": "metoo"}
    assert (
        value(series, "campaign_posts_total", **labels, platform="x", kind="reply", via="reply")
        == 30
    )
    minute = {**labels, "window": "1m"}
    assert value(series, "campaign_velocity", **minute) == 120 / 60
    assert value(series, "campaign_acceleration", **minute) == pytest.approx((2 - 1) / 60)
    assert value(series, "campaign_doubling_seconds", **minute) == pytest.approx(60)
    assert value(series, "campaign_velocity", **labels, window="24h") == 180 / 86400
    assert value(series, "campaign_unique_authors", **minute) == 2
    assert value(series, "campaign_unique_authors", **labels, window="1h") == 3
    assert value(series, "campaign_unique_authors", **labels, window="24h") == 3
    assert value(series, "campaign_stance_posts_total", **labels, stance="unclear") == 180
    assert value(series, "campaign_language_posts_total", **labels, lang="fr") == 30
    assert value(series, "campaign_country_posts_total", **labels, country="US") == 60
    assert value(series, "campaign_root_replies_total", **labels, root="x:1") == 30
    assert (
        value(
            series,
            "campaign_first_seen_timestamp_seconds",
            **labels,
            dimension="lang",
            value="fr",
        )
        == T - 5
    )
    assert value(series, "campaign_velocity_threshold", **labels, severity="page") == 2.5
    assert value(series, "campaign_milestone_posts", **labels) == 500
    assert value(series, "hashtag_posts_total", hashtag="metoo") == 7
    assert value(series, "hashtag_acceleration", hashtag="metoo", window="24h") is None
    assert value(series, "watermark_timestamp_seconds") == T
    assert value(series, "stored_posts_total", platform="x", outcome="duplicate") == 5
    assert value(series, "partition_offset", partition="posts.raw:1") == 10


async def test_top_hashtags_only(watch: Watch, exposition: Exposition, filled: Filled) -> None:
    filled.partition(0, watermark=T)
    for number, tag in enumerate(["one", "two", "three", "four"]):
        filled.tag(0, tag, T - 30, 10 - number)
    filled.tag(0, "old", T - 4000, 100)
    await watch.read()
    series = scrape(exposition)
    published = {labels[0][1] for name, labels in series if name == "streams_hashtag_posts_total"}
    assert published == {"one", "two"}
    assert value(series, "hashtags_untracked") == 2


async def test_totals_never_go_down(watch: Watch, exposition: Exposition, filled: Filled) -> None:
    labels = {"campaign": "metoo", "platform": "x", "kind": "original", "via": "hashtag"}
    filled.partition(0, watermark=T)
    filled.campaign(0, T - 30, 50)
    await watch.read()
    assert value(scrape(exposition), "campaign_posts_total", **labels) == 50
    keys = filled.layout.partition("posts.raw", 0)
    filled.redis.delete(keys.gen(0).campaigns)  # Redis goes back in time
    filled.partition(0, watermark=T - 60, offset=4)
    filled.campaign(0, T - 70, 20)
    await watch.read()
    assert value(scrape(exposition), "campaign_posts_total", **labels) == 50
    filled.partition(0, watermark=T, offset=12)
    filled.campaign(0, T - 30, 40)
    await watch.read()
    assert value(scrape(exposition), "campaign_posts_total", **labels) == 60


async def test_reads_again_what_changed(
    watch: Watch, exposition: Exposition, filled: Filled
) -> None:
    """Between full reads only new buckets are asked for; the numbers must not show it."""
    filled.partition(0, watermark=T, offset=10, end=10)
    filled.partition(1, watermark=T, offset=10, end=10)
    filled.campaign(0, T - 40, 6)
    await watch.read()
    for turn in range(1, 40):
        filled.campaign(0, T - 3000, 1)  # out of order, long past
        filled.campaign(1, T + turn * 10, 6)
        filled.partition(0, watermark=T + turn * 10, offset=10 + turn, end=10 + turn)
        filled.partition(1, watermark=T + turn * 10, offset=10 + turn, end=10 + turn)
        await watch.read()
        series = scrape(exposition)
        velocity = value(series, "campaign_velocity", campaign="metoo", window="1m")
        expected = 6 * min(turn - 1, 6) + (6 if T + turn * 10 - 60 <= T - 40 else 0)
        assert velocity == expected / 60, turn
    assert value(series, "campaign_stance_posts_total", campaign="metoo", stance="unclear") == (
        6 + 39 * 7
    )
    # Posts out of order show within 30 reads.
    late = 39 - 30
    hour = value(series, "campaign_velocity", campaign="metoo", window="1h")
    assert hour is not None
    assert hour * 3600 >= 6 + 6 * 33 + late


async def test_a_new_log_is_added(watch: Watch, exposition: Exposition, filled: Filled) -> None:
    filled.partition(0, watermark=T)
    filled.campaign(0, T - 30, 5)
    await watch.read()
    filled.partition(0, watermark=T, gen=1, offset=2, end=2)
    filled.campaign(0, T - 30, 5, gen=1)
    await watch.read()
    assert value(scrape(exposition), "campaign_velocity", campaign="metoo", window="1m") == 10 / 60


def test_names_are_unique_and_explained() -> None:
    assert len({definition.name for definition in DEFINITIONS}) == len(DEFINITIONS)
    assert all(definition.help.endswith(".") for definition in DEFINITIONS)


def test_dimensions_are_capped() -> None:
    values = {f"l{i:02}": 100 - i for i in range(40)} | {"same": 71}
    found = capped(values)
    assert len(found) == 31
    assert sum(found.values()) == sum(values.values())
    assert capped({"a": 1}) == {"a": 1}
    assert found["l29"] == 71
    assert "same" not in found
