"""What a member says about its campaign, language by language and rule by rule."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.campaigns import load
from streams.classify import Classifier
from streams.posts import Post, Subject
from streams.stance import STANCES
from tests.stance.cases import CASES
from tests.test_classify import ROOT, answer, post, repost

METOO = load("metoo")
CLASSIFIER = Classifier([METOO])
CALL = METOO.calls["en"][0]


def stance(one: Post) -> str:
    (found,) = CLASSIFIER.classify(one)
    return found.stance


def rule(one: Post) -> Any:
    return CLASSIFIER.explain(one)["metoo"]["rule"]


@pytest.mark.parametrize(
    ("lang", "expected", "text"),
    [(lang, *case) for lang, cases in CASES.items() for case in cases],
)
def test_languages(lang: str, expected: str, text: str) -> None:
    text = text.replace("#", "#MeToo", 1)
    assert stance(post(text, lang=lang)) == expected
    assert stance(post(text, lang="und")) == expected
    assert stance(repost(text)) == expected
    assert stance(post(text + " 💔", lang=lang)) == expected


@pytest.mark.parametrize("phrase", METOO.all_phrases)
def test_a_bare_phrase_is_testimony(phrase: str) -> None:
    for text in (f"{phrase}.", f"“{phrase}” 💔", f"{phrase} https://t.co/abc"):
        assert stance(post(text)) == "testimony"
        assert stance(answer(text)) == "testimony"
        assert stance(repost(text, subject=Subject("reply", ROOT, None))) == "testimony"


@pytest.mark.parametrize("tag", METOO.all_hashtags)
def test_a_tag_alone_is_testimony(tag: str) -> None:
    if not any(char.isalpha() for char in tag):
        return  # an emoji is a tag for those platforms only that send it as one
    for text in (f"#{tag}", f"#{tag} 💔", f"…#{tag}!", f"@some_one #{tag}", f"#{tag} #NoMore"):
        assert stance(post(text, lang="und")) == "testimony"


@pytest.mark.parametrize("tag", METOO.all_hashtags)
def test_a_tag_with_a_link_is_unclear_in_all_scripts(tag: str) -> None:
    """`#我也是` spells a phrase, and is a hashtag."""
    if any(char.isalpha() for char in tag):
        assert stance(post(f"#{tag} https://t.co/abc", lang="und")) == "unclear"


@pytest.mark.parametrize("text", ["#我也是 我也是 https://t.co/abc", "我也是 https://t.co/abc"])
def test_a_phrase_with_a_link_is_testimony(text: str) -> None:
    assert stance(post(text, lang="und")) == "testimony"


@pytest.mark.parametrize(
    ("one", "expected"),
    [
        (post("#MeToo https://t.co/abc"), "unclear"),  # whatever is behind the link
        (post("#أنا_كمان https://t.co/abc"), "unclear"),
        (post("#me_too https://t.co/abc"), "unclear"),
        (post("#MeToo https://t.co/abc", kind="quote", parent="x:5"), "testimony"),
        (post("#MeToo #BelieveWomen"), "support"),
        (post("#MeToo #HimToo"), "opposition"),
        (post("#MeToo 😂"), "opposition"),
        (post("#MeToo #a1 #b1 #c1"), "spam"),
        (post("#MeToo #RainToday"), "testimony"),
        (post("#YoTambie\u0301n"), "testimony"),
        (post("#أنا_أيضاً"), "testimony"),
        (post("#גַּם_אֲנִי"), "testimony"),
    ],
)
def test_a_tag_with_little_beside_it(one: Post, expected: str) -> None:
    assert stance(one) == expected


@pytest.mark.parametrize(
    ("one", "expected"),
    [
        (answer("Same here."), "testimony"),
        (answer("@call_of_the_day yes, many times"), "testimony"),
        (post("Same here. #MeToo"), "unclear"),
        (answer("Thank you for this"), "support"),
        (answer("Follow my page for free stickers"), "spam"),
        (answer("me too and my sister"), "testimony"),
        (answer(""), "unclear"),
    ],
)
def test_answers_to_a_root_post(one: Post, expected: str) -> None:
    assert stance(one) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (CALL, "call"),
        (f"{CALL} #MeToo", "call"),
        (f"Me too. {CALL}", "testimony"),
        (f"{CALL} It happened to me when I was twelve.", "testimony"),
        ("Me too. And I believe every one of you.", "testimony"),
        ("Me too. This is no witch hunt.", "testimony"),
        ("“Me too.” Two words, explained #MeToo", "news"),
    ],
)
def test_testimony_wins_where_stances_mix(text: str, expected: str) -> None:
    assert stance(post(f"{text} #MeToo" if "#" not in text else text)) == expected


def test_the_root_post_is_a_call() -> None:
    assert stance(post("Whatever it says", uid=ROOT)) == "call"
    assert stance(repost("Whatever it says", parent=ROOT)) == "call"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("I do not believe you #MeToo", "opposition"),
        ("This is not a hoax #MeToo", "support"),
        ("It never happened to me #MeToo", "support"),
        ("My friend says she was harassed #MeToo", "support"),
        ("I was raped. I went to the police, and the court dropped the case. #MeToo", "testimony"),
        ("“I was 17”: actress accuses producer in interview #MeToo https://t.co/abc", "news"),
    ],
)
def test_what_words_beside_a_cue_change(text: str, expected: str) -> None:
    assert stance(post(text)) == expected


def test_what_would_be_is_no_testimony() -> None:
    assert stance(post("If someone harassed me I would tell #MeToo")) != "testimony"


@pytest.mark.parametrize(
    ("text", "lang"),
    [
        ("Nunca se lo conté a nadie #MeToo", "en"),
        ("Good night everybody. Ich wurde als Kind belästigt #MeToo", "en"),
        ("I was groped at work #MeToo", "fr"),
        ("Меня лапал начальник #MeToo", "tlh"),
    ],
)
def test_a_post_may_be_of_another_language_than_it_is_said_to_be(text: str, lang: str) -> None:
    assert stance(post(text, lang=lang)) == "testimony"


def test_rules_have_names() -> None:
    assert rule(post("#MeToo")) == "tag alone"
    assert rule(post("Me too.")) == "phrase"
    assert rule(post("It happened to me #MeToo")) == "testimony.sure"
    assert rule(post("I was brutally harassed #MeToo")) == "harm to the author"
    assert rule(post("Bus. Office. Church. #MeToo")) == "scenes"
    assert rule(answer("Same here")) == "answer"
    assert rule(post("I believe you #MeToo")) == "points"
    assert rule(post("Pizza #MeToo")) == "unrelated"


@given(st.text(max_size=200), st.sampled_from(["en", "ja", "und", "xx"]))
def test_any_text_has_a_stance(text: str, lang: str) -> None:
    one = post(text, lang=lang, hashtags=("metoo",))
    assert stance(one) in STANCES
    assert CLASSIFIER.explain(one)["metoo"]["stance"] == stance(one)
