"""How a snapshot becomes metrics: the text of a scrape."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from streams.exporter import metrics
from streams.exporter.authors import ALL_TIME
from streams.exporter.metrics import DEFINITIONS, Definition
from streams.exporter.snapshot import CampaignView, Snapshot, View
from streams.keys import US

VALUES: Final = 30  # of a dimension that may have many; the rest is `other`
OTHER: Final = "other"
_FLOOR_KEPT: Final = 25 * 3600.0  # seconds of event time; hashtags' totals start anew after that


class Exposition(Collector):
    """Publishes the newest snapshot; no `_total` ever goes down while the process lives."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.read_seconds = metrics.read_seconds(self.registry)
        self._failures = metrics.read_failures(self.registry)
        self._text: bytes | None = None
        self._families: list[Metric] = []
        self._floors: dict[tuple[str, tuple[str, ...]], tuple[float, float]] = {}
        ProcessCollector(registry=self.registry)
        self.registry.register(self)

    def text(self) -> bytes:
        """The answer to a scrape; made once for each snapshot."""
        if self._text is None:
            self._text = generate_latest(self.registry)
        return self._text

    def failed(self) -> None:
        """A read failed."""
        self._failures.inc()
        self._text = None

    def publish(self, snapshot: Snapshot) -> None:
        """Serve this one from now on."""
        now = snapshot.watermark or 0.0
        for series, (_, seen) in list(self._floors.items()):
            if series[0] == metrics.HASHTAG_POSTS.name and seen < now - _FLOOR_KEPT:
                del self._floors[series]
        self._families = list(self._families_of(snapshot, now))
        self._text = None

    def describe(self) -> Iterator[Metric]:
        for definition in DEFINITIONS:
            yield definition.family()

    def collect(self) -> Iterator[Metric]:
        yield from self._families

    def _families_of(self, snapshot: Snapshot, now: float) -> Iterator[Metric]:
        for definition, samples in _samples(snapshot):
            family = definition.family()
            for labels, value in samples:
                if definition.kind == "counter":
                    value = self._hold(definition.name, labels, value, now)
                family.add_metric(labels, value)
            yield family

    def _hold(self, name: str, labels: tuple[str, ...], value: float, now: float) -> float:
        """After a rollback of Redis: the value from before it, until Redis passes it."""
        held = max(value, self._floors.get((name, labels), (value, 0.0))[0])
        self._floors[name, labels] = (held, now)
        return held


_Samples = Iterable[tuple[tuple[str, ...], float]]


def _samples(snapshot: Snapshot) -> Iterator[tuple[Definition, _Samples]]:
    tags = {(tag,): view for tag, view in snapshot.hashtags.items()}
    yield metrics.HASHTAG_POSTS, [(labels, view.total) for labels, view in tags.items()]
    yield from _motions(
        tags,
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
    yield metrics.READ_TIME, [((), snapshot.read_at)]


def _motions(
    views: Mapping[tuple[str], View], definitions: Sequence[Definition]
) -> Iterator[tuple[Definition, _Samples]]:
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


def _campaigns(campaigns: Mapping[str, CampaignView]) -> Iterator[tuple[Definition, _Samples]]:
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


def capped(values: Mapping[str, int], most: int = VALUES) -> dict[str, int]:
    """The `most` largest (ties by name) and the rest as `other`; the same in every exporter."""
    if len(values) <= most:
        return dict(values)
    ranked = sorted(values.items(), key=lambda item: (-item[1], item[0]))
    top = dict(ranked[:most])
    top[OTHER] = top.get(OTHER, 0) + sum(n for _, n in ranked[most:])
    return top
