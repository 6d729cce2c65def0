"""For each alert: series with which it fires, and series with which it does not.

In promtool's notation, a sample every 15 s: `a+bxn` is a, a + b, ..., a + nb.  `at` is when it is
looked at, in minutes.
"""

from __future__ import annotations

from typing import Final, NamedTuple

Series = dict[str, str]

CAMPAIGN: Final = 'campaign="metoo",instance="a",pod="p1",job="streams-exporter"'
OTHER: Final = 'campaign="metoo",instance="b",pod="p2",job="streams-exporter"'
W: Final = 'job="streams-worker",instance="w1"'
E: Final = 'job="streams-exporter",instance="e1"'
X1: Final = 'job="streams-ingest",instance="i1",source="x"'
X2: Final = X1.replace("i1", "i2")
P: Final = 'partition="posts.raw:0",instance="e1"'


class Case(NamedTuple):
    fires: Series
    quiet: Series
    at: int = 20
    count: int = 1  # of alerts that fire


def velocity(value: str, window: str = "5m", labels: str = CAMPAIGN) -> Series:
    return {f'streams_campaign_velocity{{{labels},window="{window}"}}': value}


def thresholds() -> Series:
    rates = {"info": 0.5, "warning": 2, "page": 10}
    return {
        f'streams_campaign_velocity_threshold{{{CAMPAIGN},severity="{name}"}}': f"{rate}+0x400"
        for name, rate in rates.items()
    }


def stances(testimony: float, opposition: float, spam: float) -> Series:
    values = {"testimony": testimony, "opposition": opposition, "spam": spam}
    return {
        f'streams_campaign_dimension_velocity{{{CAMPAIGN},dimension="stance",value="{name}"}}': (
            f"{rate}+0x400"
        )
        for name, rate in values.items()
    }


def outcomes(counted: str, other: str, n: str) -> Series:
    return {
        f'streams_posts_total{{{W},platform="x",outcome="counted"}}': counted,
        f'streams_posts_total{{{W},platform="x",outcome="{other}"}}': n,
    }


def first(platform: str, at: str) -> Series:
    labels = f'{CAMPAIGN},dimension="platform",value="{platform}"'
    return {f"streams_campaign_first_seen_timestamp_seconds{{{labels}}}": at}


def watermark(value: str) -> Series:
    return {f"streams_watermark_timestamp_seconds{{{E}}}": value}


CLOCK: Final = {f'streams_clock_info{{{E},clock="live"}}': "1+0x400"}
DOUBLING: Final = f'streams_campaign_doubling_seconds{{{CAMPAIGN},window="15m"}}'
MILESTONE: Final = (
    f'streams_campaign_milestone_reached_timestamp_seconds{{{CAMPAIGN},posts="1000"}}'
)
LAG: Final = f"streams_partition_lag_posts{{{P}}}"
OFFSET: Final = f"streams_partition_offset{{{P}}}"
BUSY: Final = {f'streams_posts_total{{{W},platform="x",outcome="counted"}}': "0+15000x400"}

