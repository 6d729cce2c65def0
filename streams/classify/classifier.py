"""All campaigns of an installation.

Most posts of a firehose belong to no campaign: they cost a dictionary look-up a hashtag and a look
at their bytes, however many campaigns there are.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache, lru_cache
from typing import Any, Final, NamedTuple

from streams.campaigns import Campaign
from streams.campaigns.amplifiers import Amplifiers
from streams.campaigns.versions import in_force
from streams.classify.candidates import Candidates
from streams.classify.matcher import Matcher
from streams.posts.post import Post, Subject
from streams.text.hashtags import canonical
from streams.text.normalise import folded_tag

_TAGS_REMEMBERED: Final = 200_000
_TEXTS_REMEMBERED: Final = 16_384  # of campaigns: most of them are reposts
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
        #: For the note that each partition makes of what counted it.
        self.versions = in_force(campaigns)
        self.amplifiers = Amplifiers(campaigns)
        #: Canonical hashtags as the files list them; `is_campaign_tag` knows folded spellings, too.
        self.campaign_tags = frozenset(
            name
            for matcher in self._matchers
            for name in map(canonical, matcher.tags)
            if matcher.has_tag(name)
        )
        self._candidates = Candidates(self._matchers)
        self.names = frozenset(matcher.name for matcher in self._matchers)
        self._roots = {matcher.name: matcher.roots for matcher in self._matchers}
        self._of_root: dict[str, tuple[int, ...]] = {}
        tags: dict[frozenset[str], dict[str, tuple[int, ...]]] = {}
        for at, matcher in enumerate(self._matchers):
            for uid in matcher.roots:
                self._of_root[uid] = (*self._of_root.get(uid, ()), at)
            alike = tags.setdefault(matcher.folds, {})
            for tag in matcher.folded_tags:
                alike[tag] = (*alike.get(tag, ()), at)
        self._tags = list(tags.items())
        self._known: dict[str, tuple[int, ...]] = {}
        # One memory for all: two hundred campaigns take no more than one.
        self._read = lru_cache(maxsize=_TEXTS_REMEMBERED)(self._read_of)
        self._stance = lru_cache(maxsize=_TEXTS_REMEMBERED)(self._stance_of)

    def is_campaign_tag(self, tag: str) -> bool:
        """Whether a canonical hashtag belongs to any campaign."""
        return bool(self._tagged(tag))

    def may_belong(self, posts: Sequence[Post]) -> set[int]:
        """Indices of the posts that may belong to a campaign: for all others `classify` is empty.

        All at once, which is a fifth of the cost of one by one.
        """
        found = self._candidates.among([post.text for post in posts])
        names = {tag for post in posts for tag in post.hashtags}
        tags = {tag for tag in names if self._tagged(tag)}
        for index, post in enumerate(posts):
            if (post.hashtags and not tags.isdisjoint(post.hashtags)) or (
                post.parent is not None and self._about(_place(post))
            ):
                found.add(index)
        roots = self._of_root.keys()
        if not roots.isdisjoint([post.uid for post in posts]):
            found |= {index for index, post in enumerate(posts) if post.uid in roots}
        return found

    def classify(self, post: Post) -> tuple[Membership, ...]:
        """The campaigns that the post belongs to, in the order of the configuration."""
        tagged: tuple[int, ...] = ()
        for tag in post.hashtags:
            own = self._tagged(tag)
            if own:
                tagged = (*tagged, *own) if tagged else own
        reading = self._candidates.find(post.text, _LONGEST_TEXT)
        place = _place(post)
        about = self._about(place)
        if not (tagged or reading or about):
            return ()
        text, lang = post.text[:_LONGEST_TEXT], post.lang
        found = []
        for at in sorted({*tagged, *reading, *about}):
            matcher = self._matchers[at]
            findings = self._read(at, text) if at in reading else 0
            via = "hashtag" if at in tagged else matcher.via(findings, *place)
            if via is not None:
                setting = matcher.setting(findings, *place)
                stance = self._stance(at, text, lang, setting)
                if post.kind == "repost" and via != "hashtag":
                    via = "repost"
                found.append(_membership(matcher.name, via, stance))
        return tuple(found)

    def answered(self, campaign: str, post: Post) -> str | None:
        """The campaign's root post in whose conversation a reply is, whatever else it says; None of
        other posts."""
        if post.kind != "reply":
            return None
        roots = self._roots[campaign]
        if post.parent in roots:
            return post.parent
        return post.root if post.root in roots else None

    def _read_of(self, at: int, text: str) -> int:
        return self._matchers[at].read(text)

    def _stance_of(self, at: int, text: str, lang: str, setting: int) -> str:
        return self._matchers[at].stance(text, lang, setting)

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

    def _about(self, place: tuple[str, str, str | None, str | None]) -> tuple[int, ...]:
        """The campaigns of the root post that a text is, answers or answers an answer to."""
        uid, kind, parent, root = place
        of_root = self._of_root
        if kind != "reply":
            return of_root.get(uid, ())
        found = of_root.get(uid, ())
        if parent is not None and parent in of_root:
            found += of_root[parent]
        if root is not None and root in of_root:
            found += of_root[root]
        return found

    def _tagged(self, tag: str) -> tuple[int, ...]:
        """The campaigns of a tag."""
        found = self._known.get(tag)
        if found is None:
            found = tuple(
                sorted(
                    at
                    for folds, of_tag in self._tags
                    for at in of_tag.get(folded_tag(tag, folds), ())
                )
            )
            if len(self._known) >= _TAGS_REMEMBERED:
                self._known.clear()
            self._known[tag] = found
        return found


def _place(post: Post) -> tuple[str, str, str | None, str | None]:
    """Where the text that a post shows stands: uid, kind, parent and root."""
    if post.kind != "repost":
        return post.uid, post.kind, post.parent, post.root
    kind, parent, root = post.subject or _UNKNOWN
    return post.parent or "", kind, parent, root


_UNKNOWN: Final = Subject("original", None, None)
#: There are few, and each is asked for again and again.
_membership = cache(Membership)
