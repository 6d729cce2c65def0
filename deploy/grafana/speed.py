"""Spread: how fast a campaign is, whether it speeds up, and what is expected."""

from __future__ import annotations

from typing import Final

from deploy.grafana import palette
from deploy.grafana.layout import line
from deploy.grafana.panels import POSTS, POSTS_A_SECOND, Column, Query, lines, rows
from deploy.grafana.promql import held, of_campaign

_THRESHOLD_AT: Final = of_campaign(
    "streams_campaign_threshold_forecast_timestamp_seconds", "severity"
)


def _forecast(horizon: str, bound: str) -> str:
    return of_campaign("streams_campaign_forecast_posts", horizon=horizon, bound=bound)


MOTION: Final = (
    line(
        10,
        lines(
            "Velocity by window, against thresholds",
            "Posts per second over each window of event time, and the thresholds of the "
            "campaign file (dashed), which are compared with 5m. Short windows above long "
            "ones: it is speeding up.",
            [
                Query(of_campaign("streams_campaign_velocity", "window"), "{{window}}"),
                Query(
                    of_campaign("streams_campaign_velocity_threshold", "severity"),
                    "threshold {{severity}}",
                ),
            ],
            POSTS_A_SECOND,
            colours=palette.WINDOWS,
            dashed={
                "/^threshold (?!page|warning)/": palette.GREY,
                "/^threshold warning$/": palette.ORANGE,
                "/^threshold page$/": palette.VERMILION,
            },
            decimals=2,
        ),
        rows(
            "Thresholds to come",
            "When, in event time, the next threshold above the present velocity is "
            "expected to be crossed. Empty: not within 24 hours, or all are crossed.",
            [f"{_THRESHOLD_AT} * 1000"],
            [Column("severity", "Severity"), Column("Value", "Expected", "dateTimeAsIso")],
            sort="Expected",
            descending=False,
            unit="dateTimeAsIso",
        ),
        widths=(16, 8),
    ),
    line(
        8,
        lines(
            "Acceleration",
            "Change of velocity from the chosen window before to this one, per second. "
            "Above zero it speeds up, below it slows down.",
            [
                Query(
                    of_campaign("streams_campaign_acceleration", "window", window="$window"),
                    "{{window}}",
                )
            ],
            "suffix: posts/s²",
            colours=palette.WINDOWS,
            signed=True,
            decimals=4,
        ),
        lines(
            "Doubling time",
            "In how long velocity doubles if it grows on like this. The line has gaps "
            "where velocity does not rise; the lower, the faster.",
            [
                Query(
                    of_campaign("streams_campaign_doubling_seconds", "window"),
                    "{{window}}",
                )
            ],
            "s",
            colours=palette.WINDOWS,
            decimals=1,
            calculations=("lastNotNull", "min"),
        ),
        lines(
            "Burst score",
            "By how many standard deviations each full minute differs from what was "
            "expected of it, and the score that is an alarm (dashed).",
            [
                Query(of_campaign("streams_campaign_burst_score"), "burst score"),
                Query(held("streams_campaign_burst_alarm_score"), "alarm"),
            ],
            "none",
            colours={"burst score": palette.BLUE},
            dashed={"/^alarm$/": palette.VERMILION},
            lowest=None,
            decimals=1,
        ),
    ),
)


def _band(horizon: str, window: str, seconds: int) -> list[Query]:
    velocity = of_campaign("streams_campaign_velocity", window=window)
    return [
        Query(_forecast(horizon, "low"), "low"),
        Query(_forecast(horizon, "mid"), "expected"),
        Query(_forecast(horizon, "high"), "high"),
        Query(f"{velocity} * {seconds}", "last"),
    ]


FORECASTS: Final = line(
    8,
    lines(
        "Forecast, next 15 minutes",
        "Posts expected within 15 minutes from each moment on: they lie in the band with "
        "a chance of 80 %. Orange: the posts of the last 15 minutes.",
        _band("15m", "15m", 900),
        POSTS,
        colours=palette.BAND,
        band=("low", "high"),
        decimals=0,
    ),
    lines(
        "Forecast, next hour",
        "Posts expected within an hour from each moment on: they lie in the band with a "
        "chance of 80 %. Orange: the posts of the last hour.",
        _band("1h", "1h", 3600),
        POSTS,
        colours=palette.BAND,
        band=("low", "high"),
        decimals=0,
    ),
    rows(
        "Milestones reached",
        "When, in event time, the campaign's milestones were reached.",
        [of_campaign("streams_campaign_milestone_reached_timestamp_seconds", "posts") + " * 1000"],
        [Column("posts", "Posts"), Column("Value", "Reached", "dateTimeAsIso")],
        sort="Reached",
        unit="dateTimeAsIso",
    ),
)