CASES: Final[dict[str, Case]] = {
    "StreamsCampaignAboveThreshold": Case(
        # Two exporters, one of them a scrape behind: info, warning and page, each once.
        {**velocity("1x20 12+0x400"), **velocity("12+0x400", labels=OTHER), **thresholds()},
        {**velocity("0.4+0x400"), **velocity("30+0x400", window="1m"), **thresholds()},
        count=3,
    ),
    "StreamsCampaignBurst": Case(
        {
            f"streams_campaign_burst_score{{{CAMPAIGN}}}": "1x70 14+0x400",
            f"streams_campaign_burst_alarm_score{{{E}}}": "8+0x400",
        },
        {
            f"streams_campaign_burst_score{{{CAMPAIGN}}}": "7.9+0x400",
            f"streams_campaign_burst_alarm_score{{{E}}}": "8+0x400",
        },
    ),
    "StreamsCampaignDoublingFast": Case(
        {DOUBLING: "900+0x400", **velocity("0.3+0x400", window="15m"), **thresholds()},
        {DOUBLING: "900+0x400", **velocity("0.2+0x400", window="15m"), **thresholds()},
    ),
    "StreamsCampaignMilestone": Case(
        {MILESTONE: "_x60 2000+0x400", **watermark("1000+15x400")},
        {MILESTONE: "100+0x400", **watermark("1000+15x400")},
    ),
    "StreamsCampaignNewPlatform": Case(
        {**first("x", "0+0x400"), **first("bluesky", "3000+0x400"), **watermark("3100+1x400")},
        {**first("x", "3000+0x400"), **first("bluesky", "1+0x400"), **watermark("9999+1x400")},
    ),
    "StreamsCampaignStanceTurned": Case(
        {**stances(0.1, 0.2, 0.0), **velocity("0.3+0x400", window="1h")},
        {**stances(0.2, 0.1, 0.1), **velocity("0.4+0x400", window="1h")},
    ),
    "StreamsWatchdog": Case({}, {}),
    "StreamsWorkerDown": Case({f"up{{{W}}}": "1x20 0+0x400"}, {f"up{{{W}}}": "1+0x400"}),
    "StreamsNoWorker": Case({f"up{{{W}}}": "0+0x400"}, {f"up{{{W}}}": "1+0x400"}),
    "StreamsExporterDown": Case({f"up{{{W}}}": "1+0x400"}, {f"up{{{E}}}": "1+0x400"}),
    "StreamsExporterStale": Case(
        {f"streams_redis_read_timestamp_seconds{{{E}}}": "0+15x20 300+0x400"},
        {
            f"streams_redis_read_timestamp_seconds{{{E}}}": "0+15x20 300+0x400",
            'streams_redis_read_timestamp_seconds{job="streams-exporter",instance="e2"}': (
                "0+15x400"
            ),
        },
    ),
    "StreamsWatermarkBehind": Case(
        {**watermark("0+0x400"), **CLOCK},
        {**watermark("0+0x400"), f'streams_clock_info{{{E},clock="replay"}}': "1+0x400"},
    ),
    "StreamsLagHigh": Case(
        {LAG: "900000+0x400", **BUSY},
        {LAG: "500000+0x400", **BUSY},
    ),
    "StreamsLagGrowing": Case({LAG: "20000+100x400"}, {LAG: "900000-100x400"}, at=60),
    "StreamsForwardingBehind": Case(
        {f'streams_forward_lag_posts{{{W},partition="0"}}': "20000+10x400"},
        {
            f'streams_forward_lag_posts{{{W},partition="0"}}': "900000-100x400",
            f'streams_forward_lag_posts{{{W},partition="1"}}': "9+0x400",
        },
    ),
    "StreamsPartitionStuck": Case(
        {LAG: "5+1x400", OFFSET: "100+0x400"},
        {LAG: "5+1x400", OFFSET: "100+1x400"},
    ),
    "StreamsNoPosts": Case(
        {
            f'streams_posts_total{{{W},platform="x",outcome="counted"}}': "0+10x240 2400+0x400",
            LAG: "0+0x700",
        },
        {f'streams_posts_total{{{W},platform="x",outcome="counted"}}': "0+0x700", LAG: "0+0x700"},
        at=90,
    ),
    "StreamsCommitsRejected": Case(
        {f'streams_commit_rejections_total{{{W},reason="moved"}}': "0+1x400"},
        {f'streams_commit_rejections_total{{{W},reason="moved"}}': "0+0x20 5+0x400"},
        at=40,
    ),
    "StreamsRetrying": Case(
        {f'streams_retries_total{{{W},reason="redis"}}': "0+3x400"},
        {f'streams_retries_total{{{W},reason="redis"}}': "0+1x400"},
    ),
    "StreamsDeadLetters": Case(
        {
            **outcomes("0+100x400", "dead", "0+3x400"),
            f'streams_dead_total{{{W},reason="json"}}': "0+3x400",
        },
        {
            **outcomes("0+10x400", "dead", "0+0.2x400"),
            f'streams_dead_total{{{W},reason="json"}}': "0+0.2x400",
        },
    ),
    "StreamsPartitionPaused": Case(
        {f'streams_partition_paused{{{W},partition="posts.raw:0"}}': "1+0x400"},
        {f'streams_partition_paused{{{W},partition="posts.raw:0"}}': "0+0x400"},
    ),
    "StreamsMisplaced": Case(
        {f"streams_misplaced_total{{{W}}}": "0x40 3+0x400"},
        {f"streams_misplaced_total{{{W}}}": "3+0x400"},
    ),
    "StreamsDuplicatesUnusual": Case(
        outcomes("0+100x400", "duplicate", "0+50x400"),
        outcomes("0+100x400", "duplicate", "0+20x400"),
        at=40,
    ),
    "StreamsLogIncident": Case(
        {f'streams_incidents_total{{{W},kind="retention"}}': "0x40 1+0x400"},
        {f'streams_incidents_total{{{W},kind="paused"}}': "0x40 1+0x400"},
    ),
    "StreamsRedisMemoryHigh": Case(
        {
            f'streams_redis_memory_used_bytes{{{E},node="redis"}}': "90+0x400",
            f'streams_redis_memory_limit_bytes{{{E},node="redis"}}': "100+0x400",
        },
        {
            f'streams_redis_memory_used_bytes{{{E},node="redis"}}': "90+0x400",
            f'streams_redis_memory_limit_bytes{{{E},node="redis"}}': "0+0x400",
        },
    ),
    "StreamsRedisReadsFail": Case(
        {f"streams_redis_read_failures_total{{{E}}}": "0+1x400"},
        {f"streams_redis_read_failures_total{{{E}}}": "9+0x400"},
    ),
    "StreamsIngestDown": Case(
        {'up{job="streams-ingest",instance="i1"}': "1x20 0+0x400"},
        {'up{job="streams-ingest",instance="i1"}': "1+0x400"},
    ),
    "StreamsIngestDisconnected": Case(
        {f"streams_ingest_connected{{{X1}}}": "1x20 0+0x400"},
        {
            f"streams_ingest_connected{{{X1}}}": "1x20 0+0x400",
            f"streams_ingest_connected{{{X2}}}": "0x20 1+0x400",
        },
    ),
    "StreamsIngestStuck": Case(
        {f"streams_ingest_pending_seconds{{{X1}}}": "0x20 0+15x400"},
        {f"streams_ingest_pending_seconds{{{X1}}}": "50+0x400"},
    ),
    "StreamsIngestSilent": Case(
        {f"streams_ingest_received_total{{{X1}}}": "0+10x240 2400+0x400"},
        {f"streams_ingest_received_total{{{X1}}}": "0+10x240 2400+0x30 2401+0x400"},
        at=85,
    ),
    "StreamsIngestGap": Case(
        {f"streams_ingest_gaps_total{{{X1}}}": "_x40 1+0x400"},
        {f"streams_ingest_gaps_total{{{X1}}}": "0+0x400"},
    ),
    "StreamsIngestReconnecting": Case(
        {f'streams_ingest_reconnects_total{{{X1},reason="network"}}': "0+1x400"},
        {f'streams_ingest_reconnects_total{{{X1},reason="network"}}': "0+0.2x400"},
    ),
    "StreamsIngestRateLimited": Case(
        {f"streams_ingest_rate_limit_seconds_total{{{X1}}}": "0x40 900+0x400"},
        {f"streams_ingest_rate_limit_seconds_total{{{X1}}}": "0x40 60+0x400"},
    ),
    "StreamsIngestTooLarge": Case(
        {f'streams_ingest_skipped_total{{{X1},reason="too_large"}}': "0x40 1+0x400"},
        {f'streams_ingest_skipped_total{{{X1},reason="private_message"}}': "0x40 9+0x400"},
    ),
    "StreamsIngestRefusing": Case(
        {f'streams_ingest_webhook_requests_total{{{X1},outcome="bad_signature"}}': "0+1x400"},
        {
            f'streams_ingest_webhook_requests_total{{{X1},outcome="accepted"}}': "0+9x400",
            f'streams_ingest_webhook_requests_total{{{X1},outcome="busy"}}': "0+0.1x400",
        },
    ),
}
