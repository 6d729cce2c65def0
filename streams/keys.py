"""Names of the keys in Redis.

All keys of a partition carry one hash tag, `{topic:partition}`: one slot, one node, one fate.  The
layout's version is part of every name.  A partition's data stands in generations: where another log
takes the place of the old one, a new generation begins, and readers add all of them up.
"""

from __future__ import annotations

from typing import Final, NamedTuple

#: Separates the parts of a field's name; no platform allows it in a hashtag.
US: Final = "\x1f"
LAYOUT_VERSION: Final = 1


class GenerationKeys(NamedTuple):
    """Keys of one generation of a partition; `prefix` is what they have in common."""

    prefix: str

    @property
    def outcomes(self) -> str:
        """Hash: platform US outcome -> posts."""
        return f"{self.prefix}outcomes"

    @property
    def dead(self) -> str:
        """Hash: reason -> dead letters."""
        return f"{self.prefix}dead"

    @property
    def tags(self) -> str:
        """Hash: hashtag -> total."""
        return f"{self.prefix}tags"

    @property
    def tagged(self) -> str:
        """Sorted set: other hashtag -> ms of its last post."""
        return f"{self.prefix}tagged"

    def tag(self, tag: str) -> str:
        """Hash: platform US lang -> total."""
        return f"{self.prefix}tag:{tag}"

    @property
    def campaigns(self) -> str:
        """Hash: campaign US dimension US value -> total."""
        return f"{self.prefix}campaigns"

    @property
    def first(self) -> str:
        """Hash: campaign US dimension US value -> ms of the first post."""
        return f"{self.prefix}first"

    @property
    def rules(self) -> str:
        """Hash: offset -> JSON of the rules (program, campaigns) that counted from there on."""
        return f"{self.prefix}rules"

    @property
    def recounts(self) -> str:
        """Hash: campaign -> JSON of the last time that its state was counted again."""
        return f"{self.prefix}recounts"

    @property
    def expiry(self) -> str:
        """Sorted set: suffixes of the keys that go, by the watermark (ms) that they go with."""
        return f"{self.prefix}index"

    @property
    def sources(self) -> str:
        """Hash: raw partition -> highest offset forwarded from it."""
        return f"{self.prefix}sources"

    def seen(self, hour: int, family: str, bucket: int) -> str:
        """Set: uids of posts created in an hour (hours since 1970)."""
        return f"{self.prefix}seen:{hour}:{family}:{bucket}"

    def deleted(self, bucket: int) -> str:
        """Sorted set: uids (as in `seen`, with their family) of deleted posts, by the offset of
        the delete."""
        return f"{self.prefix}deleted:{bucket}"

    def bucket(self, step: int, start: int) -> str:
        """Hash: hashtag [US platform US lang] -> posts in `step` seconds from `start` (s)."""
        return f"{self.prefix}b:{step}:{start}"

    def campaign_bucket(self, step: int, start: int) -> str:
        """Hash: campaign US dimension US value -> posts in `step` seconds from `start` (s)."""
        return f"{self.prefix}cb:{step}:{start}"

    def amplified(self, hour: int) -> str:
        """Hash: campaign US uid -> created_at (ms) US followers US kind, of amplifiers' posts
        created in an hour (hours since 1970)."""
        return f"{self.prefix}a:{hour}"

    def calls(self, hour: int) -> str:
        """Hash: campaign US uid -> followers, of those of `amplified` that are the call."""
        return f"{self.prefix}a:calls:{hour}"

    def replies(self, hour: int) -> str:
        """Hash: campaign US uid -> posts of the campaign, created in an hour (hours since 1970),
        that answer that post.  The post itself is another partition's."""
        return f"{self.prefix}cb:replies:{hour}"

    @property
    def kept_lists(self) -> str:
        """Set: names of the lists of kept posts: campaign US hashtag."""
        return f"{self.prefix}kept"

    def kept(self, name: str) -> str:
        """Sorted set: chunks of kept posts by minute since 1970, and `total`, see
        `streams.kept`."""
        return f"{self.prefix}kept:{name}"

    def authors(self, step: int, start: int, subject: str) -> str:
        """HyperLogLog of author digests; step 0, start 0: of all time."""
        return f"{self.prefix}u:{step}:{start}:{subject}"


class PartitionKeys(NamedTuple):
    """Keys of one partition."""

    prefix: str

    @property
    def state(self) -> str:
        """Hash: gen, offset, ts, key, watermark, rules (as last noted), recounts (how many
        campaigns were swapped); layout, where a newer layout has the partition."""
        return f"{self.prefix}state"

    @property
    def live(self) -> str:
        """Hash, advisory: begin, end (offsets of the log), at (wall, ms), paused (reason)."""
        return f"{self.prefix}live"

    @property
    def incidents(self) -> str:
        """Stream: gaps and new logs."""
        return f"{self.prefix}incidents"

    def recount(self, campaign: str) -> str:
        """Hash, while a campaign is counted again: id, gen, read, count (offsets) of the new
        version, and `waste:<id>` -> gen of what is left of others."""
        return f"{self.prefix}r:{campaign}"

    def version(self, campaign: str, id_: str) -> PartitionKeys:
        """The new version of a campaign's state, named as the partition's own keys are."""
        return PartitionKeys(f"{self.recount(campaign)}:{id_}:")

    def gen(self, generation: int) -> GenerationKeys:
        return GenerationKeys(f"{self.prefix}g{generation}:")


class EventKeys(NamedTuple):
    """Keys of an installation's events: one slot."""

    prefix: str

    @property
    def stream(self) -> str:
        """Stream: id, campaign, kind, name, at (ms), detail (JSON)."""
        return f"{self.prefix}stream"

    @property
    def states(self) -> str:
        """Hash: campaign -> JSON of how far its thresholds were followed."""
        return f"{self.prefix}states"

    @property
    def once(self) -> str:
        """Hash: key of an event that comes once -> ms of event time."""
        return f"{self.prefix}once"

    @property
    def counts(self) -> str:
        """Hash: campaign US kind -> events written."""
        return f"{self.prefix}counts"

    @property
    def recent(self) -> str:
        """Sorted set: keys of the other events, by ms of event time."""
        return f"{self.prefix}recent"


class Layout(NamedTuple):
    """Keys of one installation; `prefix` (`redis.prefix`) separates installations."""

    prefix: str

    @property
    def events(self) -> EventKeys:
        return EventKeys(f"{self.prefix}{LAYOUT_VERSION}:{{events}}:")

    @property
    def number(self) -> str:
        """String: number of the layout that the keys are in; its name is the same in all."""
        return f"{self.prefix}layout"

    @property
    def partitions(self) -> str:
        """Set: topic:partition of everything that was ever counted."""
        return f"{self.prefix}{LAYOUT_VERSION}:partitions"

    @property
    def campaigns(self) -> str:
        """Hash: campaign -> JSON of what readers need of its file."""
        return f"{self.prefix}{LAYOUT_VERSION}:campaigns"

    def kin(self, hour: int, bucket: int) -> str:
        """Hash: post (as in `seen`) created in an hour (hours since 1970) -> what it leaves."""
        return f"{self.prefix}{LAYOUT_VERSION}:kin:{hour}:{bucket}"

    def partition(self, topic: str, partition: int) -> PartitionKeys:
        return PartitionKeys(f"{self.prefix}{LAYOUT_VERSION}:{{{topic}:{partition}}}:")
