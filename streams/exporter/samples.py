"""How a snapshot becomes samples: labels and values by metric."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from streams.exporter import metrics
from streams.exporter.authors import ALL_TIME
from streams.exporter.insight_samples import insight_samples
from streams.exporter.metrics import Definition, Samples, capped
from streams.exporter.snapshot import CampaignView, Snapshot, View
from streams.keys import US
from streams.spread.burst import ALARM


def samples(snapshot: Snapshot) -> Iterator[tuple[Definition, Samples]]:
    tags = snapshot.hashtags
    yield metrics.HASHTAG_POSTS, [((tag,), view.total) for tag, view in tags.items()]
    yield from _motions(
        {(tag,): view for tag, view in tags.items()},
        (
            metrics.HASHTAG_VELOCITY,
            metrics.HASHTAG_ACCELERATION,
            metrics.HASHTAG_DOUBLING,
            metrics.HASHTAG_AUTHORS,
        ),
    )
    yield metrics.HASHTAGS_UNTRACKED, [((), snapshot.untracked)]
    views = {(name,): campaign.view for name, campaign in snapshot.campaigns.items()}
    yield from _motions(
        views,
        (
            metrics.CAMPAIGN_VELOCITY,
            metrics.CAMPAIGN_ACCELERATION,
            metrics.CAMPAIGN_DOUBLING,
            metrics.CAMPAIGN_AUTHORS,
        ),
    )
    yield from _campaigns(snapshot.campaigns)
    yield metrics.STORED_POSTS, [((*field.split(US),), n) for field, n in snapshot.outcomes.items()]
    if snapshot.watermark is not None:
        yield metrics.WATERMARK, [((), snapshot.watermark)]
    yield (
        metrics.PARTITION_OFFSET,
        [((state.name,), state.offset) for state in snapshot.states if state.offset is not None],
    )
    yield (
        metrics.PARTITION_LAG,
        [((state.name,), state.lag) for state in snapshot.states if state.lag is not None],
    )
    yield (
        metrics.PARTITION_REPORTED,
        [((s.name,), s.reported / 1000) for s in snapshot.states if s.reported is not None],
    )
    yield metrics.READ_TIME, [((), snapshot.read_at)]
    yield metrics.CLOCK, [((snapshot.clock,), 1)]
    yield metrics.CAMPAIGN_BURST_ALARM, [((), ALARM)]
    if snapshot.insight is not None:
        yield from insight_samples(snapshot.insight, snapshot.hashtags)


def _motions(
    views: Mapping[tuple[str], View], definitions: Sequence[Definition]
) -> Iterator[tuple[Definition, Samples]]:
    velocity, acceleration, doubling, authors = definitions
    moving = [
        ((*labels, window), motion)
        for labels, view in views.items()
        for window, motion in view.motions.items()
    ]
    yield velocity, [(labels, motion.velocity) for labels, motion in moving]
    yield (
        acceleration,
        [(labels, m.acceleration) for labels, m in moving if m.acceleration is not None],
    )
    yield (
        doubling,
        [(labels, m.doubling_seconds) for labels, m in moving if m.doubling_seconds is not None],
    )
    yield (
        authors,
        [
            ((*labels, window), n)
            for labels, view in views.items()
            for window, n in view.authors.items()
            if window != ALL_TIME
        ],
    )


def _campaigns(campaigns: Mapping[str, CampaignView]) -> Iterator[tuple[Definition, Samples]]:
    prefix = f"joint{US}"
    yield (
        metrics.CAMPAIGN_POSTS,
        [
            ((name, *field.removeprefix(prefix).split(US)), n)
            for name, campaign in campaigns.items()
            for field, n in campaign.fields.items()
            if field.startswith(prefix)
        ],
    )
    dimensions = {name: campaign.dimensions for name, campaign in campaigns.items()}
    for definition, dimension in (
        (metrics.CAMPAIGN_STANCE, "stance"),
        (metrics.CAMPAIGN_LANGUAGE, "lang"),
        (metrics.CAMPAIGN_COUNTRY, "country"),
        (metrics.CAMPAIGN_ROOT, "root"),
    ):
        yield (
            definition,
            [
                ((name, value), n)
                for name, found in dimensions.items()
                for value, n in capped(found.get(dimension, {})).items()
            ],
        )
    yield (
        metrics.CAMPAIGN_NEW_AUTHORS,
        [
            ((name,), campaign.new_author_ratio)
            for name, campaign in campaigns.items()
            if campaign.new_author_ratio is not None
        ],
    )
    yield metrics.CAMPAIGN_FIRST_SEEN, list(_first_seen(campaigns, dimensions))
    yield (
        metrics.CAMPAIGN_THRESHOLD,
        [
            ((name, severity), rate)
            for name, campaign in campaigns.items()
            for severity, rate in campaign.thresholds.items()
        ],
    )
    yield (
        metrics.CAMPAIGN_MILESTONE,
        [
            ((name,), campaign.next_milestone)
            for name, campaign in campaigns.items()
            if campaign.next_milestone is not None
        ],
    )


def _first_seen(
    campaigns: Mapping[str, CampaignView], dimensions: Mapping[str, Mapping[str, Mapping[str, int]]]
) -> Iterator[tuple[tuple[str, str, str], float]]:
    """Only values that have a series of posts, too: the others are in `other`."""
    for name, campaign in campaigns.items():
        shown = {dimension: capped(values) for dimension, values in dimensions[name].items()}
        for field, ms in campaign.first.items():
            dimension, _, value = field.partition(US)
            if value in shown.get(dimension, {}):
                yield (name, dimension, value), ms / 1000
