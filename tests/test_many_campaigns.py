"""Two hundred campaigns at once: each has the answers that it has alone.  Texts are invented."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest

from streams.campaigns import Campaign, load
from streams.classify import Classifier, Membership
from streams.posts import Post, Subject
from streams.posts.fields import tags_in
from tests.benchmarks.campaigns import many, merged
from tests.benchmarks.many_campaigns import main

CAMPAIGNS = many(200)
EVERY = Classifier(CAMPAIGNS)
PLAIN = Post(
    *("x:1", "x", "original", None, None, "7", 1_508_098_871_289, "en", None, None, 1, False),
    (),
    "",
)


def post(text: str, **fields: Any) -> Post:
    return msgspec.structs.replace(PLAIN, **({"text": text, "hashtags": tags_in(text)} | fields))


def disguised(text: str) -> str:
    """The same in full-width letters."""
    return "".join(chr(ord(c) + 0xFEE0) if "!" <= c <= "~" else c for c in text)


def posts_of(one: Campaign, other: Campaign, dice: random.Random) -> Iterator[Post]:
    """Posts of a campaign in every way, with something of another one beside it."""
    tag, phrase, call = (
        dice.choice(one.all_hashtags),
        dice.choice(one.all_phrases),
        dice.choice(one.all_calls or ("Nothing is asked of anybody.",)),
    )
    root = one.roots[0]
    stranger = dice.choice(other.all_phrases)
    yield post(f"Good morning #{tag} #{dice.choice(other.all_hashtags)}")
    yield post(phrase)
    yield post(f"{phrase.title()}! {stranger}.")
    yield post(disguised(phrase))
    yield post(f"{stranger} and {phrase} {next(iter(one.context.get('en', ['x'])))}")
    yield post(call)
    yield post(f"Copied. {call[: len(call) * 2 // 3]} {stranger}")
    yield post(disguised(f"{phrase}. {call}"))
    yield post(f"{phrase}, yes", kind="reply", parent=root, root=root)
    yield post("no, never", kind="reply", parent="x:5", root=root)
    yield post("A quiet day", uid=root)
    yield post(call, kind="repost", parent="x:9", subject=Subject("original", None, None))
    yield post("hm", kind="repost", parent="x:9", subject=Subject("reply", root, root))
    yield post(f"{stranger} {tag}")


def test_the_same_answers_as_alone() -> None:
    dice = random.Random(4)
    chosen = [load("metoo"), *dice.sample(CAMPAIGNS, 24)]
    alone = {campaign.name: Classifier([campaign]) for campaign in chosen}
    asked = [
        found for one in chosen for found in posts_of(one, dice.choice(CAMPAIGNS), random.Random(5))
    ]
    members = 0
    for one in asked:
        together: dict[str, Membership] = {m.campaign: m for m in EVERY.classify(one)}
        for name, classifier in alone.items():
            expected = classifier.classify(one)
            assert tuple(filter(None, [together.get(name)])) == expected, one.text
            members += len(expected)
    assert members >= 10 * len(chosen)


def test_campaigns_come_in_the_order_of_the_configuration() -> None:
    tags = " ".join(f"#{campaign.all_hashtags[0]}" for campaign in reversed(CAMPAIGNS[:20]))
    found = [membership.campaign for membership in EVERY.classify(post(tags))]
    assert found == [campaign.name for campaign in CAMPAIGNS[:20]]


def test_a_tag_of_several_campaigns() -> None:
    twins = [msgspec.structs.replace(load("metoo"), name=name) for name in ("b", "a", "c")]
    classifier = Classifier([*twins, merged(CAMPAIGNS[:3])])
    found = classifier.classify(post("Sunday #MeToo"))
    assert [membership.campaign for membership in found] == ["b", "a", "c"]
    assert classifier.is_campaign_tag("metoo")


def test_the_benchmark_runs(capsys: pytest.CaptureFixture[str]) -> None:
    main(["--campaigns", "3", "--posts", "400", "--runs", "1"])
    assert "spread over all" in capsys.readouterr().out
