"""HTML of posts, to what a reader sees."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.posts.html_text import html_text

LINK = (
    '<a href="https://example.org/a/long/path" rel="nofollow noopener" translate="no">'
    '<span class="invisible">https://</span><span class="ellipsis">example.org/a/l</span>'
    '<span class="invisible">ong/path</span></a>'
)
HASHTAG = '<a href="https://social.example/tags/b" class="mention hashtag">#<span>b</span></a>'
MENTION = '<span class="h-card"><a href="https://o.example/@bo" class="u-url">@<span>bo</span></a>'


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ("<p>One</p>", "One"),
        ("<p>I &amp; you, it&#39;s &lt;b&gt;</p>", "I & you, it's <b>"),
        ("no HTML", "no HTML"),
        ("", ""),
        ("<p></p>", ""),
        (" <p> a </p> ", "a"),
        ("<p>One<br>two<br/>three<br />four</p>", "One\ntwo\nthree\nfour"),
        ("<p>One</p><p>two</p>", "One\n\ntwo"),
        ("<p>One</p><blockquote><p>two</p></blockquote><p>three</p>", "One\n\ntwo\n\n\n\nthree"),
        ("<ul><li>One</li><li>two</li></ul>", "One\ntwo"),
        (f"<p>See {LINK}</p>", "See https://example.org/a/long/path"),
        (f"<p>a {HASHTAG}</p>", "a #b"),
        (f"<p>{MENTION}</span> hi</p>", "@bo hi"),
        ('<p class="quote-inline">RE: <a href="https://o.example/1">link</a></p><p>x</p>', "x"),
        ("<p>one<b>two</b>three</p>", "onetwothree"),
        ("<p>&nbsp;&#128512;&unknown;</p>", "😀&unknown;"),
        # not as any server writes it
        ("<p>unclosed <br", "unclosed"),
        ("a < b", "a < b"),
        ("<frameset></frameset>", ""),
        ("<p>&#xD800;</p>", "\ufffd"),
        ("<p>\x00<b>x", "x"),
    ],
)
def test_text(content: str, text: str) -> None:
    assert html_text(content) == text


def test_long_and_deep_html_is_cut() -> None:
    assert html_text("<p>" + "<b>x</b> " * 20_000).startswith("x x x")
    assert html_text("<div>" * 200_000 + "x") == ""
    assert len(html_text("x" * 200_000)) == 200_000


def test_the_same_html_is_the_same_text_again() -> None:
    for _ in range(2):
        assert html_text("<p>a<br>b</p>") == "a\nb"


PIECES = st.lists(
    st.sampled_from(["<p>", "</p>", "<br", "<", ">", "&", "#a", "&#x", "</", "<!--", '"', "\x00"])
    | st.text(max_size=3),
    max_size=8,
)


@given(PIECES)
def test_no_html_escapes(pieces: list[str]) -> None:
    html_text("".join(pieces)).encode()


USUAL = st.lists(
    st.sampled_from(
        [
            *("<p>", "</p>", "<br>", "<br />", "<br/>", "</span>", "</a>", LINK, HASHTAG, MENTION),
            *('<span class="a b">', '<a href="x?a=1&amp;b=2" rel>', "<p lang='en'>"),
            *(
                "&amp;",
                "&lt;",
                "&gt;",
                "&quot;",
                "&#39;",
                "&nbsp;",
                "&#128512;",
                "a",
                " é 😀 ",
                "\n",
            ),
        ]
    ),
    max_size=8,
)


@given(USUAL)
def test_the_short_way_says_what_the_parser_says(pieces: list[str]) -> None:
    """Any tag that is not Mastodon's own takes the long way."""
    html = "x".join(pieces)
    assert html_text(f"x{html}x") == html_text(f"x{html}x<i></i>")
