"""What the API answers, as documents.  Times are ms since 1970, velocities posts per second."""

from __future__ import annotations

from typing import cast

from streams.exporter.insight import Insight
from streams.exporter.models import (
    Campaign,
    CampaignInsight,
    Frame,
    InWindow,
    Moving,
    Records,
)
from streams.exporter.snapshot import CampaignView, Snapshot, View
from streams.keys import US
from streams.spread import arrivals, velocity
from streams.spread.burst import ALARM
from streams.store.documents import outcomes_document
from streams.windows import WINDOWS


def frame_document(snapshot: Snapshot) -> Frame:
    return {
        "read_at": round(snapshot.read_at * 1000),
        "watermark": None if snapshot.watermark is None else round(snapshot.watermark * 1000),
        "records": cast("Records", outcomes_document(snapshot.outcomes)),
        "lag": sum(state.lag or 0 for state in snapshot.states),
        "paused": [state.name for state in snapshot.states if state.paused],
    }


def view_document(view: View) -> Moving:
    windows: dict[str, InWindow] = {
        name: {
            "until": view.until[name] * 1000,
            "posts": n,
            "velocity": velocity(n, WINDOWS[name].seconds),
            "acceleration": motion.acceleration if motion else None,
            "doubling_seconds": motion.doubling_seconds if motion else None,
            "unique_authors": view.authors.get(name),
        }
        for name, n in view.posts.items()
        for motion in [view.motions.get(name)]
    }
    return {"total": view.total, "windows": windows}


def campaign_document(
    frame: Frame, name: str, found: CampaignView, insight: Insight | None
) -> Campaign:
    """A campaign; what is worked out once a minute is null before the first full one."""
    dimensions = found.dimensions
    first: dict[str, dict[str, int]] = {}
    seconds_to_first: dict[str, dict[str, float]] = {}
    for field, after in arrivals({field: ms / 1000 for field, ms in found.first.items()}).items():
        dimension, _, value = field.partition(US)
        first.setdefault(dimension, {})[value] = found.first[field]
        seconds_to_first.setdefault(dimension, {})[value] = round(after, 3)
    return {
        **frame,
        "campaign": name,
        "version": found.info.get("version"),
        "hashtags": found.info.get("hashtags", []),
        "thresholds": found.thresholds,
        "next_milestone": found.next_milestone,
        **view_document(found.view),
        "by": {key: values for key, values in sorted(dimensions.items()) if key != "total"},
        "first_seen": first,
        "seconds_to_first": seconds_to_first,
        "new_author_ratio": found.new_author_ratio,
        "insight": None if insight is None else _insight(insight, name),
    }


def _insight(insight: Insight, name: str) -> CampaignInsight | None:
    found = insight.campaigns.get(name)
    if found is None:
        return None
    crossing = found.crossing
    return {
        "until": insight.until * 1000,
        "burst_score": found.burst,
        "burst": found.burst >= ALARM,
        "forecast": {
            horizon: {"low": bounds.low, "mid": bounds.mid, "high": bounds.high}
            for horizon, bounds in found.forecasts.items()
        },
        "next_threshold": None
        if crossing is None
        else {"severity": crossing[0], "at": round(crossing[1] * 1000)},
        "next_milestone_at": None if found.milestone is None else round(found.milestone * 1000),
        "amplification": found.amplification,
        "reproduction": found.reproduction,
        "entropy_bits": dict(found.entropy),
        "velocity_by": {name: dict(by) for name, by in found.velocities.items()},
        "milestones": {
            posts: ms for (campaign, posts), ms in insight.reached.items() if campaign == name
        },
    }
