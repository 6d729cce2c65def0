"""Colours that people with any kind of colour vision can tell apart (Okabe and Ito, 2008).

A value has the same colour wherever it stands.  Sets of values that nobody knows beforehand
(languages, partitions, workers) take shades from yellow to blue by their size instead, and their
names from the legend: no palette has thirty colours that can be told apart.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

ORANGE: Final = "#E69F00"
SKY: Final = "#56B4E9"
GREEN: Final = "#009E73"
YELLOW: Final = "#F0E442"
BLUE: Final = "#0072B2"
VERMILION: Final = "#D55E00"
PURPLE: Final = "#CC79A7"
GREY: Final = "#999999"

# Of states: blue, not green, so that good and bad differ for everybody.
GOOD: Final = BLUE
WARNING: Final = ORANGE
BAD: Final = VERMILION

WINDOWS: Final[Mapping[str, str]] = {
    "1m": YELLOW,
    "5m": BLUE,
    "15m": SKY,
    "1h": GREEN,
    "24h": PURPLE,
}
STANCES: Final[Mapping[str, str]] = {
    "testimony": BLUE,
    "support": SKY,
    "call": GREEN,
    "news": YELLOW,
    "opposition": VERMILION,
    "spam": ORANGE,
    "unclear": GREY,
}
VIAS: Final[Mapping[str, str]] = {
    "hashtag": BLUE,
    "phrase": ORANGE,
    "call": GREEN,
    "reply": PURPLE,
    "repost": SKY,
}
KINDS: Final[Mapping[str, str]] = {
    "original": BLUE,
    "repost": SKY,
    "reply": PURPLE,
    "quote": ORANGE,
}
PLATFORMS: Final[Mapping[str, str]] = {
    "x": BLUE,
    "mastodon": PURPLE,
    "bluesky": SKY,
    "facebook": GREEN,
    "unknown": GREY,
}
OUTCOMES: Final[Mapping[str, str]] = {
    "counted": BLUE,
    "duplicate": SKY,
    "ignored": GREY,
    "late": ORANGE,
    "dead": VERMILION,
}
QUANTILES: Final[Mapping[str, str]] = {
    "median": SKY,
    "90 %": BLUE,
    "99 %": VERMILION,
}
BAND: Final[Mapping[str, str]] = {
    "low": SKY,
    "expected": BLUE,
    "high": SKY,
    "last": ORANGE,
}
