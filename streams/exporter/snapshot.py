"""What an exporter knows at one moment: read in the background, served from memory."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from typing import Any, NamedTuple

from streams.exporter.authors import NOBODY, Authors
from streams.exporter.insight import Insight
from streams.keys import US
from streams.spread import Motion, motion
from streams.store.documents import by_campaign, campaign_dimensions
from streams.store.states import Clock, PartitionState, Times
from streams.store.subjects import Subject, campaign, hashtag
from streams.store.tracked import Counts
from streams.windows import HOUR, WINDOWS, Window


class View(NamedTuple):
    """A campaign or hashtag: by window, how it moves, and posts and end (s) of the window."""

    total: int
    motions: Mapping[str, Motion]
    posts: Mapping[str, int]
    until: Mapping[str, int]
    authors: Mapping[str, int]


class CampaignView(NamedTuple):
    """A campaign, and what its file says of it."""

    view: View
    fields: Mapping[str, int]  # dimension US value -> posts
    first: Mapping[str, int]  # dimension US value -> ms
    info: Mapping[str, Any]
    new_author_ratio: float | None

    @property
    def dimensions(self) -> dict[str, dict[str, int]]:
        return campaign_dimensions(self.fields)

    @property
    def title(self) -> str:
        """For people; empty where the file has none."""
        return str(self.info.get("title", ""))

    @property
    def thresholds(self) -> dict[str, float]:
        """Posts/s by severity."""
        return {str(name): float(rate) for name, rate in self.info.get("thresholds", {}).items()}

    @property
    def milestones(self) -> list[int]:
        """In posts, rising."""
        return sorted(int(posts) for posts in self.info.get("milestones", ()))

    @property
    def next_milestone(self) -> int | None:
        """The smallest milestone that is not reached, in posts."""
        return next((posts for posts in self.milestones if posts > self.view.total), None)


class Snapshot(NamedTuple):
    """`read_at` is wall time (s); `untracked` are hashtags of the last hour that are left out."""

    read_at: float
    watermark: float | None
    states: list[PartitionState]
    outcomes: Mapping[str, int]
    campaigns: Mapping[str, CampaignView]
    hashtags: Mapping[str, View]
    untracked: int
    insight: Insight | None
    clock: Clock


def places_of(at: Times) -> set[tuple[int, int]]:
    """Step and start of every bucket that all windows, and the windows before them, need."""
    places: set[tuple[int, int]] = set()
    for window in WINDOWS.values():
        chosen = window.safe(at.watermark, at.newest)
        until = chosen.until(at.watermark)
        places.update((chosen.step, start) for start in chosen.starts(until))
        places.update((chosen.step, start) for start in chosen.starts(until - chosen.seconds))
    return places


def build(
    counts: Counts,
    moving: Collection[str],
    at: Times | None,
    infos: Mapping[str, Mapping[str, Any]],
    authors: Mapping[Subject, Authors],
    *,
    untracked: int,
    read_at: float,
    insight: Insight | None,
    clock: Clock,
) -> Snapshot:
    """The snapshot of what was counted, for the campaigns of `infos` and those that have posts.

    Hashtags that are not `moving` have a total only.
    """
    fields = by_campaign(counts.campaigns)
    first: dict[str, dict[str, int]] = {}
    for field, ms in counts.first.items():
        name, _, rest = field.partition(US)
        first.setdefault(name, {})[rest] = ms
    campaigns = {}
    for name in sorted({*infos, *fields}):
        own = fields.get(name, Counter())
        subject = campaign(name)
        people = authors.get(subject, NOBODY)
        view = _view(counts, at, subject, own[f"total{US}"], people.windows)
        campaigns[name] = CampaignView(
            view, own, first.get(name, {}), infos.get(name, {}), people.new_ratio
        )
    hashtags = {
        tag: _view(
            counts,
            at if tag in moving else None,
            hashtag(tag),
            n,
            authors.get(hashtag(tag), NOBODY).windows,
        )
        for tag, n in sorted(counts.hashtags.items())
    }
    return Snapshot(
        read_at=read_at,
        watermark=None if at is None else at.watermark,
        states=counts.states,
        outcomes=counts.outcomes,
        campaigns=campaigns,
        hashtags=hashtags,
        untracked=untracked,
        insight=insight,
        clock=clock,
    )


def _view(
    counts: Counts, at: Times | None, subject: Subject, total: int, authors: Mapping[str, int]
) -> View:
    motions: dict[str, Motion] = {}
    posts: dict[str, int] = {}
    until: dict[str, int] = {}
    if at is not None:
        for name, window in WINDOWS.items():
            chosen = window.safe(at.watermark, at.newest)
            end = until[name] = chosen.until(at.watermark)
            n = posts[name] = counts.posts(subject, chosen, end)
            motions[name] = motion(n, _before(counts, subject, chosen, end), chosen.seconds)
    return View(total, motions, posts, until, authors)


def _before(counts: Counts, subject: Subject, window: Window, until: int) -> int | None:
    """Posts in the window before; None where its buckets are not kept: hashtags' go after 25 h."""
    if subject.kind == "h" and window.seconds > 12 * HOUR:
        return None
    return counts.posts(subject, window, until - window.seconds)
