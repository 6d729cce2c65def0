"""How a post belongs to a campaign.  All texts are invented."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest

from streams.campaigns import load, parse
from streams.campaigns.versions import in_force
from streams.classify import Classifier, Membership
from streams.posts import Post, Subject
from streams.posts.fields import tags_in
from streams.stance import STANCES

ROOT = "x:919659438700670976"
METOO = load("metoo")
CALL = METOO.calls["en"][0]
CLASSIFIER = Classifier([METOO])
PLAIN = Post(
    *("x:1", "x", "original", None, None, "7", 1_508_098_871_289, "en", None, None, 1, False),
    (),
    "",
)


def post(text: str, **fields: Any) -> Post:
    return msgspec.structs.replace(PLAIN, **({"text": text, "hashtags": tags_in(text)} | fields))


def answer(text: str, parent: str = ROOT, **fields: Any) -> Post:
    return post(text, kind="reply", parent=parent, **fields)


def repost(text: str, parent: str = "x:2", subject: Subject | None = None) -> Post:
    return post(text, kind="repost", parent=parent, subject=subject)


def via(one: Post) -> str | None:
    found = CLASSIFIER.classify(one)
    assert all(each.campaign == "metoo" and each.stance in STANCES for each in found)
    return found[0].via if found else None


@pytest.mark.parametrize("tag", METOO.all_hashtags)
def test_each_hashtag(tag: str) -> None:
    assert via(post("x", hashtags=(tag.casefold(),))) == "hashtag"
    assert via(post("x", hashtags=("other", tag.casefold()))) == "hashtag"


@pytest.mark.parametrize(
    "text", ["#yotambie\u0301n", "#أيضا_أنا #انا_كمان", "#ＭＥＴＯＯ", "#Me\u200dToo", "#גַםאני"]
)
def test_folded_spellings(text: str) -> None:
    assert via(post(text)) == "hashtag"


@pytest.mark.parametrize(
    "tag", ["IchAuchHunger", "MeTooThanks", "NotMeToo", "metoolate", "me", "米兔米兔"]
)
def test_look_alikes_are_other_tags(tag: str) -> None:
    assert via(post(f"Sunday #{tag}")) is None


@pytest.mark.parametrize("tag", METOO.excluded)
def test_excluded_tags(tag: str) -> None:
    assert via(post(f"Sunday #{tag}")) is None


def test_counted_tags_keep_their_form() -> None:
    assert {"yotambién", "yotambien", "metoo"} <= CLASSIFIER.campaign_tags
    assert CLASSIFIER.is_campaign_tag("yotambién")
    assert not CLASSIFIER.is_campaign_tag("coffee")


@pytest.mark.parametrize("phrase", METOO.all_phrases)
@pytest.mark.parametrize(
    "form", ["{}", "{}.", "“{}”", "{}!!! 💔", "@some_one {}", "{} https://t.co/abc", "\u200f{}…"]
)
def test_a_phrase_is_a_whole_status(phrase: str, form: str) -> None:
    for text in (phrase, phrase.upper(), phrase.capitalize()):
        assert via(post(form.format(text))) == "phrase"
        assert via(answer(form.format(text))) == "phrase"
        assert via(answer(form.format(text), parent="x:5")) is None


@pytest.mark.parametrize(
    "text",
    [
        "me too, thanks",
        "My cat wants breakfast and me too honestly",
        "Pizza? Me too!",
        "They all sang: me too, me too, oh me too",
        "she likes trains and me too",
        "Bring me tools",
        "Me, too tired",
        "Mir auch egal",
        "He plays the violin, me too",
    ],
)
def test_a_casual_me_too(text: str) -> None:
    assert via(post(text)) is None
    assert via(answer(text, parent="x:5")) is None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Me too. It was long ago.", "phrase"),
        ("@call_of_the_day me too and my sister", "phrase"),
        ("It was long ago. Me too.", "phrase"),
        ("Thank you\nme too\nand many others", "phrase"),
        ("And I want to say that me too", "reply"),
        ("Follow my page for stickers", "reply"),
        ("", "reply"),
        ("Read this #MeToo", "hashtag"),
    ],
)
def test_answers_to_a_root_post(text: str, expected: str) -> None:
    assert via(answer(text)) == expected
    assert via(answer(text, parent="x:5", root=ROOT)) == expected


def test_a_quote_of_a_root_post_is_no_answer() -> None:
    assert via(post("Read this", kind="quote", parent=ROOT)) is None
    assert via(post("Me too. https://t.co/a", kind="quote", parent=ROOT)) == "phrase"


@pytest.mark.parametrize(
    "text",
    [
        "I was harassed at my first job, me too, and nobody asked.",
        "An uncle. An assault. So yes, me too",
        "Moi aussi, le harcèlement dans le métro, chaque jour",
        "Ich wurde belästigt, ja, ich auch",
    ],
)
def test_a_phrase_with_words_of_the_context(text: str) -> None:
    assert via(post(text)) == "phrase"


@pytest.mark.parametrize("call", METOO.all_calls)
@pytest.mark.parametrize(
    "form",
    [
        "{}",
        "“{}”",
        "{} (copy and paste)",
        "Copied from a friend: {}",
        "{} 🙏",
        "@some_one {} https://t.co/a",
    ],
)
def test_copies_of_the_call(call: str, form: str) -> None:
    assert via(post(form.format(call))) == "call"
    assert via(repost(form.format(call))) == "repost"
    assert via(answer(form.format(call), parent="x:5")) == "call"


def test_a_call_with_typos() -> None:
    assert via(post(CALL.replace("happened", "hapened").replace("status", "statsu"))) == "call"


@pytest.mark.parametrize(
    "form",
    [
        "Me too. {}",
        "Me too.\n\n“{}”",
        "ME TOO! Copied from a friend: {}",
        "{} Me too.",
        "Moi aussi. {}",
    ],
)
def test_a_phrase_beside_the_call(form: str) -> None:
    assert via(post(form.format(CALL))) == "phrase"


def test_a_phrase_inside_the_call_is_the_call_s() -> None:
    assert "'Me too'" in CALL
    for text in (CALL.replace("'Me too'", "'Me too.'"), CALL.replace("'Me too'", ": Me too.")):
        assert via(post(text)) == "call"


def test_news_about_the_call_is_no_copy() -> None:
    assert via(post("Many wrote 'me too' as a status today, and more will do so tonight")) is None


def test_the_root_post_itself() -> None:
    assert via(post("Whatever it says", uid=ROOT)) == "call"
    assert via(repost("Whatever it says", parent=ROOT)) == "repost"


@pytest.mark.parametrize(
    ("text", "subject", "expected"),
    [
        ("Me too.", None, "repost"),
        ("Me too.", Subject("original", None, None), "repost"),
        ("Me too.", Subject("reply", ROOT, None), "repost"),
        ("Me too.", Subject("reply", "x:5", None), None),
        ("Thank you", Subject("reply", ROOT, None), "repost"),
        ("Thank you", Subject("reply", "x:5", ROOT), "repost"),
        ("Thank you", Subject("quote", ROOT, None), None),
        ("Thank you", None, None),
        ("Thank you #MeToo", None, "hashtag"),
    ],
)
def test_reposts(text: str, subject: Subject | None, expected: str | None) -> None:
    assert via(repost(text, subject=subject)) == expected


def test_several_campaigns() -> None:
    rain = parse(
        'name = "rain"\nversion = "7"\nroots = ["x:3"]\n'
        'hashtags = { en = ["RainToday", "MeToo"] }\n'
        'calls = { en = ["Let everybody hang a blue umbrella out of the window this sunday"] }\n',
        "rain.toml",
    )
    classifier = Classifier([METOO, rain])
    assert classifier.versions == in_force([METOO, rain])
    revisions = json.loads(classifier.versions)["campaigns"]
    assert {name: text.partition("+")[0] for name, text in revisions.items()} == {
        "metoo": METOO.version,
        "rain": "7",
    }
    louder = msgspec.structs.replace(rain, thresholds={"page": 1.0})
    assert Classifier([METOO, louder]).versions != classifier.versions, "the same version, though"
    both = (Membership("metoo", "hashtag", "testimony"), Membership("rain", "hashtag", "testimony"))
    assert classifier.classify(post("#MeToo")) == both
    assert classifier.classify(post("#RainToday")) == both[1:]
    assert classifier.classify(answer("hello", parent="x:3")) == (
        Membership("rain", "reply", "unclear"),
    )
    hung = "Everybody: let everybody hang a blue umbrella out of the window this sunday"
    assert classifier.classify(post(hung)) == (Membership("rain", "call", "call"),)
    assert Classifier([]).classify(post("#MeToo")) == ()


def test_explain_says_what_decided() -> None:
    told = CLASSIFIER.explain(answer("Me too. I was harassed at work"))["metoo"]
    assert told["via"] == "phrase"
    assert told["root"] == "answered"
    assert told["phrases"] == ["me too"]
    assert "a phrase opens it or is a sentence of it" in told["found"]
    assert told["stance"] == "testimony"
    told = CLASSIFIER.explain(repost("I believe you #MeToo"))["metoo"]
    assert (told["via"], told["tags"], told["stance"]) == ("hashtag", ["metoo"], "support")
    assert {"lang": "en", "list": "support.sure", "words": "i believe you"} in told["cues"]
    assert told["points"]["support"] >= 4
    assert CLASSIFIER.explain(repost(CALL))["metoo"]["via"] == "repost"
    assert CLASSIFIER.explain(post("Whatever", uid=ROOT))["metoo"]["root"] == "is"


def test_explain_of_what_does_not_belong() -> None:
    assert CLASSIFIER.explain(post("me too, thanks")) == {
        "metoo": {
            "via": None,
            "tags": [],
            "root": None,
            "found": ["a phrase opens it or is a sentence of it"],
            "phrases": ["me too"],
        }
    }


@pytest.mark.parametrize(
    "text",
    [
        "Мой начальник меня изнасиловал, я тоже была одна",
        "Eu também fui vítima de assédio, e calei",
        "मैं भी चुप रही, उत्पीड़न रोज़ था",
        "ben de tacize uğradım",
    ],
)
def test_context_in_other_languages(text: str) -> None:
    assert via(post(text)) == "phrase"


@pytest.mark.parametrize(
    "one",
    [
        post("#MeToo"),
        post("Me too."),
        post(CALL),
        answer("hello"),
        repost("Me too."),
        post("I believe you #MeToo", lang="xx"),
    ],
)
def test_explain_and_classify_agree(one: Post) -> None:
    (found,) = CLASSIFIER.classify(one)
    told = CLASSIFIER.explain(one)["metoo"]
    assert (told["via"], told["stance"]) == (found.via, found.stance)
