"""Pipeline, at its top: can the numbers be trusted, that is, is anything late, lost or stuck?"""

from __future__ import annotations

from typing import Final

from deploy.grafana import palette
from deploy.grafana.layout import Line, line
from deploy.grafana.panels import POSTS, number
from deploy.grafana.promql import exporters, held, worked

_STORED: Final = held("streams_stored_posts_total", "platform", "outcome")
_READ: Final = f"sum by (namespace) ({_STORED})"
_DEAD: Final = held("streams_stored_posts_total", "platform", outcome="dead")
_DUPLICATE: Final = held("streams_stored_posts_total", "platform", outcome="duplicate")
_REPLAY: Final = held("streams_clock_info", clock="replay")
_LAG: Final = held("streams_partition_lag_posts", "partition")
_REPORTED: Final = held("streams_partition_reported_timestamp_seconds", "partition")

TRUST: Final[tuple[Line, ...]] = (
    line(
        4,
        number(
            "Lag",
            "Records in Kafka that are not counted yet, over all partitions, as their workers "
            "last reported to Redis (see Oldest report). Steadily rising: too few workers.",
            f"sum by (namespace) ({_LAG})",
            POSTS,
            decimals=0,
            steps=[(10_000, palette.WARNING), (100_000, palette.BAD)],
        ),
        number(
            "Watermark age",
            "How far behind now the time is up to which everything is counted: what is younger "
            "is not complete. With the replay clock it has no age.",
            f"(time() - {held('streams_watermark_timestamp_seconds')} "
            f"unless on (namespace) {_REPLAY}) or on (namespace) -1 * {_REPLAY}",
            "s",
            decimals=1,
            steps=[(60, palette.WARNING), (300, palette.BAD)],
            texts={"-1": "replay"},
        ),
        number(
            "Oldest report",
            "For how long the partition whose worker has been silent longest has been so. Above a "
            "minute, that partition has no worker, and its lag is not known.",
            f"time() - min by (namespace) ({_REPORTED})",
            "s",
            decimals=0,
            steps=[(30, palette.WARNING), (60, palette.BAD)],
        ),
        number(
            "Duplicates",
            "Share of all records that were repeats of a counted post: found, and not counted "
            "again. Repeats are normal; a jump is a producer that sends twice.",
            f"sum by (namespace) ({_DUPLICATE}) / ({_READ} > 0)",
            "percentunit",
            decimals=2,
        ),
        number(
            "Dead letters",
            "Records that could not be read, since the first: unchanged in posts.dead, with the "
            "reason. `streams dead list` shows them.",
            f"sum by (namespace) ({_DEAD}) or 0 * {_READ}",
            POSTS,
            decimals=0,
        ),
        number(
            "Dead letters now",
            "Share of the records of the last 15 minutes that could not be read. Above a limit "
            "the partition pauses.",
            f"sum(rate({worked('streams_posts_total', outcome='dead')}[15m])) "
            f"/ (sum(rate({worked('streams_posts_total')}[15m])) > 0) "
            f"or on () 0 * sum({worked('streams_posts_total')})",
            "percentunit",
            decimals=2,
            steps=[(0.001, palette.WARNING), (0.05, palette.BAD)],
        ),
    ),
    line(
        4,
        number(
            "Paused partitions",
            "Partitions that stopped at the limit of dead letters, so that a bad deploy does not "
            "drain the topic. They go on after a restart of their worker, once mended.",
            f"sum({worked('streams_partition_paused')}) or on () vector(0)",
            "none",
            decimals=0,
            steps=[(1, palette.BAD)],
        ),
        number(
            "Incidents",
            "Things that should not happen to a log (a topic made anew, records deleted before "
            "they were read, a pause), by the workers of the time range since they started.",
            f"sum(max_over_time({worked('streams_incidents_total')}[$__range])) or on () vector(0)",
            "none",
            decimals=0,
            steps=[(1, palette.BAD)],
        ),
        number(
            "Misplaced",
            "Records of the time range in another partition than their uid's: their repeats "
            "cannot be found. Not 0: a producer does not key by uid; set kafka.input to any.",
            f"sum(increase({worked('streams_misplaced_total')}[$__range]))",
            POSTS,
            decimals=0,
            steps=[(1, palette.BAD)],
        ),
        number(
            "Workers up",
            "Share of the workers that Prometheus knows and reaches.",
            f"avg({worked('up')})",
            "percentunit",
            decimals=0,
            steps=[(0, palette.BAD), (1, palette.GOOD)],
        ),
        number(
            "Exporter staleness",
            "How old the newest complete read of Redis is, of the exporter that is most behind. "
            "Rising: Spread shows old numbers.",
            f"time() - min({exporters('streams_redis_read_timestamp_seconds')})",
            "s",
            decimals=0,
            steps=[(30, palette.WARNING), (120, palette.BAD)],
        ),
        number(
            "Alerts firing",
            "Alerts of the pipeline and the campaigns that fire now. Each has a section in the "
            "runbook, by its name.",
            'count(ALERTS{alertname=~"Streams.*", alertstate="firing", '
            'namespace=~"$namespace"}) or on () vector(0)',
            "none",
            decimals=0,
            steps=[(1, palette.WARNING)],
        ),
    ),
)
