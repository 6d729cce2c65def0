"""What the API answers, as types: what OpenAPI is made from, and what the code that makes the
answers is checked against.  Times are ms since 1970, velocities posts per second.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, NotRequired, TypedDict

from msgspec import Meta


class Records(TypedDict):
    """Records read, by what became of them; `posts` is their sum."""

    posts: int
    counted: int
    duplicates: int
    dead: int
    ignored: int
    late: int


class Frame(TypedDict):
    """When Redis was read, and what time it is in the log (null before the first post).

    `lag`: records that are not counted yet; `paused`: partitions that stand still.
    """

    read_at: int
    watermark: int | None
    records: Records
    lag: int
    paused: list[str]


class InWindow(TypedDict):
    """Posts of the window that ends at `until`; null where it cannot be said."""

    until: int
    posts: int
    velocity: float
    acceleration: float | None
    doubling_seconds: float | None
    unique_authors: int | None


class Moving(TypedDict):
    """A total, and by window (1m, 5m, 15m, 1h, 24h) how it moves."""

    total: int
    windows: dict[str, InWindow]


class CampaignSummary(Moving):
    campaign: str


class Campaigns(Frame):
    campaigns: list[CampaignSummary]


class Bounds(TypedDict):
    """Posts to come: from `low` to `high` with a chance of 80 %."""

    low: float
    mid: float
    high: float


class NextThreshold(TypedDict):
    severity: str
    at: int


class CampaignInsight(TypedDict):
    """What is worked out once a minute, at the end of a full one (`until`).

    `forecast` by horizon (15m, 1h); `next_threshold` and `next_milestone_at`: when they are
    expected; `velocity_by`: of the last hour, by dimension and value; `milestones`: when each was
    reached, by its number of posts.
    """

    until: int
    burst_score: float
    burst: bool
    forecast: dict[str, Bounds]
    next_threshold: NextThreshold | None
    next_milestone_at: int | None
    amplification: float | None
    reproduction: float | None
    entropy_bits: dict[str, float]
    velocity_by: dict[str, dict[str, float]]
    milestones: dict[str, int]


class Campaign(Frame, Moving):
    """`by`: posts by dimension and value; `first_seen`: when the first came, and
    `seconds_to_first` after the campaign's first; `insight` is null before the first full minute.
    """

    campaign: str
    version: str | None
    hashtags: list[str]
    thresholds: dict[str, float]
    next_milestone: int | None
    by: dict[str, dict[str, int]]
    first_seen: dict[str, dict[str, int]]
    seconds_to_first: dict[str, dict[str, float]]
    new_author_ratio: float | None
    insight: CampaignInsight | None


class Series(TypedDict):
    """Posts by bucket, oldest first: [start of the bucket, posts]; `until` is null before the first
    post."""

    campaign: NotRequired[str]
    hashtag: NotRequired[str]
    window: str
    step: str
    until: int | None
    points: list[Annotated[list[int], Meta(min_length=2, max_length=2)]]


class Pace(TypedDict):
    """A campaign among others; `velocity` is that of the last minute."""

    campaign: str
    title: str
    total: int
    velocity: float


class Shares(TypedDict):
    """Posts of the window that ends at `until` (null before the first post), by dimension and
    value, as `streams counts --window … --by …` has them."""

    name: str
    until: int | None
    posts: int
    by: dict[str, dict[str, int]]


class Curve(TypedDict):
    """Posts by step (seconds), oldest first, from `start` to `until`."""

    step: int
    start: int
    until: int
    posts: list[int]


class Glance(Frame):
    """What the page shows.  `clock` is `live` or `replay`; `closed`: events and posts want a token;
    `campaign`, `window` and `series` are null where there is no campaign."""

    clock: str
    closed: bool
    campaigns: list[Pace]
    title: str | None
    campaign: Campaign | None
    window: Shares | None
    series: Curve | None


class RankedHashtag(TypedDict):
    """`burst_score` is null where none was worked out."""

    hashtag: str
    posts: int
    velocity: float
    burst_score: float | None
    burst: bool


class Hashtags(TypedDict):
    window: str
    until: int | None
    hashtags: list[RankedHashtag]


class Hashtag(Frame, Moving):
    """`by`: posts by dimension (lang, platform) and value."""

    hashtag: str
    by: dict[str, dict[str, int]]


class ReadPost(TypedDict):
    """A post: where it is read (`link`; null where its uid does not say), and what it is.

    `text` is there only where texts are kept.
    """

    uid: str
    link: str | None
    time: int
    lang: str
    platform: str
    kind: Literal["original", "repost", "reply", "quote"]
    campaign: str
    via: str
    stance: str
    hashtags: list[str]
    text: NotRequired[str]


class Posts(TypedDict):
    """Newest first; `next` goes into `before` for the page after this one, null at the end."""

    posts: list[ReadPost]
    next: str | None


class ListedEvent(TypedDict):
    """`name`: severity, number of posts, platform, language, country or uid; `detail`: numbers and
    short texts; `link`: where an amplifier's post is read; `replies`: where that is the call, the
    campaign's posts of the last 24 hours that answer it; `cursor` goes into `after`."""

    cursor: str
    id: str
    campaign: str
    kind: str
    name: str
    at: int
    detail: dict[str, Any]
    link: NotRequired[str | None]
    replies: NotRequired[int]


class Events(TypedDict):
    events: list[ListedEvent]


class ProblemDetails(TypedDict):
    """RFC 9457; `type` is about:blank."""

    title: str
    status: int
    detail: NotRequired[str]
