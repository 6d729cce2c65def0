"""Every metric of an exporter: name, type, labels and meaning.

An exporter publishes what Redis holds.  Several of them publish the same truth, so rules take
`max without(instance, pod)`, never a sum, and never `rate()` of a `_total`: velocity is a metric of
its own, in event time.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final, Literal, NamedTuple, TypeAlias, TypeVar

from prometheus_client import CollectorRegistry, Counter, Histogram, disable_created_metrics
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily

disable_created_metrics()  # type: ignore[no-untyped-call] # nothing reads `_created` series


class Definition(NamedTuple):
    """A metric; a counter's name gets `_total`."""

    kind: Literal["counter", "gauge"]
    name: str
    labels: tuple[str, ...]
    help: str

    def family(self) -> CounterMetricFamily | GaugeMetricFamily:
        made = CounterMetricFamily if self.kind == "counter" else GaugeMetricFamily
        return made(self.name, self.help, labels=self.labels)


#: Labels and value of the series of one metric.
Samples: TypeAlias = Iterable[tuple[tuple[str, ...], float]]

VALUES: Final = 30  # of a dimension that may have many; the rest is `other`
OTHER: Final = "other"
N = TypeVar("N", int, float)

# --- hashtags: those of the campaigns, and the top K of the last hour -----------------------------

HASHTAG_POSTS: Final = Definition(
    "counter", "streams_hashtag_posts", ("hashtag",), "Counted posts with the hashtag."
)
HASHTAG_VELOCITY: Final = Definition(
    "gauge",
    "streams_hashtag_velocity",
    ("hashtag", "window"),
    "Posts per second over the window, in event time.",
)
HASHTAG_ACCELERATION: Final = Definition(
    "gauge",
    "streams_hashtag_acceleration",
    ("hashtag", "window"),
    "Change of velocity since the window before, in posts per second squared.",
)
HASHTAG_DOUBLING: Final = Definition(
    "gauge",
    "streams_hashtag_doubling_seconds",
    ("hashtag", "window"),
    "Seconds in which velocity doubles at its present growth; absent unless it rises.",
)
HASHTAG_AUTHORS: Final = Definition(
    "gauge",
    "streams_hashtag_unique_authors",
    ("hashtag", "window"),
    "Distinct authors in the window (estimate, standard error 0.81 %).",
)
HASHTAG_BURST: Final = Definition(
    "gauge",
    "streams_hashtag_burst_score",
    ("hashtag",),
    "Deviations of the newest full minute from what was expected of it.",
)
HASHTAGS_UNTRACKED: Final = Definition(
    "gauge",
    "streams_hashtags_untracked",
    (),
    "Hashtags with posts in the last hour that have no series of their own.",
)

# --- campaigns ------------------------------------------------------------------------------------

CAMPAIGN_POSTS: Final = Definition(
    "counter",
    "streams_campaign_posts",
    ("campaign", "platform", "kind", "via"),
    "Counted posts of the campaign.",
)
CAMPAIGN_VELOCITY: Final = HASHTAG_VELOCITY._replace(
    name="streams_campaign_velocity", labels=("campaign", "window")
)
CAMPAIGN_ACCELERATION: Final = HASHTAG_ACCELERATION._replace(
    name="streams_campaign_acceleration", labels=("campaign", "window")
)
CAMPAIGN_DOUBLING: Final = HASHTAG_DOUBLING._replace(
    name="streams_campaign_doubling_seconds", labels=("campaign", "window")
)
CAMPAIGN_AUTHORS: Final = HASHTAG_AUTHORS._replace(
    name="streams_campaign_unique_authors", labels=("campaign", "window")
)
CAMPAIGN_STANCE: Final = Definition(
    "counter",
    "streams_campaign_stance_posts",
    ("campaign", "stance"),
    "Posts of the campaign by stance.",
)
CAMPAIGN_LANGUAGE: Final = Definition(
    "counter",
    "streams_campaign_language_posts",
    ("campaign", "lang"),
    "Posts of the campaign by language: the top 30 and `other`.",
)
CAMPAIGN_COUNTRY: Final = Definition(
    "counter",
    "streams_campaign_country_posts",
    ("campaign", "country"),
    "Posts of the campaign by country, where it is known: the top 30 and `other`.",
)
CAMPAIGN_ROOT: Final = Definition(
    "counter",
    "streams_campaign_root_replies",
    ("campaign", "root"),
    "Replies in the conversation of a root post of the campaign: the top 30 and `other`.",
)
CAMPAIGN_CALL_REPLIES: Final = Definition(
    "gauge",
    "streams_campaign_call_replies",
    ("campaign", "root"),
    "Posts of the campaign in the last 24 hours that answer an amplifier's post that is the call: "
    "the top 30 and `other`.",
)
CAMPAIGN_FIRST_SEEN: Final = Definition(
    "gauge",
    "streams_campaign_first_seen_timestamp_seconds",
    ("campaign", "dimension", "value"),
    "When the first post on a platform, in a language or from a country was made.",
)
CAMPAIGN_THRESHOLD: Final = Definition(
    "gauge",
    "streams_campaign_velocity_threshold",
    ("campaign", "severity"),
    "Velocity (posts per second) of the campaign file at which that severity begins.",
)
CAMPAIGN_MILESTONE: Final = Definition(
    "gauge",
    "streams_campaign_milestone_posts",
    ("campaign",),
    "The next milestone of the campaign file, in posts; absent after the last.",
)

