"""The dashboard Spread: how a campaign spreads, for those who follow it."""

from __future__ import annotations

from deploy.grafana.hashtags import HASHTAGS
from deploy.grafana.layout import Section, place
from deploy.grafana.now import NUMBERS, STANCE
from deploy.grafana.paths import THROUGH_WHAT, WHERE
from deploy.grafana.promql import of_campaign
from deploy.grafana.sdk import dashboard
from deploy.grafana.speed import FORECASTS, MOTION
from deploy.grafana.variables import alerts, board, chosen, reached, window


def spread() -> dashboard.Dashboard:
    """Build it; uid `streams-spread`."""
    made = (
        board(
            "Spread",
            "streams-spread",
            "How fast a campaign spreads, through what, and where. Numbers are exact counts in "
            "event time, unless a panel says that it estimates; Pipeline says whether they can be "
            "trusted. The horizontal axis is the time of the scrape: in a replay it is not the "
            "time of the posts.",
        )
        .with_variable(
            chosen(
                "campaign",
                "Campaign",
                "Each has rows of its own.",
                'label_values(streams_campaign_velocity{namespace=~"$namespace"}, campaign)',
                everything=None,
                multi=True,
            )
        )
        .with_variable(window())
        .with_variable(
            chosen(
                "hashtag",
                "Hashtag",
                "For the panels of hashtags, at the bottom.",
                'label_values(streams_hashtag_velocity{namespace=~"$namespace"}, hashtag)',
                everything=".+",
                multi=True,
            )
        )
        .annotation(
            alerts(
                'ALERTS{alertname=~"Streams.*", alertstate="firing", namespace=~"$namespace", '
                'campaign=~"$campaign"}'
            )
        )
        .annotation(
            reached(
                of_campaign("streams_campaign_milestone_reached_timestamp_seconds", "posts")
                + " * 1000"
            )
        )
    )
    return place(
        made,
        [
            Section("$campaign: how fast", [*NUMBERS, STANCE, *MOTION, FORECASTS], "campaign"),
            Section("$campaign: through what", THROUGH_WHAT, "campaign"),
            Section("$campaign: where", WHERE, "campaign"),
            Section("Hashtags", HASHTAGS),
        ],
    )
