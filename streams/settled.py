"""What the settings decide about counting: the same for workers and for who counts again."""

from __future__ import annotations

from streams.config import Settings
from streams.reading import Rules


def counted_topic(settings: Settings) -> str:
    """The topic whose partitions are counted."""
    kafka = settings.kafka
    return kafka.topics.keyed if kafka.input == "any" else kafka.topics.raw


def reading_rules(settings: Settings) -> Rules:
    """Raises `UserError` where the author key cannot be read."""
    return Rules(
        author_key=settings.privacy.key(),
        horizon_ms=int(settings.dedupe.horizon * 1000),
        buckets=settings.dedupe.buckets,
        publish_all=settings.kafka.classified == "all",
        closed_hashtags=frozenset(settings.reading.closed_hashtags),
        keeping=settings.posts.keeping(text=settings.privacy.keep_text),
    )
