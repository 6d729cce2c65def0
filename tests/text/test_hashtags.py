"""Hashtags by twitter-text's rules, and their canonical form."""

from __future__ import annotations

import unicodedata
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from streams.text.hashtags import canonical, extract, extract_closed


@pytest.mark.parametrize(
    ("text", "tags"),
    [
        ("#MeToo", ["MeToo"]),
        ("＃MeToo!", ["MeToo"]),
        ("no tag", []),
        ("#", []),
        ("# MeToo", []),
        ("a#MeToo", []),
        ("ä#MeToo 日#MeToo 1#MeToo _#MeToo", []),
        ("C#metoo &#metoo;", []),
        ("(#one)#two/#three–#four ‘#five’", ["one", "two", "three", "four", "five"]),
        ("#one#two", []),
        ("##one", ["one"]),
        ("#123 #1a #_ #_a", ["1a", "_a"]),
        ("#http://example.org", []),
        ("https://example.org/#one #two", ["two"]),
        ("https://example.org/a?b=c#one", []),
        ("example.org/page#one", []),
        ("https://t.co/AbC,#one", ["one"]),
        ("#one.com #two.co.uk", ["one", "two"]),
        ("#MeToo's", ["MeToo"]),
        ("#me-too #me_too", ["me", "me_too"]),
        ("#米兔在中国 and #미투, #米兔#", ["米兔在中国", "미투"]),
        ("#أنا_أيضاً، #גם_אני. #मैंभी", ["أنا_أيضاً", "גם_אני", "मैंभी"]),
        ("#\ufe0f\u20e3 #one", ["one"]),
        ("❤\ufe0f#one 👍🏽#two", ["one", "two"]),
        ("#a\u200db", ["a\u200db"]),
    ],
)
def test_extract(text: str, tags: list[str]) -> None:
    assert extract(text) == tags


def cases(shared_data: Path) -> list[Any]:
    path = shared_data / "hashtags/twitter-text-extract.yml"
    groups = yaml.safe_load(path.read_text(encoding="utf-8"))["tests"]
    return [case for group in groups.values() for case in group]


def test_the_conformance_suite(shared_data: Path) -> None:
    for case in cases(shared_data):
        wanted = [one["hashtag"] if isinstance(one, dict) else one for one in case["expected"]]
        assert extract(case["text"]) == wanted, case["description"]


@pytest.mark.parametrize(
    ("written", "counted"),
    [
        ("MeToo", "metoo"),
        ("#METOO", "metoo"),
        ("ＭｅＴｏｏ", "metoo"),
        ("YoTambie\u0301n", "yotambién"),
        ("STRASSE", "strasse"),
        ("Straße", "strasse"),
        ("ΜΕΤΟΟΣ", "μετοοσ"),
        ("أنا_أيضاً", "أنا_أيضاً"),
    ],
)
def test_canonical(written: str, counted: str) -> None:
    assert canonical(written) == counted


@given(st.text())
def test_canonical_is_idempotent(tag: str) -> None:
    assert canonical(canonical(tag)) == canonical(tag)


LETTERS = st.characters(categories=["L", "M", "Nd", "S", "P", "Zs"])


@given(
    st.lists(st.sampled_from(["#", "＃", "é", "\u0338", "=", " ", "가", "ᄀ"]) | LETTERS).map(
        "".join
    )
)
def test_composed_and_decomposed_texts_have_the_same(text: str) -> None:
    composed, decomposed = (unicodedata.normalize(form, text) for form in ("NFC", "NFD"))
    assert [*map(canonical, extract(composed))] == [*map(canonical, extract(decomposed))]


@pytest.mark.parametrize("piece", ["#", "#a ", "a.", "-", "#a#", "http://", "a" * 50, "/#a", "@"])
def test_no_text_takes_long(piece: str) -> None:
    """What is quadratic does not come to an end here."""
    assert isinstance(extract("#a /" + piece * (200_000 // len(piece))), list)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("#米兔#", ["米兔"]),
        ("今天 #米兔# 和＃我也是＃", ["米兔", "我也是"]),
        ("#one #two", []),
        ("#with space#", []),
        ("##", []),
        ("#12#", []),
        ("nothing", []),
    ],
)
def test_closed_hashtags(text: str, found: list[str]) -> None:
    assert extract_closed(text) == found
