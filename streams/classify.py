"""Post x campaign -> how it belongs to it (`via`) and what it says about it (`stance`).  Pure.

`via` is the first that applies of hashtag, phrase, call, reply, repost.  Most posts of a firehose
belong to no campaign: they cost a dictionary look-up a hashtag and a look at their bytes.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntFlag
from functools import lru_cache
from typing import Final, NamedTuple

from streams.campaigns import Campaign
from streams.campaigns.amplifiers import Amplifiers
from streams.posts.post import Post, Subject
from streams.text.copies import Copies
from streams.text.hashtags import canonical
from streams.text.normalise import folded, folded_tag
from streams.text.phrases import Anchors, Phrases, Words, sentences, spans

_TAGS_REMEMBERED: Final = 200_000
_TEXTS_REMEMBERED: Final = 16_384  # of those that may be of a campaign: most of them are reposts
_LONGEST_TEXT: Final = 4_000  # characters that are looked at: what counts is said by then


class Membership(NamedTuple):
    """A post's part in a campaign."""

    campaign: str
    via: str  # hashtag | phrase | call | reply | repost
    stance: str


class Finding(IntFlag):
    """What a campaign finds in a text, whoever wrote it and wherever it stands."""

    NOTHING = 0
    PHRASE = 1  # the whole text is a phrase
    OPENS = 2  # a phrase opens it, or is one of its sentences
    CONTEXT = 4  # a phrase stands in it with words of the campaign's context
    CALL = 8  # it is a copy of the call
    BESIDE = 16  # ... with a phrase as a sentence of its own beside it


class Matcher:
    """One campaign, compiled."""

    def __init__(self, campaign: Campaign) -> None:
        self.name = campaign.name
        self.version = campaign.version
        self.roots = frozenset(campaign.roots)
        self._folds = campaign.matching.folds
        excluded = {self._folded(tag) for tag in campaign.excluded}
        self.tags = campaign.all_hashtags
        self._tags = frozenset(self._folded(tag) for tag in self.tags) - excluded
        texts = campaign.all_phrases
        self._phrases = Phrases(texts, self._folds)
        self._contexts = [
            (Phrases(campaign.phrases[lang], self._folds), tuple(map(self._text, beginnings)))
            for lang, beginnings in campaign.context.items()
        ]
        self._calls = Copies(campaign.all_calls, self._folds, campaign.matching.call_similarity)
        # A call without a phrase in it needs an anchor of its own.
        anchors = Anchors(texts)
        strangers = [text for text in campaign.all_calls if not anchors.may_be_in(text)]
        self.anchored = [*texts, *(max(text.split(), key=len) for text in strangers)]
        self.read = lru_cache(maxsize=_TEXTS_REMEMBERED)(self._read)

    def has_tag(self, tag: str) -> bool:
        """Whether a canonical hashtag is one of the campaign's."""
        return folded_tag(tag, self._folds) in self._tags

    def via(self, post: Post, finding: Finding) -> str | None:
        """How an untagged post belongs to the campaign; None where it does not."""
        if post.kind != "repost":
            return self._via(finding, post.uid, post.kind, post.parent, post.root)
        kind, parent, root = post.subject or _UNKNOWN
        found = self._via(finding, post.parent or "", kind, parent, root)
        return "repost" if found is not None else None

    def _via(
        self, finding: Finding, uid: str, kind: str, parent: str | None, root: str | None
    ) -> str | None:
        answers_root = kind == "reply" and (parent in self.roots or root in self.roots)
        if finding & Finding.CALL:
            return "phrase" if finding & Finding.BESIDE else "call"
        if finding and (
            finding & Finding.CONTEXT
            or (finding & Finding.PHRASE and kind != "reply")
            or (finding & Finding.OPENS and answers_root)
        ):
            return "phrase"
        if uid in self.roots:
            return "call"
        return "reply" if answers_root else None

    def _read(self, text: str) -> Finding:
        read = sentences(text, self._folds)
        words = read.words
        parts = [(start, end) for start, end in spans(read) if words[start:end] in self._phrases]
        call = self._calls.find(words)
        if call is not None:
            # A phrase that stands only inside the copy is the call's: the call has its neighbours.
            beside = any(
                (start == 0 or words[start - 1 : start + 1] not in call)
                and (end == len(words) or words[end - 1 : end + 1] not in call)
                for start, end in parts
            )
            return Finding.CALL | Finding.BESIDE if beside else Finding.CALL
        found = Finding.NOTHING
        if self._phrases.is_all(read):
            found |= Finding.PHRASE
        if parts or self._phrases.opens(words):
            found |= Finding.OPENS
        if self._in_context(words):
            found |= Finding.CONTEXT
        return found

    def _in_context(self, words: Words) -> bool:
        return self._phrases.inside(words) and any(
            phrases.inside(words) and any(word.startswith(beginnings) for word in words)
            for phrases, beginnings in self._contexts
        )

    def _text(self, text: str) -> str:
        return folded(text, self._folds)

    def _folded(self, tag: str) -> str:
        return folded_tag(canonical(tag), self._folds)


_UNKNOWN: Final = Subject("original", None, None)


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
        self._may_be_in = Anchors(
            text for matcher in self._matchers for text in matcher.anchored
        ).may_be_in
        self._all = (1 << len(self._matchers)) - 1
        self._known: dict[str, int] = {}

    def is_campaign_tag(self, tag: str) -> bool:
        """Whether a canonical hashtag belongs to any campaign."""
        return self._bits(tag) != 0

    def classify(self, post: Post) -> tuple[Membership, ...]:
        """The campaigns that the post belongs to, in the order of the configuration."""
        bits = 0
        for tag in post.hashtags:
            bits |= self._bits(tag)
        reads = bits != self._all and self._may_be_in(post.text)
        if not bits and not reads and not self._about_root(post):
            return ()
        text = post.text[:_LONGEST_TEXT]
        found = []
        for at, matcher in enumerate(self._matchers):
            if bits >> at & 1:
                via: str | None = "hashtag"
            else:
                via = matcher.via(post, matcher.read(text) if reads else Finding.NOTHING)
            if via is not None:
                found.append(Membership(matcher.name, via, stance(post, via)))
        return tuple(found)

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


def stance(post: Post, via: str) -> str:
    """What the post says about the campaign; until stances are told apart, `unclear`."""
    return "unclear"
