"""The country that a profile's free text names: "Paris, France", "NYC", "東京", "Berlin 🇩🇪".

None beats a guess: what is unknown, ambiguous, contradictory or a joke has no country.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

from streams.posts.gazetteer import City, Gazetteer, gazetteer, name_of

_LONGEST: Final = 100  # characters; X allows 30, v2 writes up to 150
_MOST_WORDS: Final = 6  # of a city and its country: Santo Domingo República Dominicana
# Two regional indicators are a flag; so are England's, Scotland's and Wales' own.
_FLAG: Final = re.compile(
    "[\U0001f1e6-\U0001f1ff]{2}|\U0001f3f4\U000e0067\U000e0062[\U000e0061-\U000e007f]+"
)
_INDICATOR: Final = 0x1F1E6 - ord("A")
_PLACES: Final = re.compile(
    r"[/|;•·+&\n→⇒↔~]+|\s(?:and|y|et|und|e|en|och|ve|via|to|or)\s", re.IGNORECASE
)
_PARTS: Final = re.compile(r"[,，、،()\[\]:]+|\s[-–—]+\s|[–—]")
_EDGES: Final = " \t.!?*\"“”„«»'’<>_=-"
_SYMBOLS: Final = re.compile(
    "[\u2600-\u27bf\u2b00-\u2bff\ufe0f\u200d\U0001f000-\U0001faff\U000e0000-\U000e007f]+"
)
# Short forms that are a place by themselves only in capitals or with points.
_SHORT: Final = {"US": "US", "U.S": "US", "U.S.A": "US", "U.K": "GB", "NYC": "US", "N.Y.C": "US"}
_NOWHERE: Final[frozenset[str]] = frozenset()


def country_of(location: str | None) -> str | None:
    """ISO 3166-1 alpha-2 of the one country that a text names, or None.

    >>> [country_of(text) for text in ("São Paulo - Brasil", "Georgia", "London/Delhi", "earth")]
    ['BR', None, None, None]
    """
    return _country(location[:_LONGEST]) if location else None


@lru_cache(maxsize=16_384)
def _country(text: str) -> str | None:
    known = gazetteer()
    found = {_flagged(flag, known) for flag in _FLAG.findall(text)}
    text = _SYMBOLS.sub("|", _FLAG.sub("|", text))
    # Trinidad & Tobago is one place.
    for place in (text,) if name_of(text) in known.countries else _PLACES.split(text):
        countries = _place(place, known)
        if countries is not None:
            found.add(next(iter(countries)) if len(countries) == 1 else None)
    return found.pop() if len(found) == 1 else None


def _flagged(flag: str, known: Gazetteer) -> str | None:
    if len(flag) > 2:
        return "GB"
    code = "".join(chr(ord(letter) - _INDICATOR) for letter in flag)
    return code if code in known.codes else None


def _place(text: str, known: Gazetteer) -> frozenset[str] | None:
    """The countries that one place may be in, from its parts: the last one is the widest.

    None where nothing of it is known, and no country where it is known and contradicts itself.
    """
    parts = [part for part in (raw.strip(_EDGES) for raw in _PARTS.split(text)) if part]
    if len(parts) == 1:
        parts = _split(parts[0], known)
    wide = _wide(parts[-1], len(parts) > 1, known) if parts else None
    cities = [known.cities.get(name_of(part)) for part in parts]
    if wide is not None:
        also = cities.pop()
        named = [city for city in cities if city is not None]
        if also is not None:  # New York: the state, or another city of a list
            named = [city for city in named if city.country is not None]
            if any(city.country not in wide for city in named):
                return _NOWHERE
        for city in named:
            wide = _narrowed(city, wide)
        for part in parts[:-1]:  # Georgia, USA; but France, Germany
            wide &= known.countries.get(name_of(part), wide)
        return wide
    named = [city for city in cities if city is not None]
    if not named:
        return None
    last = named[-1]
    # What follows a city, and is unknown, may be the state of a namesake.
    if last.country is None or (cities[-1] is None and len(last.countries) > 1):
        return _NOWHERE
    fits = all(last.country in city.countries for city in named)
    return frozenset({last.country}) if fits else _NOWHERE


def _wide(part: str, ends: bool, known: Gazetteer) -> frozenset[str] | None:
    """Countries by name; by code too, where it ends a place and stands in capitals."""
    short = _SHORT.get(part)
    if short is not None:
        return frozenset({short})
    countries = known.countries.get(name_of(part).removeprefix("the "))
    if countries is not None:
        return countries
    if ends and len(part) == 2 and part.isupper():
        found = {part} & known.codes
        if part in known.states:
            found.add("US")
        return frozenset(found) or None
    return None


def _split(part: str, known: Gazetteer) -> list[str]:
    """`Berlin Germany` and `中国 北京` in two: a city, and the country that it is in."""
    words = part.replace("-", " ").split()
    if len(words) > _MOST_WORDS:
        return [part]
    for at in range(1, len(words)):
        pair = " ".join(words[:at]), " ".join(words[at:])
        for name, rest in (pair, pair[::-1]):
            city, wide = known.cities.get(name_of(name)), _wide(rest, True, known)
            if city is not None and wide is not None and _narrowed(city, wide):
                return [name, rest]
    return [part]


def _narrowed(city: City, wide: frozenset[str]) -> frozenset[str]:
    """Of these countries those that have such a city; the foremost, where it is one of them."""
    if city.country is not None and city.country in wide:
        return frozenset({city.country})
    return city.countries & wide
