"""How long a partition's numbers are kept, in event time; its watermark decides."""

from __future__ import annotations

from typing import Final

HOUR_MS: Final = 3_600_000
TAG_KEEP_MS: Final = 25 * HOUR_MS  # totals and buckets of other hashtags
CAMPAIGN_KEEP_MS: Final = 49 * HOUR_MS  # buckets of campaigns: 24 h acceleration needs 48 h
TEN_SECONDS_KEEP_MS: Final = HOUR_MS
MINUTE_AUTHORS_KEEP_MS: Final = 2 * HOUR_MS
#: Other hashtags: authors are counted from this post of an hour on.
HOT_POSTS: Final = 100
