"""What readers need of a campaign file: workers store it, exporters publish it."""

from __future__ import annotations

from typing import Any

from streams.campaigns.model import Campaign
from streams.text.hashtags import canonical


def describe(found: Campaign) -> dict[str, Any]:
    """Title, version, canonical hashtags, thresholds (posts/s by severity), milestones (posts)."""
    return {
        "title": found.title,
        "version": found.version,
        "hashtags": sorted({canonical(tag) for tags in found.hashtags.values() for tag in tags}),
        "thresholds": dict(found.thresholds),
        "milestones": list(found.milestones),
    }
