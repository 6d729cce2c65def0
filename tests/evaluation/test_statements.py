"""The evaluation set is well-formed and as broad as its README says, and its scores are right."""

from __future__ import annotations

import re
from collections import Counter

import pytest

from streams.posts import Post, decode
from streams.posts.fields import language
from tests.evaluation import reading
from tests.evaluation.reading import NONE, STANCES, VIAS, Reading, Statement, fit, statements
from tests.posts.samples import ROOT

ALL = statements()
MEMBERS = [statement for statement in ALL if statement.campaign]
LANGUAGES = (
    "en", "es", "fr", "de", "it", "pt", "nl", "sv", "ar", "he", "hi", "ja", "ko", "ru", "tr",
)  # fmt: skip
OTHERS = [statement for statement in ALL if not statement.campaign]


def perfect(statement: Statement) -> Reading:
    return Reading(statement, "en", statement.via or NONE, statement.stance or NONE)


def test_ids_and_posts_are_unique() -> None:
    assert len({s.id for s in ALL}) == len(ALL)
    posts = Counter((s.text, s.kind, s.answers, s.campaign) for s in ALL)
    assert [post for post, times in posts.items() if times > 1] == []


def test_values_are_legal_and_agree() -> None:
    for statement in ALL:
        check(statement)


def check(statement: Statement) -> None:
    assert re.fullmatch(r"[a-z-]+-\d{3}", statement.id), statement
    assert statement.text == statement.text.strip() != "", statement
    assert re.fullmatch(r"[a-z]{2,3}", statement.lang), statement
    assert statement.kind in ("original", "reply", "quote", "repost"), statement
    if statement.kind == "reply":
        assert statement.answers in ("root", "other"), statement
    elif statement.kind != "repost":
        assert statement.answers is None, statement
    if not statement.campaign:
        assert statement.via is None, statement
        assert statement.stance is None, statement
        assert statement.note, statement
        # Each answer to a root post belongs to the campaign.
        assert statement.answers != "root", statement
        return
    assert statement.via in VIAS, statement
    assert statement.stance in STANCES, statement
    if statement.via == "hashtag":
        assert re.search("[#＃]", statement.text), statement
    elif statement.kind == "repost":
        assert statement.via == "repost", statement
    else:
        assert statement.via != "repost", statement
        assert statement.via != "reply" or statement.answers == "root", statement


def test_nobody_real_is_named_or_linked() -> None:
    for statement in ALL:
        for handle in re.findall(r"(?<!\w)@(\w+)", statement.text):
            assert handle.startswith(("example_", "metoo")), statement
        for host in re.findall(r"(?:https?://|www\.)([^/\s]+)", statement.text):
            assert re.fullmatch(r"[a-z]+\.example|example\.(org|com)", host), statement


def test_the_set_is_as_broad_as_promised() -> None:
    assert len(ALL) >= 750
    assert len(OTHERS) >= 170
    assert min(Counter(s.stance for s in MEMBERS)[name] for name in STANCES) >= 40
    assert min(Counter(s.via for s in MEMBERS)[name] for name in VIAS) >= 28
    languages = Counter(language(s.lang) for s in ALL)
    for code in LANGUAGES:
        assert languages[code] >= 20, code
        stances = {s.stance for s in MEMBERS if language(s.lang) == code}
        assert stances == set(STANCES), code
    assert len(languages) >= 24
    assert {s.kind for s in OTHERS} == {s.kind for s in MEMBERS}


def test_half_is_held_back() -> None:
    assert 0.45 <= sum(s.held_back for s in ALL) / len(ALL) <= 0.55
    for name in STANCES:
        of_it = [s.held_back for s in MEMBERS if s.stance == name]
        assert 0.25 <= sum(of_it) / len(of_it) <= 0.75


def test_each_statement_becomes_the_post_that_it_describes() -> None:
    for number, statement in enumerate(ALL):
        post = decode(reading.record(statement, number))
        assert isinstance(post, Post)
        assert (post.kind, post.text) == (statement.kind, statement.text)
        answering = post.subject if post.subject is not None else post
        assert (answering.root == f"x:{ROOT}") == (statement.answers == "root")
        if statement.answers is not None:
            assert answering.kind == "reply"


def test_fit() -> None:
    pairs = [(True, True)] * 3 + [(False, True)] + [(True, False)] * 2 + [(False, False)] * 9
    found = fit(pairs)
    assert found == (0.75, 0.6)
    assert found.f1 == pytest.approx(2 * 3 / (2 * 3 + 1 + 2))
    assert fit([(True, False)]) == (0, 0)
    assert fit([(False, True)]) == (0, 0)
    assert fit([(False, False)]) == (1, 1)
    assert fit([(True, False)]).f1 == 0


def test_a_perfect_reader_meets_every_goal() -> None:
    readings = [perfect(s) for s in ALL]
    assert [goal.score(readings) for goal in reading.GOALS] == [1] * len(reading.GOALS)
    assert reading.goals({"all": readings})[1]
    assert reading.errors(readings) == []


def test_missed_and_false_members_cost_via_and_stance() -> None:
    member = next(s for s in MEMBERS if s.stance == "testimony")
    readings = [
        perfect(member),
        Reading(member, "en", NONE, NONE),
        Reading(OTHERS[0], "en", "phrase", "testimony"),
        perfect(OTHERS[1]),
    ]
    assert reading.membership(readings) == (0.5, 0.5)
    assert reading.via_accuracy(readings) == 0.5
    assert reading.stance_fit(readings, "testimony") == (0.5, 0.5)
    assert reading.macro_f1(readings) == 0.5
    assert len(reading.errors(readings)) == 2
    assert not reading.goals({"all": readings})[1]


def test_the_report_shows_nothing_of_what_is_held_back(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def all_wrong(found: list[Statement], _: object) -> list[Reading]:
        return [Reading(s, s.lang, "reply", NONE) for s in found]

    monkeypatch.setattr(reading, "read", all_wrong)
    assert reading.main(["--errors"]) == 0
    shown = capsys.readouterr().out
    assert reading.main(["--min"]) == 1
    for statement in ALL:
        assert (f"  {statement.id}: " in shown) != statement.held_back
    open_texts = {s.text for s in ALL if not s.held_back}
    for statement in ALL:
        if statement.held_back and statement.text not in open_texts and len(statement.text) > 20:
            assert repr(statement.text) not in shown
