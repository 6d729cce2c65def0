"""Spread: what stands at its top, the numbers of this moment and what people say."""

from __future__ import annotations

from typing import Final

from deploy.grafana import palette
from deploy.grafana.layout import line
from deploy.grafana.panels import POSTS, POSTS_A_SECOND, Query, bars, lines, number
from deploy.grafana.promql import held, of_campaign, of_dimension

_VELOCITY: Final = of_campaign("streams_campaign_velocity", window="5m")
_STANCES: Final = of_campaign("streams_campaign_stance_posts_total", "stance")
_BURST: Final = of_campaign("streams_campaign_burst_score")
_ALARM: Final = held("streams_campaign_burst_alarm_score")
_NOW: Final = held("streams_watermark_timestamp_seconds")  # in event time
_MILESTONE_AT: Final = of_campaign("streams_campaign_milestone_forecast_timestamp_seconds")
_OPPOSED: Final = ("testimony", "opposition", "spam")
_CROSSED: Final = (
    f"count by (namespace, campaign) "
    f"({of_campaign('streams_campaign_velocity_threshold', 'severity')} "
    f"<= on (namespace, campaign) group_left () {_VELOCITY}) or {_VELOCITY} * 0"
)


def _share(stance: str) -> str:
    stances = of_dimension("stance")
    one = of_campaign("streams_campaign_dimension_velocity", dimension="stance", value=stance)
    return f"{one} / (sum by (namespace, campaign) ({stances}) > 0)"


NUMBERS: Final = (
    line(
        4,
        number(
            "Velocity",
            "Posts per second over the last 5 minutes of event time, the window that "
            "thresholds are compared with.",
            _VELOCITY,
            POSTS_A_SECOND,
            decimals=2,
        ),
        number(
            "Thresholds crossed",
            "How many of the campaign's velocity thresholds the velocity has reached. "
            "With the shipped ones: 1 is info, 2 warning, 3 page.",
            _CROSSED,
            "none",
            decimals=0,
            steps=[(1, palette.SKY), (2, palette.WARNING), (3, palette.BAD)],
        ),
        number(
            "Doubling time",
            "In how long the velocity of the chosen window doubles if it grows on as it "
            "did since the window before. There is none while it does not rise.",
            of_campaign("streams_campaign_doubling_seconds", window="$window"),
            "s",
            decimals=1,
            none="not rising",
        ),
        number(
            "Burst, share of alarm",
            "Burst score of the newest full minute as a share of the score that is an "
            "alarm: 100 % and more is one. Negative: fewer posts than expected.",
            f"{_BURST} / on (namespace) group_left () {_ALARM}",
            "percentunit",
            decimals=0,
            steps=[(0.5, palette.WARNING), (1, palette.BAD)],
        ),
        number(
            "Expected in the next hour",
            "Posts that the forecast expects in the next hour (its middle; the band is below).",
            of_campaign("streams_campaign_forecast_posts", horizon="1h", bound="mid"),
            POSTS,
            decimals=0,
        ),
        number(
            "Posts in all",
            "Posts of the campaign counted since the first, each once.",
            f"sum by (namespace, campaign) ({_STANCES})",
            POSTS,
            decimals=0,
        ),
    ),
    line(
        4,
        number(
            "Next milestone",
            "The next total, of those in the campaign file, that is an event.",
            of_campaign("streams_campaign_milestone_posts"),
            POSTS,
            decimals=0,
            none="all reached",
        ),
        number(
            "Milestone expected in",
            "Event time until the next milestone, by the forecast. There is none if it is "
            "not expected within 24 hours.",
            f"{_MILESTONE_AT} - on (namespace) group_left () {_NOW}",
            "s",
            decimals=1,
            none="not within 24 h",
        ),
        number(
            "Authors",
            "Distinct authors in the chosen window: an estimate with a standard error of 0.81 %.",
            of_campaign("streams_campaign_unique_authors", window="$window"),
            "suffix: authors",
            decimals=0,
        ),
        number(
            "New authors",
            "Share of the last hour's authors who had not posted in the 23 hours before. "
            "Near 100 % it reaches new people; falling, the same people go on.",
            of_campaign("streams_campaign_new_author_ratio"),
            "percentunit",
            decimals=0,
        ),
        number(
            "Reposts per post",
            "Amplification: reposts for each post of the last hour that is none.",
            of_campaign("streams_campaign_amplification_ratio"),
            "none",
            decimals=2,
        ),
        number(
            "Reproduction",
            "Reposts and replies that a post causes in the course of a generation. "
            "From 1 on (orange) the campaign keeps itself going.",
            of_campaign("streams_campaign_reproduction_ratio"),
            "none",
            decimals=2,
            steps=[(1, palette.WARNING)],
        ),
    ),
)

STANCE: Final = line(
    9,
    lines(
        "What is said",
        "Posts per second over the last hour by stance, on top of each other: testimony "
        "and support against opposition and spam. Stances come from rules, not from "
        "readers: read shares, not single posts.",
        [Query(of_dimension("stance"), "{{value}}")],
        POSTS_A_SECOND,
        colours=palette.STANCES,
        stacked="normal",
        decimals=2,
    ),
    lines(
        "Testimony against opposition and spam",
        "Share of the last hour's posts. Opposition or spam that rises while testimony "
        "falls is a campaign that is being answered or abused.",
        [Query(_share(one), one) for one in _OPPOSED],
        "percentunit",
        colours={one: palette.STANCES[one] for one in _OPPOSED},
        highest=1,
        decimals=1,
    ),
    bars(
        "Stances, in all",
        "Posts of the campaign by stance since the first, each counted once.",
        Query(_STANCES, "{{stance}}"),
        POSTS,
        colours=palette.STANCES,
        decimals=0,
    ),
    widths=(10, 8, 6),
)
