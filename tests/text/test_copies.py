"""Near copies of the calls that the campaign ships, altered as people alter them."""

from __future__ import annotations

import pytest

from streams.campaigns import load
from streams.text.copies import Copies
from streams.text.phrases import sentences

METOO = load("metoo")
FOLDS = METOO.matching.folds
COPIES = Copies(METOO.all_calls, FOLDS, METOO.matching.call_similarity)


def is_copy(text: str) -> bool:
    return COPIES.find(sentences(text, FOLDS).words) is not None


@pytest.mark.parametrize("call", METOO.all_calls)
def test_altered_copies(call: str) -> None:
    words = call.split(" ")
    long = len(words) > 8
    typos = [
        word[:2] + word[3:] if len(word) > 6 and at % 4 == 1 else word
        for at, word in enumerate(words)
    ]
    assert is_copy(call)
    assert is_copy(call.upper())
    assert is_copy(f"«{call}»")
    assert is_copy(f"I did not write this, and I mean each word of it: {call} (copied and pasted)")
    assert is_copy(" ".join(typos))
    if long:  # in scripts without spaces a call is one such word
        assert is_copy(" ".join(word for at, word in enumerate(words) if at % 9 != 4))
        assert is_copy(" ".join(words[: 3 * len(words) // 4]) + "…")


@pytest.mark.parametrize(
    "text",
    [
        "If everyone I know wrote back to me as quickly as you do, we would have no time left.",
        "As everyone who has been to a wedding knows, 'me too' on a cake is no good idea.",
        "Wenn alle, die hier wohnen, grüßen würden, wäre das Haus ein anderes.",
        "Si todas las personas fueran al mercado, no habría sitio.",
        "そうだったのか、と私も思った。",
    ],
)
def test_what_only_sounds_like_a_call(text: str) -> None:
    assert not is_copy(text)


@pytest.mark.parametrize("call", METOO.all_calls)
def test_the_same_words_in_another_order_are_no_copy(call: str) -> None:
    words = sentences(call, FOLDS).words
    assert (
        COPIES.find((*words[::5], *words[4::5], *words[3::5], *words[2::5], *words[1::5])) is None
    )


def test_of_several_the_nearest_is_named() -> None:
    copies = Copies(["one two three four five six seven eight", "one two three four x y z a b c d"])
    found = copies.find(sentences("one two three four five six seven nine").words)
    assert found is not None
    assert ("four", "five") in found
    assert ("four", "x") not in found


def test_no_texts() -> None:
    assert Copies([]).find(("a", "b")) is None
