"""What cues add up to.  Rules have names, for `explain`.

Each stance collects points: a sure cue is worth four, a hint two, what surrounds it one.  Testimony
that is sure wins wherever it is mixed with something else; otherwise most points win.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple

from streams.stance.cues import Found, Read, Span, between

SURE: Final = 4
HINT: Final = 2
# At equal points the first wins: testimony before what it is mixed with, and the rarer before the
# more general.
_ORDER: Final = ("testimony", "opposition", "spam", "call", "news", "support")
_LISTS: Final = tuple((stance, f"{stance}.sure", f"{stance}.hint") for stance in _ORDER[1:])
_OPPOSITES: Final = {"support": "opposition", "opposition": "support"}  # once denied
_NEAR: Final = 1  # words between a negation and what it denies
_STRANGERS: Final = 2  # other hashtags beside the campaign's; more are there to be found
_FEW: Final = 12  # words of a text that is an enumeration of scenes, not a report
_NONE: Final[list[Span]] = []


class Weighed(NamedTuple):
    """One language's reading of a text."""

    stance: str
    rule: str
    points: dict[str, int]


def weigh(read: Read, found: Found, reach: int, base: Mapping[str, int]) -> Weighed:
    """The cues of one language (and of all languages) to a stance; `base` has points beforehand."""
    points = dict.fromkeys(_ORDER, 0)
    points.update(base)
    if not found and not base:
        return _without(read, found, points)
    rule = _testimony(read, found, reach, points)
    for stance, sure, hint in _LISTS:
        if sure in found or hint in found:
            n_sure = _affirmed(read.line, found, sure, points)
            n_hint = _affirmed(read.line, found, hint, points)
            points[stance] += _worth(n_sure, n_hint, everyday=stance == "news")
    _surroundings(read, found, points)
    if points["testimony"] >= SURE and not _reported(read, found, points):
        return Weighed("testimony", rule or "", points)
    best = max(_ORDER, key=points.__getitem__)  # the first of equals
    stacked = read.alone and read.foreign > _STRANGERS
    if points[best] >= (SURE if stacked else HINT):
        return Weighed(best, rule if best == "testimony" and rule else "points", points)
    return _without(read, found, points)


def _reported(read: Read, found: Found, points: dict[str, int]) -> bool:
    """Whether it is a headline that quotes somebody's testimony."""
    spoken = read.quotes and (read.links > 0 or "speech" in found)
    return spoken and points["news"] > points["testimony"]


def _without(read: Read, found: Found, points: dict[str, int]) -> Weighed:
    """Where no stance has points enough."""
    if "unrelated" in found and "harm" not in found and "other" not in found:
        return Weighed("spam", "unrelated", points)
    if read.foreign > _STRANGERS:
        return Weighed("spam", "many other hashtags", points)
    if "recount" in found and not (read.asks or read.links) and not any(points.values()):
        return Weighed("testimony", "the author recounts", points)
    return Weighed("unclear", "no cue", points)


def _testimony(read: Read, found: Found, reach: int, points: dict[str, int]) -> str | None:
    """Adds its points, and says which rule gave them."""
    line = read.line
    negations = found.get("negation", _NONE)
    conditions = found.get("condition", _NONE)
    others = found.get("other", _NONE)
    spared = "spared" in found
    rule = None
    for cue in found.get("testimony.sure", _NONE):
        if negations and _denied(line, negations, cue, _NEAR):
            spared = True
        elif not (conditions and _denied(line, conditions, cue, len(line))):
            rule = "testimony.sure"
    if rule is None and "harm" in found:
        for one, two in _pairs(line, found, reach):
            if _within(negations, one, two) or _denied(line, negations, one, 0):
                spared = True
            elif not (_within(others, one, two) or _denied(line, conditions, one, len(line))):
                rule = "harm to the author"
    if spared:
        points["support"] += HINT
        if rule is None:
            return None
    if rule is not None:
        points["testimony"] += SURE
        return rule
    hints = len(set(found.get("testimony.hint", _NONE)))
    if hints:
        points["testimony"] += HINT + (hints > 1)
        return "testimony.hint"
    rule = None if read.asks else _scene(line, found, others)
    if rule is not None:
        points["testimony"] += HINT
    return rule


def _scene(line: bytes, found: Found, others: list[Span]) -> str | None:
    scenes = {start for start, _ in found.get("scene", _NONE)}
    if (scenes or "him" in found) and _author(found, others):
        return "the author in a scene"
    words = line.count(b" ") - line.count(b"\n") - 1
    if len(scenes) > 1 and not others and words <= _FEW:
        return "scenes"
    return None


def _author(found: Found, others: list[Span]) -> bool:
    """Whether the author is spoken of, and not only as in "my sister"."""
    return any(
        not any(one[0] <= start and end <= one[1] for one in others)
        for start, end in found.get("first", _NONE)
    )


def _pairs(line: bytes, found: Found, reach: int) -> Iterable[tuple[Span, Span]]:
    """What was done, beside the author it was done to."""
    harms = found["harm"]
    for one in found.get("undergo", _NONE):
        for two in harms:
            if two[0] >= one[1] - 1 and between(line, one, two) <= reach:
                yield one, two
    for two in found.get("target", _NONE):
        for one in harms:
            if two[0] >= one[1] - 1 and between(line, one, two) <= reach // 2:
                yield one, two


def _worth(sure: int, hints: int, *, everyday: bool) -> int:
    """Points: a sure cue has more than any number of hints; each further one counts for little.

    Where hints are `everyday` words, as those of news, one alone says nothing.
    """
    if sure:
        return SURE + min(sure - 1, 2) + (hints > 0)
    if everyday:
        return min(hints, HINT + 1)
    return HINT + (hints > 1) if hints else 0


def _affirmed(line: bytes, found: Found, name: str, points: dict[str, int]) -> int:
    """How many cues of a list are not denied; what denied ones say is added to the points."""
    spans = found.get(name)
    if spans is None:
        return 0
    negations = found.get("negation", _NONE)
    heard = set()
    for cue in spans:
        if negations and cue[1] and _denied(line, negations, cue, _NEAR):
            opposite = _OPPOSITES.get(name.partition(".")[0])
            if opposite is not None and name.endswith("sure"):
                points[opposite] += HINT
        else:
            heard.add(cue[0])  # "follow me" and "follow me on" are one
    return len(heard)


def _surroundings(read: Read, found: Found, points: dict[str, int]) -> None:
    """Links, somebody else, indirect speech."""
    if "other" in found and "speech" in found and "first" not in found:
        points["news"] += 1
    if read.links:
        for stance in ("spam", "news"):
            if points[stance]:
                points[stance] += 1
    if "other" in found and "harm" in found and not any(points.values()):
        points["news" if read.links or "speech" in found else "support"] += HINT


def _denied(line: bytes, cues: list[Span], cue: Span, words: int) -> bool:
    """Whether one of the cues ends at most so many words before this one, in its sentence."""
    return any(one[1] <= cue[0] + 1 and between(line, one, cue) <= words for one in cues)


def _within(cues: list[Span], one: Span, two: Span) -> bool:
    """Whether one of the cues stands between two."""
    return any(cue[0] >= one[1] - 1 and cue[1] <= two[0] + 1 for cue in cues)
