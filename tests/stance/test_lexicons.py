"""The lexicons hold what the rules ask for, and say no two things with the same words."""

from __future__ import annotations

import pytest

from streams.campaigns import load
from streams.stance.lexicon import ANY, GRADED, GRADES, Lexicon, lexicons, parsed

BY_LANG = {lexicon.lang: lexicon for lexicon in lexicons()}
FULL = (
    "ar",
    "de",
    "en",
    "es",
    "fr",
    "he",
    "hi",
    "it",
    "ja",
    "ko",
    "nl",
    "pt",
    "ru",
    "sv",
    "tr",
    "zh",
)


def test_every_language_of_the_campaign_has_one() -> None:
    assert set(load("metoo").phrases) <= set(BY_LANG)


@pytest.mark.parametrize("lang", FULL)
def test_a_full_lexicon_knows_every_stance(lang: str) -> None:
    lexicon = BY_LANG[lang]
    for stance in GRADED:
        cues = getattr(lexicon, stance)
        assert len(cues.sure) >= 10, stance
        assert cues.hint, stance
    for name in ("first", "harm", "undergo", "target", "scene", "other", "spared", "unrelated"):
        assert getattr(lexicon, name), name
    assert lexicon.testimony.answer


@pytest.mark.parametrize("lexicon", lexicons(), ids=lambda lexicon: lexicon.lang)
def test_no_words_are_sure_of_two_stances(lexicon: Lexicon) -> None:
    sure: dict[str, str] = {}
    for stance in GRADED:
        cues = getattr(lexicon, stance)
        for grade in GRADES:
            listed = getattr(cues, grade)
            assert len(listed) == len(set(listed)), [p for p in listed if listed.count(p) > 1]
        for pattern in cues.sure:
            assert sure.setdefault(pattern, stance) == stance, pattern


@pytest.mark.parametrize("lexicon", lexicons(), ids=lambda lexicon: lexicon.lang)
def test_stars_stand_at_the_ends(lexicon: Lexicon) -> None:
    for stance in GRADED:
        for grade in GRADES:
            for pattern in getattr(getattr(lexicon, stance), grade):
                assert "*" not in pattern.strip("*"), pattern


def test_only_one_holds_for_all_languages() -> None:
    assert not BY_LANG[ANY].first


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('lang = "xx"\nspam = 3', "spam"),
        ('lang = "xx"\nspams = []', "spams"),
        ('lang = "xx"\nfirst = [" "]', "first"),
        ('lang = "yy"', "lang is 'yy'"),
        ("lang = ", "xx.toml"),
    ],
)
def test_a_bad_lexicon_is_refused_by_name(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        parsed(text, "xx.toml")
