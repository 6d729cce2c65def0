"""Pipeline: what workers read, how far behind they are, and how their batches do."""

from __future__ import annotations

from typing import Final

from deploy.grafana import palette
from deploy.grafana.layout import Line, Panel, line
from deploy.grafana.panels import POSTS, POSTS_A_SECOND, Query, lines
from deploy.grafana.promql import held, none_is_zero, quantile, rate, worked

_QUANTILES: Final = (("median", 0.5), ("90 %", 0.9), ("99 %", 0.99))
_A_SECOND: Final = "suffix: /s"


def _quantiles(title: str, histogram: str, unit: str, description: str) -> Panel:
    return lines(
        title,
        f"{description} Half, 90 % and 99 % are below these.",
        [Query(quantile(share, histogram), name) for name, share in _QUANTILES],
        unit,
        colours=palette.QUANTILES,
        decimals=1,
    )


def _by_reason(title: str, metric: str, label: str, description: str) -> Panel:
    return lines(
        title,
        description,
        [Query(none_is_zero(rate(metric, label), label), f"{{{{{label}}}}}")],
        _A_SECOND,
        decimals=3,
    )


THROUGHPUT: Final[tuple[Line, ...]] = (
    line(
        9,
        lines(
            "Records by outcome",
            "Records per second, each with one outcome: counted, duplicate (a repeat), ignored "
            "(no post), late (older than the dedupe horizon), dead (unreadable).",
            [Query(rate("streams_posts_total", "outcome"), "{{outcome}}")],
            POSTS_A_SECOND,
            colours=palette.OUTCOMES,
            stacked="normal",
            decimals=1,
        ),
        lines(
            "Records by platform",
            "Records per second by platform; unknown could not be decoded. One that stops while "
            "others go on: its source is silent.",
            [Query(rate("streams_posts_total", "platform"), "{{platform}}")],
            POSTS_A_SECOND,
            colours=palette.PLATFORMS,
            stacked="normal",
            decimals=1,
        ),
        lines(
            "Records by worker",
            "Records per second by worker; the darker, the more. One far below the others has few "
            "partitions, or is held up.",
            [Query(rate("streams_posts_total", "instance"), "{{instance}}")],
            POSTS_A_SECOND,
            decimals=1,
        ),
    ),
)

LAG: Final[tuple[Line, ...]] = (
    line(
        9,
        lines(
            "Lag by partition",
            "Records that are not counted yet; the darker, the more. One partition that rises "
            "alone is stuck or paused; all together, workers are too few.",
            [Query(held("streams_partition_lag_posts", "partition"), "{{partition}}")],
            POSTS,
            decimals=0,
        ),
        lines(
            "Forwarding lag by partition",
            "Records of the raw topic that are not in the keyed topic yet; the darker, the more. "
            'Nothing where producers key by uid (`kafka.input = "keyed"`).',
            [Query(f"max by (partition) ({worked('streams_forward_lag_posts')})", "{{partition}}")],
            POSTS,
            decimals=0,
        ),
        lines(
            "Silence by partition",
            "For how long the worker of a partition has not reported to Redis. A line that rises "
            "by a second a second is a partition without a worker.",
            [
                Query(
                    f"time() - {held('streams_partition_reported_timestamp_seconds', 'partition')}",
                    "{{partition}}",
                )
            ],
            "s",
            decimals=0,
        ),
        _quantiles(
            "End-to-end age",
            "streams_event_age_seconds",
            "s",
            "From a post's creation to its being counted. In a replay, the age of the day.",
        ),
    ),
)

BATCHES: Final[tuple[Line, ...]] = (
    line(
        8,
        _quantiles(
            "Batch time",
            "streams_batch_seconds",
            "s",
            "From a batch's first call of Redis to its commit, outputs to Kafka included.",
        ),
        _quantiles(
            "Commit time",
            "streams_commit_seconds",
            "s",
            "The script that writes a batch to Redis, reply included. It rises with batch size, "
            "and where Redis is slow.",
        ),
        _quantiles(
            "Batch size",
            "streams_batch_posts",
            POSTS,
            "Records in a committed batch. Large batches mean that workers catch up, small ones "
            "that they are level.",
        ),
    ),
    line(
        8,
        _by_reason(
            "Rejected batches",
            "streams_commit_rejections_total",
            "reason",
            "Batches not written because Redis held another position: moved (another worker), "
            "rolled_back (Redis went back in time), lost_batch. Nothing is counted twice or lost; "
            "other than after a rebalance or failover, find out why.",
        ),
        _by_reason(
            "Retries",
            "streams_retries_total",
            "reason",
            "Calls of Redis or Kafka that failed and were made again, by what was called. Going "
            "on: it cannot be reached, and lag will rise.",
        ),
        _by_reason(
            "Dead letters by reason",
            "streams_dead_total",
            "reason",
            "Records per second that could not be read. One new reason after a deploy or on one "
            "platform: the format changed.",
        ),
    ),
    line(
        8,
        lines(
            "Misplaced records",
            "Records per second in another partition than their uid's, by worker: their repeats "
            "cannot be found. Always 0 where producers key by uid.",
            [Query(rate("streams_misplaced_total", "instance"), "{{instance}}")],
            POSTS_A_SECOND,
            decimals=3,
        ),
        lines(
            "Paused partitions",
            "1 while a partition is paused by the limit of dead letters, by worker and partition.",
            [
                Query(
                    none_is_zero(
                        f"max by (partition) ({worked('streams_partition_paused')})", "partition"
                    ),
                    "{{partition}}",
                )
            ],
            "none",
            highest=1,
            decimals=0,
        ),
        lines(
            "Incidents",
            "Incidents since the workers started, by kind: new_log (topic made anew), retention "
            "(records deleted before they were read), paused. Each step is one.",
            [
                Query(
                    none_is_zero(f"sum by (kind) ({worked('streams_incidents_total')})", "kind"),
                    "{{kind}}",
                )
            ],
            "none",
            decimals=0,
        ),
    ),
)
