"""Spread: through what a campaign spreads (ways, kinds, platforms) and where it has come to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from deploy.grafana import palette
from deploy.grafana.layout import Line, Panel, line
from deploy.grafana.panels import POSTS, POSTS_A_SECOND, Column, Query, bars, lines, rows
from deploy.grafana.promql import largest, of_campaign, of_dimension

_POSTS: Final = "streams_campaign_posts_total"


def _now(title: str, dimension: str, colours: Mapping[str, str], reading: str) -> Panel:
    return lines(
        title,
        f"Posts per second over the last hour, on top of each other. {reading}",
        [Query(of_dimension(dimension), "{{value}}")],
        POSTS_A_SECOND,
        colours=colours,
        stacked="normal",
        decimals=2,
    )


def _total(title: str, label: str, colours: Mapping[str, str]) -> Panel:
    return bars(
        title,
        f"Posts of the campaign by {label} since the first, each counted once.",
        Query(
            f"sum by (namespace, campaign, {label}) "
            f"({of_campaign(_POSTS, 'platform', 'kind', 'via')})",
            f"{{{{{label}}}}}",
        ),
        POSTS,
        colours=colours,
        decimals=0,
    )


def _largest_now(title: str, dimension: str, reading: str) -> Panel:
    return lines(
        title,
        f"Posts per second over the last hour, of the ten that are largest now; the darker, the "
        f"more. {reading}",
        [
            Query(
                largest(
                    10,
                    "streams_campaign_dimension_velocity",
                    "campaign",
                    "value",
                    campaign="$campaign",
                    dimension=dimension,
                ),
                "{{value}}",
            )
        ],
        POSTS_A_SECOND,
        decimals=3,
    )


def _largest_total(title: str, metric: str, label: str, description: str) -> Panel:
    return bars(
        title,
        description,
        Query(f"sort_desc(topk(15, {of_campaign(metric, label)}))", f"{{{{{label}}}}}"),
        POSTS,
        decimals=0,
    )


THROUGH_WHAT: Final[tuple[Line, ...]] = (
    line(
        8,
        _now(
            "Through what",
            "via",
            palette.VIAS,
            "The first that applies of hashtag, bare phrase, copy of the call, answer to a root "
            "post, repost of such a post. A phrase that outgrows the hashtag is not found by "
            "searching the hashtag.",
        ),
        _now(
            "Kinds of posts",
            "kind",
            palette.KINDS,
            "Originals are people who speak; reposts carry them further.",
        ),
        _now(
            "Platforms",
            "platform",
            palette.PLATFORMS,
            "A second platform that rises is a move; look at First posts for when it began.",
        ),
    ),
    line(
        6,
        _total("Through what, in all", "via", palette.VIAS),
        _total("Kinds of posts, in all", "kind", palette.KINDS),
        _total("Platforms, in all", "platform", palette.PLATFORMS),
    ),
    line(
        8,
        lines(
            "Authors by window",
            "Distinct authors in each window: an estimate with a standard error of 0.81 %. Posts "
            "that rise without authors are few people, or programs.",
            [Query(of_campaign("streams_campaign_unique_authors", "window"), "{{window}}")],
            "suffix: authors",
            colours=palette.WINDOWS,
            decimals=0,
        ),
        lines(
            "Amplification and reproduction",
            "Reposts per post that is none, in the last hour; and reposts and replies that a post "
            "causes in the course of a generation. Reproduction above 1 (dashed) keeps the "
            "campaign going by itself.",
            [
                Query(of_campaign("streams_campaign_amplification_ratio"), "reposts per post"),
                Query(of_campaign("streams_campaign_reproduction_ratio"), "reproduction"),
                Query("vector(1)", "keeps itself going"),
            ],
            "none",
            colours={"reposts per post": palette.SKY, "reproduction": palette.BLUE},
            dashed={"/^keeps/": palette.ORANGE},
            decimals=2,
        ),
        lines(
            "New authors",
            "Share of the last hour's authors who had not posted in the 23 hours before. Falling, "
            "the same people go on; near 100 %, it reaches new ones.",
            [Query(of_campaign("streams_campaign_new_author_ratio"), "new authors")],
            "percentunit",
            colours={"new authors": palette.BLUE},
            highest=1,
            decimals=1,
        ),
    ),
)

WHERE: Final[tuple[Line, ...]] = (
    line(
        9,
        _largest_now(
            "Languages",
            "lang",
            "As the platform says; `und` is undetermined.",
        ),
        _largest_now(
            "Countries",
            "country",
            "Only posts whose place or author's profile names a country: a part of all.",
        ),
    ),
    line(
        9,
        _largest_total(
            "Languages, in all",
            "streams_campaign_language_posts_total",
            "lang",
            "Posts by language since the first: the 15 largest.",
        ),
        _largest_total(
            "Countries, in all",
            "streams_campaign_country_posts_total",
            "country",
            "Posts by country since the first, where it is known: the 15 largest.",
        ),
        _largest_total(
            "Answers to root posts",
            "streams_campaign_root_replies_total",
            "root",
            "Posts that answer the posts the campaign began with, by that post (platform:id).",
        ),
        _largest_total(
            "Answers to calls",
            "streams_campaign_call_replies",
            "root",
            "Posts of the last 24 hours that answer a copy of the call, or another post that asks "
            "people to speak, by an amplifier (a large or known account), by that post.",
        ),
    ),
    line(
        9,
        rows(
            "First posts",
            "When, in event time, the first post was made on each platform, in each language and "
            "from each country; the newest arrival on top.",
            [
                of_campaign("streams_campaign_first_seen_timestamp_seconds", "dimension", "value")
                + " * 1000"
            ],
            [
                Column("dimension", "What"),
                Column("value", "Which"),
                Column("Value", "First post", "dateTimeAsIso"),
            ],
            sort="First post",
            unit="dateTimeAsIso",
        ),
        lines(
            "Mixture",
            "Entropy of the last hour's languages and countries. 0 bits: all of one; each bit "
            "more is twice as many equally large ones. A jump is a step across a border.",
            [
                Query(of_campaign("streams_campaign_entropy_bits", "dimension"), "{{dimension}}"),
            ],
            "suffix: bits",
            colours={"lang": palette.BLUE, "country": palette.ORANGE},
            decimals=2,
        ),
        bars(
            "Events",
            "Events written so far by kind: thresholds crossed, milestones, first posts on a "
            "platform, in a language or from a country, and amplifiers (large accounts).",
            Query(of_campaign("streams_campaign_events_total", "kind"), "{{kind}}"),
            "suffix: events",
            decimals=0,
        ),
    ),
)
