"""One campaign, compiled: what its file says, ready for texts and tags."""

from __future__ import annotations

import re
from typing import Any, Final

from streams.campaigns import Campaign
from streams.stance import ANSWER, CALL, QUOTE, SAID, SETTINGS, Stances, Topic
from streams.text.copies import Copies
from streams.text.hashtags import canonical
from streams.text.normalise import folded, folded_tag
from streams.text.phrases import Phrases, Sentences, Words, anchors, sentences, spans

_TAG: Final = re.compile(r"[#\uff03]\w+")
_QUOTED: Final = re.compile('[“"„«][^”"“»]*[”"“»]')

# What a campaign finds in a text, whoever wrote it and wherever it stands, as bits (an IntFlag
# costs half a microsecond an operation).
WHOLE: Final = 1  # the whole text is a phrase
OPENS: Final = 2  # a phrase opens it, or is one of its sentences
CONTEXT: Final = 4  # a phrase stands in it with words of the campaign's context
COPY: Final = 8  # it is a copy of the call
BESIDE: Final = 16  # ... with a phrase as a sentence of its own beside it
STATED: Final = 32  # a phrase is one of its sentences, and not quoted from somebody
_FINDINGS: Final = {
    "the whole text is a phrase": WHOLE,
    "a phrase opens it or is a sentence of it": OPENS,
    "a phrase stands in it with words of the context": CONTEXT,
    "it is a copy of the call": COPY,
    "a phrase stands beside the copy": BESIDE,
}


class Matcher:
    """One campaign, compiled.  A `place` is where a text stands: (uid, kind, parent, root)."""

    def __init__(self, campaign: Campaign) -> None:
        self.name = campaign.name
        self.roots = frozenset(campaign.roots)
        self.folds = campaign.matching.folds
        excluded = {self._folded(tag) for tag in campaign.excluded}
        self.tags = campaign.all_hashtags
        #: Its hashtags, folded.
        self.folded_tags = frozenset(self._folded(tag) for tag in self.tags) - excluded
        texts = campaign.all_phrases
        self.phrases = Phrases(texts, self.folds)
        self._contexts = [
            (Phrases(campaign.phrases[lang], self.folds), tuple(map(self._text, beginnings)))
            for lang, beginnings in campaign.context.items()
        ]
        self.calls = Copies(campaign.all_calls, self.folds, campaign.matching.call_similarity)
        self.anchors = anchors(texts, campaign.all_calls)
        self._stances = Stances(
            Topic(
                is_tag=lambda tag: self.has_tag(canonical(tag)),
                phrases=campaign.phrases,
                context=campaign.context,
                folds=self.folds,
            )
        )
        #: The stance of a text, its language and setting.
        self.stance = self._stances.stance

    def has_tag(self, tag: str) -> bool:
        """Whether a canonical hashtag is one of the campaign's."""
        return folded_tag(tag, self.folds) in self.folded_tags

    def via(
        self, found: int, uid: str, kind: str, parent: str | None, root: str | None
    ) -> str | None:
        """How an untagged text belongs to the campaign by itself; None where it does not."""
        answers = kind == "reply" and (parent in self.roots or root in self.roots)
        if found & COPY:
            return "phrase" if found & BESIDE else "call"
        if found and (
            found & CONTEXT or (found & WHOLE and kind != "reply") or (found & OPENS and answers)
        ):
            return "phrase"
        if uid in self.roots:
            return "call"
        return "reply" if answers else None

    def setting(self, found: int, uid: str, kind: str, parent: str | None, root: str | None) -> int:
        """What else its stance depends on, as bits."""
        setting = SAID if found & (WHOLE | BESIDE | STATED) else 0
        if found & COPY or uid in self.roots:
            setting |= CALL
        if kind == "quote":
            setting |= QUOTE
        elif kind == "reply" and (parent in self.roots or root in self.roots):
            setting |= ANSWER | SAID if found & OPENS else ANSWER
        return setting

    def explain(self, text: str, lang: str, found: int, setting: int) -> dict[str, Any]:
        """What was found in a text, and the stance with the rule, points and words behind it."""
        verdict = self._stances.explain(text, lang, setting)
        return {
            "found": [name for name, bit in _FINDINGS.items() if found & bit],
            "phrases": self.phrases.found(sentences(text, self.folds).words),
            "setting": [name for name, bit in SETTINGS.items() if setting & bit],
            "stance": verdict.stance,
            "rule": verdict.rule,
            "points": verdict.points,
            "cues": [
                {"lang": spoken, "list": name, "words": words}
                for spoken, name, words in verdict.cues
            ],
        }

    def read(self, text: str) -> int:
        """What is found in a text, as bits."""
        text = text.replace("_", "")  # `#me_too` is a hashtag, not a phrase
        read = self._sentences(text)
        words = read.words
        parts = self._parts(read)
        call = self.calls.find(words)
        if call is not None:
            # A phrase that stands only inside the copy is the call's: the call has its neighbours.
            beside = any(
                (start == 0 or words[start - 1 : start + 1] not in call)
                and (end == len(words) or words[end - 1 : end + 1] not in call)
                for start, end in parts
            )
            return COPY | BESIDE if beside else COPY
        found = 0
        if self.phrases.is_all(read) and self._is_said(text):
            found |= WHOLE
        if parts or self.phrases.opens(words):
            found |= OPENS
        if self.phrases.inside(words):
            untagged = _TAG.sub(". ", text)  # a hashtag ends a sentence: `Me too #MeToo`
            own = _QUOTED.sub("", untagged)
            if self.phrases.is_all(self._sentences(untagged)) or self._parts(self._sentences(own)):
                found |= STATED
        if self._in_context(words):
            found |= CONTEXT
        return found

    def _is_said(self, text: str) -> bool:
        """Whether a text that is a phrase is one without the campaign's hashtags, too.

        In scripts without spaces a hashtag spells the phrase itself: `#我也是` with a picture says
        no more than `#MeToo` with one.
        """
        tagless = _TAG.sub(
            lambda tag: ". " if self.has_tag(canonical(tag[0][1:])) else tag[0], text
        )
        return tagless == text or self.phrases.is_all(self._sentences(tagless))

    def _parts(self, read: Sentences) -> list[tuple[int, int]]:
        """The sentences that are phrases."""
        return [(start, end) for start, end in spans(read) if read.words[start:end] in self.phrases]

    def _sentences(self, text: str) -> Sentences:
        return sentences(text, self.folds)

    def _in_context(self, words: Words) -> bool:
        return self.phrases.inside(words) and any(
            phrases.inside(words) and any(word.startswith(beginnings) for word in words)
            for phrases, beginnings in self._contexts
        )

    def _text(self, text: str) -> str:
        return folded(text, self.folds)

    def _folded(self, tag: str) -> str:
        return folded_tag(canonical(tag), self.folds)
