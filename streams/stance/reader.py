"""The stance of a text in a setting: which languages are asked, and in which order."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Final, NamedTuple

from streams.stance.cues import Found, Read, Scanner
from streams.stance.lexicon import ANY, lexicons
from streams.stance.rules import HINT, SURE, Weighed, weigh

STANCES: Final = ("testimony", "support", "call", "news", "opposition", "spam", "unclear")
_REACH: Final = 5  # words, in a language without a lexicon

# How a text belongs to the campaign, as bits; of a repost, how the reposted one does.
SAID: Final = 1  # a phrase is the text or one of its sentences, or opens an answer
CALL: Final = 2  # it is a copy of the call, or the root post
ANSWER: Final = 4  # it answers a root post
QUOTE: Final = 8  # it shows another post, by a link
SETTINGS: Final = {"said": SAID, "call": CALL, "answer": ANSWER, "quote": QUOTE}


class Topic(NamedTuple):
    """What of a campaign the lexicons need."""

    is_tag: Callable[[str], bool]  # whether a hashtag as spelled is the campaign's
    phrases: Mapping[str, Sequence[str]]  # by language
    context: Mapping[str, Sequence[str]]  # by language: beginnings of words
    folds: Collection[str]


class Verdict(NamedTuple):
    """A stance, and why."""

    stance: str
    rule: str
    points: dict[str, int]
    cues: tuple[tuple[str, str, str], ...]  # language, name of the list, words of the text


class Stances:
    """Reads texts for one campaign; remembers none."""

    def __init__(self, topic: Topic) -> None:
        self._reach = {lexicon.lang: lexicon.reach for lexicon in lexicons()}
        self._scanner = Scanner(
            is_tag=topic.is_tag,
            phrases=topic.phrases,
            context=topic.context,
            folds=topic.folds,
        )

    def stance(self, text: str, lang: str, setting: int) -> str:
        """The stance of a text, its language (BCP 47 primary tag, or `und`) and setting (bits)."""
        return self._weigh(self._scanner.read(text), lang, setting)[1].stance

    def explain(self, text: str, lang: str, setting: int) -> Verdict:
        """The stance with the rule, the points and the cues that led to it."""
        read = self._scanner.read(text)
        chosen, weighed = self._weigh(read, lang, setting)
        cues = tuple(
            (name, list_name, read.words(span))
            for name in (chosen, ANY)
            for list_name, spans in read.found.get(name, {}).items()
            for span in spans
        )
        points = {name: n for name, n in weighed.points.items() if n}
        return Verdict(weighed.stance, weighed.rule, points, cues)

    def _weigh(self, read: Read, lang: str, setting: int) -> tuple[str, Weighed]:
        """The language that decided, and what it made of the text."""
        found = read.found
        shared = found.get(ANY, {})
        if setting & QUOTE and read.links:  # the link to what it quotes is not the author's
            read = read._replace(links=read.links - 1)
        base = {"call": SURE + HINT} if setting & CALL else {}
        own = _merged(found.get(lang), shared)
        if setting & SAID and (0, 0) not in shared.get("opposition.hint", ()):  # no mocking emoji
            return lang, Weighed("testimony", "phrase", {})
        first = weigh(read, own, self._reach.get(lang, _REACH), base)
        if read.alone and first.stance == "unclear":
            if read.links:
                return lang, first._replace(rule="tag and link")
            return lang, first._replace(stance="testimony", rule="tag alone")
        if setting & ANSWER and _says_yes(read):
            return lang, first._replace(stance="testimony", rule="answer")
        if first.stance == "testimony":
            return lang, first
        best = lang, first
        unclear = first.stance == "unclear"
        for other in sorted(found):  # a post may be of two languages, or taken for another one's
            theirs = found[other]
            if other in (lang, ANY) or not (unclear or "testimony.sure" in theirs):
                continue
            weighed = weigh(read, _merged(theirs, shared), self._reach.get(other, _REACH), base)
            if weighed.points["testimony"] >= SURE and weighed.stance == "testimony":
                return other, weighed
            if unclear and _more(weighed, best[1]):
                best = other, weighed
        return best


def _more(one: Weighed, other: Weighed) -> bool:
    return one.stance != "unclear" and (
        other.stance == "unclear" or max(one.points.values()) > max(other.points.values())
    )


def _merged(own: Found | None, shared: Found) -> Found:
    if own is None or not shared:
        return own or shared
    names = own.keys() | shared.keys()
    return {name: own.get(name, []) + shared.get(name, []) for name in names}


def _says_yes(read: Read) -> bool:
    """Whether the whole text is an answer such as "same here"."""
    whole = (0, len(read.line))
    return any(whole in found.get("testimony.answer", ()) for found in read.found.values())