CAMPAIGN_MILESTONE_REACHED: Final = Definition(
    "gauge",
    "streams_campaign_milestone_reached_timestamp_seconds",
    ("campaign", "posts"),
    "When a milestone was reached, in event time.",
)
CAMPAIGN_BURST: Final = HASHTAG_BURST._replace(
    name="streams_campaign_burst_score", labels=("campaign",)
)
CAMPAIGN_BURST_ALARM: Final = Definition(
    "gauge", "streams_campaign_burst_alarm_score", (), "The burst score that is an alarm."
)
CAMPAIGN_FORECAST: Final = Definition(
    "gauge",
    "streams_campaign_forecast_posts",
    ("campaign", "horizon", "bound"),
    "Posts expected within the horizon: `mid`, and `low` to `high` with a chance of 80 %.",
)
CAMPAIGN_THRESHOLD_FORECAST: Final = Definition(
    "gauge",
    "streams_campaign_threshold_forecast_timestamp_seconds",
    ("campaign", "severity"),
    "When the next threshold is expected to be crossed; absent unless within 24 h.",
)
CAMPAIGN_MILESTONE_FORECAST: Final = Definition(
    "gauge",
    "streams_campaign_milestone_forecast_timestamp_seconds",
    ("campaign",),
    "When the next milestone is expected; absent unless within 24 h.",
)
CAMPAIGN_DIMENSION_VELOCITY: Final = Definition(
    "gauge",
    "streams_campaign_dimension_velocity",
    ("campaign", "dimension", "value"),
    "Posts per second over the last hour by platform, kind, via, stance, lang and country (the "
    "last two: the top 30 and `other`).",
)
CAMPAIGN_AMPLIFICATION: Final = Definition(
    "gauge",
    "streams_campaign_amplification_ratio",
    ("campaign",),
    "Reposts per post that is none, in the last hour.",
)
CAMPAIGN_NEW_AUTHORS: Final = Definition(
    "gauge",
    "streams_campaign_new_author_ratio",
    ("campaign",),
    "Share of the authors since the beginning of the last full hour who had not posted in the 23 "
    "hours before.",
)
CAMPAIGN_REPRODUCTION: Final = Definition(
    "gauge",
    "streams_campaign_reproduction_ratio",
    ("campaign",),
    "Reposts and replies that a post causes in the course of a generation; above 1 it keeps going.",
)
CAMPAIGN_ENTROPY: Final = Definition(
    "gauge",
    "streams_campaign_entropy_bits",
    ("campaign", "dimension"),
    "Entropy of the last hour's languages or countries: 2^bits of them would be as mixed.",
)
CAMPAIGN_EVENTS: Final = Definition(
    "counter", "streams_campaign_events", ("campaign", "kind"), "Events written."
)

# --- the pipeline, as Redis holds it --------------------------------------------------------------

STORED_POSTS: Final = Definition(
    "counter",
    "streams_stored_posts",
    ("platform", "outcome"),
    "Records read, by outcome: exact, where streams_posts_total is what one worker did.",
)
WATERMARK: Final = Definition(
    "gauge",
    "streams_watermark_timestamp_seconds",
    (),
    "Event time that is completely counted; stands at now when all partitions are drained.",
)
PARTITION_OFFSET: Final = Definition(
    "gauge",
    "streams_partition_offset",
    ("partition",),
    "Next offset to count of the partition (topic:partition).",
)
PARTITION_LAG: Final = Definition(
    "gauge",
    "streams_partition_lag_posts",
    ("partition",),
    "Records that are not counted yet, as the partition's worker last reported.",
)
PARTITION_REPORTED: Final = Definition(
    "gauge",
    "streams_partition_reported_timestamp_seconds",
    ("partition",),
    "When (wall clock) the partition's worker last reported.",
)
MEMORY_USED: Final = Definition(
    "gauge", "streams_redis_memory_used_bytes", ("node",), "Memory that Redis uses."
)
MEMORY_LIMIT: Final = Definition(
    "gauge",
    "streams_redis_memory_limit_bytes",
    ("node",),
    "Memory that Redis may use; 0: no limit.",
)
CLOCK: Final = Definition(
    "gauge",
    "streams_clock_info",
    ("clock",),
    "Where time stands when all is counted: `live` at now, `replay` at the newest post.",
)
READ_TIME: Final = Definition(
    "gauge",
    "streams_redis_read_timestamp_seconds",
    (),
    "When Redis was last read completely.",
)

DEFINITIONS: Final = tuple(value for value in globals().values() if isinstance(value, Definition))


def capped(values: Mapping[str, N], most: int = VALUES) -> dict[str, N]:
    """The `most` largest (ties by name) and the rest as `other`; the same in every exporter."""
    if len(values) <= most:
        return dict(values)
    ranked = sorted(values.items(), key=lambda item: (-item[1], item[0]))
    top = dict(ranked[:most])
    top[OTHER] = top.get(OTHER, 0) + sum(n for _, n in ranked[most:])
    return top


# --- reading itself -------------------------------------------------------------------------------


def read_seconds(registry: CollectorRegistry) -> Histogram:
    """How long a complete read of Redis takes."""
    return Histogram(
        "streams_redis_read_seconds",
        "Seconds that a read of all partitions took.",
        buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0),
        registry=registry,
    )


def read_failures(registry: CollectorRegistry) -> Counter:
    """Reads that failed; what was read before is still served."""
    return Counter("streams_redis_read_failures", "Reads of Redis that failed.", registry=registry)
