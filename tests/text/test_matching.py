"""Folding, sentences, phrases, near copies, fingerprints."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.text.copies import Copies
from streams.text.fingerprint import text_key
from streams.text.normalise import FOLDS, folded, own_words
from streams.text.phrases import DISGUISES, Phrases, anchors, sentences, squeezed

PHRASES = [
    "me too",
    "yo también",
    "anch'io",
    "ik ook",
    "گ م",
    "أنا أيضا",
    "גם אני",
    "我也是",
    "я тоже",
]
CALL = (
    "Whoever walked home alone and was afraid, please write the words 'me too' under this picture."
)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("YoTambién", "yotambien"),
        ("YoTambie\u0301n", "YoTambién"),
        ("أيضاً", "أيضا"),
        ("أنا", "انا"),
        ("גַּם", "גם"),
        ("Me\u200d \u200fToo\ufe0f", "me too"),
        ("𝐌𝐞 ＴＯＯ", "me too"),
    ],
)
def test_what_folding_makes_one(one: str, other: str) -> None:
    assert folded(one, FOLDS) == folded(other, FOLDS)


@pytest.mark.parametrize(("one", "other"), [("が", "か"), ("กา", "ก"), ("कि", "क"), ("é", "f")])
def test_what_stays_apart(one: str, other: str) -> None:
    assert folded(one, FOLDS) != folded(other, FOLDS)


def test_marks_stay_unless_they_are_to_be_folded() -> None:
    assert folded("También") == "también"
    assert folded("أنا", ["marks"]) == "أنا"
    assert folded("أنا", ["hamza"]) == "انا"


@given(st.text(), st.sets(st.sampled_from(FOLDS)))
def test_folding_is_the_same_for_all_forms(text: str, folds: set[str]) -> None:
    for form in ("NFC", "NFD"):
        assert folded(unicodedata.normalize(form, text), folds) == folded(text, folds)


def test_own_words() -> None:
    assert own_words("@a @b: so https://t.co/x it is @c").split() == ["so", "it", "is", "@c"]


def test_sentences() -> None:
    found = sentences("Me too. It's 我也; done… 🙂 !")
    assert found.words == ("me", "too", "it", "s", "我", "也", "done")
    assert found.bounds == (0, 2, 6, 7)
    assert sentences("…") == ((), (0,))


@pytest.mark.parametrize(
    ("text", "whole", "opens", "inside"),
    [
        ("Me too", True, True, True),
        ("“ME. TOO!” 💔", True, True, True),
        ("me too me too", False, True, True),
        ("Me too. Me too.", True, True, True),
        ("Me too, thanks", False, True, True),
        ("And me too", False, False, True),
        ("Me tooth", False, False, False),
        ("some too", False, False, False),
        ("", False, False, False),
        ("Anch’io", True, True, True),
        ("我也是。", True, True, True),
        ("我也是女生", False, True, True),
    ],
)
def test_phrases(text: str, whole: bool, opens: bool, inside: bool) -> None:
    phrases, read = Phrases(PHRASES, FOLDS), sentences(text, FOLDS)
    assert (phrases.is_all(read), phrases.opens(read.words), phrases.inside(read.words)) == (
        whole,
        opens,
        inside,
    )


@pytest.mark.parametrize(
    "text",
    [
        "Me too",
        "ME TOO",
        "me.\ntoo",
        "YO TAMBIÉN",
        "yo también",
        "Я ТОЖЕ",
        "Я тоже",
        "גם אני",
        "أنا أيضا",
        "أنا أيضاً",
        "我也是",
        "𝐌𝐞 𝐭𝐨𝐨",
        "ｍｅ ｔｏｏ",
        "m\u200be too",
        "Ik ook",
        "ANCH'IO",
        "Me\u00a0too",
        "me—“too”",
        "ＭＥ ＴＯＯ",
    ],
)
def test_anchors_miss_no_phrase(text: str) -> None:
    assert may_be_in(text)
    assert may_be_in("something before " + text + " something behind")


def may_be_in(text: str) -> bool:
    found = squeezed(text)
    return any(piece in found for piece in {*anchors(PHRASES, ()), *DISGUISES})


def test_anchors_leave_most_texts_out() -> None:
    for text in (
        "Sunday coffee and a good book",
        "Qué partido el de hoy",
        "星期天的咖啡",
        "",
        "🙂",
    ):
        assert not may_be_in(text)


@pytest.mark.parametrize(
    "copy",
    [CALL, CALL.upper(), CALL[:40], CALL[-40:], CALL.replace("afraid, please", "afraid: pleas")],
)
def test_a_copy_keeps_a_piece_of_its_call(copy: str) -> None:
    assert any(piece in squeezed(copy) for piece in anchors((), [CALL]))


@pytest.mark.parametrize(
    ("text", "letters"),
    [
        ("Me, “TOO”!", "metoo"),
        ("m\u00ade\u00a0to\u200bo… 💔❤\ufe0f", "metoo"),
        ("私も！「ね」", "私もね"),
        ("גַּם אני؟", "גםאני"),
        ("yo tambie\u0301n", "yotambien"),
    ],
)
def test_letters_side_by_side(text: str, letters: str) -> None:
    assert squeezed(text).decode() == letters


@pytest.mark.parametrize(
    "text",
    [
        CALL,
        CALL.upper(),
        f"“{CALL}” (copied from a friend, please share)",
        "I thought about this for long. " + CALL,
        CALL.replace("afraid", "affraid").replace("picture", "pictrue"),
        "Whoever walked home alone and was afraid, please write the words…",
    ],
)
def test_copies(text: str) -> None:
    assert Copies([CALL]).find(sentences(text).words)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Me too.",
        "I walked home alone, and it rained.",
        "Please write the words you know under each picture of the lesson, then walk home alone.",
        "Whoever was afraid of the dog: it is a very small and a very old dog that sleeps all day.",
    ],
)
def test_what_is_no_copy(text: str) -> None:
    assert Copies([CALL]).find(sentences(text).words) is None


def test_fingerprints() -> None:
    key = text_key("Me  too. https://t.co/a")
    assert key == text_key("@some_one ＭＥ TOO.") == text_key("me\u200d too. https://t.co/b")
    assert key != text_key("Me too!")
    assert text_key("x" * 3000) == text_key("X" * 3000)
    assert len(key) == 16
