"""Counted against true: two documents of the same shape, compared number by number.  Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

_TOTALS: Final = ("posts", "counted", "duplicates", "dead", "ignored", "late")
_DIMENSIONS: Final = ("via", "kind", "stance", "lang", "platform", "country")
_SHOWN: Final = 8  # values of a dimension that get a row of their own; the rest shares one


class Row(NamedTuple):
    """One line of the table.  `difference` is 0 only if every number behind the row is equal."""

    group: str
    name: str
    counted: int
    true: int
    difference: int


def compare(counted: Mapping[str, Any], true: Mapping[str, Any]) -> list[Row]:
    """All rows; differences are absolute and summed where a row stands for several numbers."""
    rows = [_row("", name, counted.get(name, 0), true.get(name, 0)) for name in _TOTALS]
    rows += _values("hashtag", counted.get("hashtags", {}), true.get("hashtags", {}))
    ours, theirs = counted.get("campaigns", {}), true.get("campaigns", {})
    for campaign in sorted({*ours, *theirs}):
        one, other = ours.get(campaign, {}), theirs.get(campaign, {})
        rows.append(_row("campaign", campaign, one.get("total", 0), other.get("total", 0)))
        for dimension in _DIMENSIONS:
            rows += _values(dimension, one.get(dimension, {}), other.get(dimension, {}))
    return rows


def _row(group: str, name: str, counted: int, true: int) -> Row:
    return Row(group, name, counted, true, abs(counted - true))


def _values(group: str, counted: Mapping[str, int], true: Mapping[str, int]) -> Iterator[Row]:
    names = sorted(
        {*counted, *true}, key=lambda name: (-max(counted.get(name, 0), true.get(name, 0)), name)
    )
    for name in names[:_SHOWN]:
        yield _row(group, name, counted.get(name, 0), true.get(name, 0))
    rest = names[_SHOWN:]
    if rest:
        yield Row(
            group,
            f"{len(rest)} others",
            sum(counted.get(name, 0) for name in rest),
            sum(true.get(name, 0) for name in rest),
            sum(abs(counted.get(name, 0) - true.get(name, 0)) for name in rest),
        )
