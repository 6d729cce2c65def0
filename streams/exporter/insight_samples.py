"""How a minute's insight becomes samples."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping

from streams.exporter import metrics
from streams.exporter.insight import CampaignInsight, Insight
from streams.exporter.metrics import Definition, Samples, capped


def insight_samples(
    insight: Insight, shown: Collection[str]
) -> Iterator[tuple[Definition, Samples]]:
    """`shown` are the hashtags that have series."""
    found = insight.campaigns
    yield (
        metrics.HASHTAG_BURST,
        [((tag,), score) for tag, score in insight.bursts.items() if tag in shown],
    )
    yield metrics.CAMPAIGN_BURST, [((name,), one.burst) for name, one in found.items()]
    yield (
        metrics.CAMPAIGN_FORECAST,
        [
            ((name, horizon, bound), posts)
            for name, one in found.items()
            for horizon, forecast in one.forecasts.items()
            for bound, posts in forecast._asdict().items()
        ],
    )
    yield (
        metrics.CAMPAIGN_THRESHOLD_FORECAST,
        [
            ((name, one.crossing[0]), one.crossing[1])
            for name, one in found.items()
            if one.crossing is not None
        ],
    )
    yield (
        metrics.CAMPAIGN_DIMENSION_VELOCITY,
        [
            ((name, dimension, value), velocity)
            for name, one in found.items()
            for dimension, values in one.velocities.items()
            for value, velocity in capped(values).items()
        ],
    )
    for definition, pick in _RATIOS:
        yield definition, _known(found, pick)
    yield (
        metrics.CAMPAIGN_ENTROPY,
        [
            ((name, dimension), bits)
            for name, one in found.items()
            for dimension, bits in one.entropy.items()
        ],
    )
    yield (
        metrics.CAMPAIGN_MILESTONE_REACHED,
        [(labels, ms / 1000) for labels, ms in insight.reached.items()],
    )
    yield (
        metrics.CAMPAIGN_CALL_REPLIES,
        [
            ((name, root), n)
            for name, replies in insight.replies.items()
            for root, n in capped(replies).items()
        ],
    )
    yield metrics.CAMPAIGN_EVENTS, list(insight.events.items())
    yield (
        metrics.MEMORY_USED,
        [((node,), used) for node, (used, _) in insight.memory.items()],
    )
    yield (
        metrics.MEMORY_LIMIT,
        [((node,), limit) for node, (_, limit) in insight.memory.items()],
    )


_RATIOS: tuple[tuple[Definition, Callable[[CampaignInsight], float | None]], ...] = (
    (metrics.CAMPAIGN_MILESTONE_FORECAST, lambda one: one.milestone),
    (metrics.CAMPAIGN_AMPLIFICATION, lambda one: one.amplification),
    (metrics.CAMPAIGN_REPRODUCTION, lambda one: one.reproduction),
)


def _known(
    found: Mapping[str, CampaignInsight], pick: Callable[[CampaignInsight], float | None]
) -> Samples:
    return [((name,), value) for name, one in found.items() if (value := pick(one)) is not None]
