"""All campaigns of an installation.

Most posts of a firehose belong to no campaign: they cost a dictionary look-up a hashtag and a look
at their bytes.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any, Final, NamedTuple

from streams.campaigns import Campaign
from streams.campaigns.amplifiers import Amplifiers
from streams.classify.matcher import Matcher
from streams.posts.post import Post, Subject
from streams.text.hashtags import canonical
from streams.text.phrases import Anchors

_TAGS_REMEMBERED: Final = 200_000
_LONGEST_TEXT: Final = 4_000  # characters that are looked at: what counts is said by then


class Membership(NamedTuple):
    """A post's part in a campaign."""

    campaign: str
    via: str  # hashtag | phrase | call | reply | repost
    stance: str  # testimony | support | call | news | opposition | spam | unclear


class Classifier:
    """All campaigns of an installation."""

    def __init__(self, campaigns: Sequence[Campaign]) -> None:
        self._matchers = [Matcher(campaign) for campaign in campaigns]
        #: Version by campaign, for the note that each partition makes of it.
        self.versions = {matcher.name: matcher.version for matcher in self._matchers}
        self.amplifiers = Amplifiers(campaigns)
        #: Canonical hashtags as the files list them; `is_campaign_tag` knows folded spellings, too.
        self.campaign_tags = frozenset(
            name
            for matcher in self._matchers
            for name in map(canonical, matcher.tags)
            if matcher.has_tag(name)
        )
        self._roots = frozenset(uid for matcher in self._matchers for uid in matcher.roots)
        self._anchors = Anchors(text for matcher in self._matchers for text in matcher.anchored)
        self._known: dict[str, int] = {}

    def is_campaign_tag(self, tag: str) -> bool:
        """Whether a canonical hashtag belongs to any campaign."""
        return self._bits(tag) != 0

    def may_belong(self, posts: Sequence[Post]) -> set[int]:
        """Indices of the posts that may belong to a campaign: for all others `classify` is empty.

        All at once, which is a fifth of the cost of one by one.
        """
        found = self._anchors.may_be_among([post.text for post in posts])
        names = {tag for post in posts for tag in post.hashtags}
        tags = {tag for tag in names if self._bits(tag)}
        for index, post in enumerate(posts):
            if (post.hashtags and not tags.isdisjoint(post.hashtags)) or (
                post.parent is not None and self._about_root(post)
            ):
                found.add(index)
        if not self._roots.isdisjoint([post.uid for post in posts]):
            found |= {index for index, post in enumerate(posts) if post.uid in self._roots}
        return found

    def classify(self, post: Post) -> tuple[Membership, ...]:
        """The campaigns that the post belongs to, in the order of the configuration."""
        bits = 0
        for tag in post.hashtags:
            bits |= self._bits(tag)
        reads = self._anchors.may_be_in(post.text)
        if not bits and not reads and not self._about_root(post):
            return ()
        text, lang = post.text[:_LONGEST_TEXT], post.lang
        place = _place(post)
        plain = not reads and place[1] == "original" and place[0] not in self._roots
        found = []
        for at, matcher in enumerate(self._matchers):
            tagged = bits >> at & 1
            if plain:
                if tagged:
                    stance = matcher.stance(text, lang, 0)
                    found.append(_membership(matcher.name, "hashtag", stance))
                continue
            findings = matcher.read(text) if reads else 0
            via = "hashtag" if tagged else matcher.via(findings, *place)
            if via is not None:
                stance = matcher.stance(text, lang, matcher.setting(findings, *place))
                if post.kind == "repost" and not tagged:
                    via = "repost"
                found.append(_membership(matcher.name, via, stance))
        return tuple(found)

    def explain(self, post: Post) -> dict[str, Any]:
        """What decided `via` and `stance`, by campaign.

        `{name: {"via": str or None, "tags": [...], "root": "is" | "answered" | None, "found":
        [...], "phrases": [...], "stance": str, "rule": str, "points": {stance: int}, "setting":
        [...], "cues": [{"lang", "list", "words"}]}}`; for a post that does not belong, what there
        is up to `phrases`.  Of a repost all is said of the text that it shows.  Words are the
        post's own, folded: for a person at a terminal, never for a log.
        """
        text = post.text[:_LONGEST_TEXT]
        place = uid, kind, parent, root = _place(post)
        told: dict[str, Any] = {}
        for matcher in self._matchers:
            findings = matcher.read(text)
            tags = [tag for tag in post.hashtags if matcher.has_tag(tag)]
            via = "hashtag" if tags else matcher.via(findings, *place)
            answers = kind == "reply" and (parent in matcher.roots or root in matcher.roots)
            about = "is" if uid in matcher.roots else "answered" if answers else None
            shown = "repost" if post.kind == "repost" and via not in (None, "hashtag") else via
            entry = {"via": shown, "tags": tags, "root": about}
            entry |= matcher.explain(text, post.lang, findings, matcher.setting(findings, *place))
            if via is None:
                for name in ("setting", "stance", "rule", "points", "cues"):
                    del entry[name]
            told[matcher.name] = entry
        return told

    def _about_root(self, post: Post) -> bool:
        """Whether it is a root post, or answers, quotes or reposts one or an answer to one."""
        roots = self._roots
        if post.uid in roots:
            return True
        if post.parent is None:
            return False
        if post.parent in roots or post.root in roots:
            return True
        subject = post.subject
        return subject is not None and (subject.parent in roots or subject.root in roots)

    def _bits(self, tag: str) -> int:
        """The campaigns of a tag, one bit each."""
        bits = self._known.get(tag)
        if bits is None:
            bits = sum(1 << at for at, matcher in enumerate(self._matchers) if matcher.has_tag(tag))
            if len(self._known) >= _TAGS_REMEMBERED:
                self._known.clear()
            self._known[tag] = bits
        return bits


def _place(post: Post) -> tuple[str, str, str | None, str | None]:
    """Where the text that a post shows stands: uid, kind, parent and root."""
    if post.kind != "repost":
        return post.uid, post.kind, post.parent, post.root
    kind, parent, root = post.subject or _UNKNOWN
    return post.parent or "", kind, parent, root


_UNKNOWN: Final = Subject("original", None, None)
#: There are few, and each is asked for again and again.
_membership = cache(Membership)
