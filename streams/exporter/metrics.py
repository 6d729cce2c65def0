"""Every metric of an exporter: name, type, labels and meaning.

An exporter publishes what Redis holds.  Several of them publish the same truth, so rules take
`max without(instance, pod)`, never a sum, and never `rate()` of a `_total`: velocity is a metric of
its own, in event time.
"""

from __future__ import annotations

from typing import Final, Literal, NamedTuple

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
    "Answers to a root post of the campaign: the top 30 and `other`.",
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
READ_TIME: Final = Definition(
    "gauge",
    "streams_redis_read_timestamp_seconds",
    (),
    "When Redis was last read completely.",
)

DEFINITIONS: Final = tuple(value for value in globals().values() if isinstance(value, Definition))


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
