"""Spread: the hashtags, those of the campaigns and the largest others."""

from __future__ import annotations

from typing import Final

from deploy.grafana import palette
from deploy.grafana.layout import Line, line
from deploy.grafana.panels import POSTS_A_SECOND, Column, Query, lines, number, rows
from deploy.grafana.promql import held, largest


def _hashtag(metric: str, **labels: str) -> str:
    return held(metric, "hashtag", hashtag="$hashtag", **labels)


def _largest(metric: str, **labels: str) -> str:
    return largest(10, metric, "hashtag", hashtag="$hashtag", **labels)


HASHTAGS: Final[tuple[Line, ...]] = (
    line(
        10,
        rows(
            "Hashtags",
            "Each hashtag that has a series: those of the campaigns and the largest of the last "
            "hour. Velocity, acceleration, doubling time and authors are of the chosen window; "
            "no doubling time: not rising. Posts are all that were counted.",
            [
                _hashtag("streams_hashtag_velocity", window="$window"),
                _hashtag("streams_hashtag_acceleration", window="$window"),
                _hashtag("streams_hashtag_doubling_seconds", window="$window"),
                _hashtag("streams_hashtag_burst_score"),
                _hashtag("streams_hashtag_unique_authors", window="$window"),
                _hashtag("streams_hashtag_posts_total"),
            ],
            [
                Column("hashtag", "Hashtag"),
                Column("Value #A", "Velocity", POSTS_A_SECOND, 3),
                Column("Value #B", "Acceleration", "suffix: posts/s²", 5),
                Column("Value #C", "Doubling time", "s", 1),
                Column("Value #D", "Burst score", "none", 1),
                Column("Value #E", "Authors", "none", 0),
                Column("Value #F", "Posts", "none", 0),
            ],
            join="hashtag",
            sort="Velocity",
        ),
    ),
    line(
        9,
        lines(
            "Velocity by hashtag",
            "Posts per second over the chosen window, of the ten hashtags that are largest now; "
            "the darker, the more.",
            [Query(_largest("streams_hashtag_velocity", window="$window"), "#{{hashtag}}")],
            POSTS_A_SECOND,
            decimals=3,
        ),
        lines(
            "Burst score by hashtag",
            "By how many standard deviations each full minute differs from what was expected of "
            "it, of the ten highest now, and the score that is an alarm (dashed).",
            [
                Query(_largest("streams_hashtag_burst_score"), "#{{hashtag}}"),
                Query(held("streams_campaign_burst_alarm_score"), "alarm"),
            ],
            "none",
            dashed={"/^alarm$/": palette.VERMILION},
            lowest=None,
            decimals=1,
        ),
        number(
            "Hashtags without a series",
            "Hashtags with posts in the last hour that are too small for a series of their own. "
            "They are counted, and the API has them.",
            held("streams_hashtags_untracked"),
            "suffix: hashtags",
            decimals=0,
        ),
        widths=(10, 10, 4),
    ),
)
