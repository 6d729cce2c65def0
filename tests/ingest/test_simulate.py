"""The simulated day: the same everywhere, like the real one, and true to its own truth."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from functools import cache
from itertools import pairwise
from pathlib import Path
from random import Random
from typing import Any

import pytest

from streams.campaigns import load
from streams.classify import Classifier
from streams.errors import UsageError
from streams.ingest.simulate import load_scenario, scenario_names, simulate
from streams.ingest.simulate.clock import Clock
from streams.ingest.simulate.dice import Dice
from streams.ingest.simulate.draft import Draft
from streams.ingest.simulate.truth import canonical_tags
from streams.murmur2 import partition_of
from streams.posts import Ignored, Post, Unreadable, decode

POSTS = 20_000
HOUR_MS = 3_600_000
ROOT = 919659438700670976
SCENARIO = load_scenario("metoo-day")
END_MS = SCENARIO.start_ms + 24 * HOUR_MS


@cache
def lines() -> tuple[bytes, ...]:
    return tuple(simulate(SCENARIO, posts=POSTS, seed=7))


@cache
def truth() -> dict[str, Any]:
    day = simulate(SCENARIO, posts=POSTS, seed=7)
    for _ in day:
        pass
    return day.truth.document()


def counted_independently(feed: Iterable[bytes], partitions: int = 1) -> dict[str, Any]:
    """What decoder and classifier make of the lines: nothing of the generator is used here."""
    classifier = Classifier([load("metoo")])
    outcomes: Counter[str] = Counter()
    tags: Counter[str] = Counter()
    names = ("via", "kind", "stance", "lang", "platform", "country")
    dimensions: dict[str, Counter[str]] = {name: Counter() for name in names}
    seen: set[str] = set()
    watermarks = [0] * partitions
    for line in feed:
        outcomes["posts"] += 1
        try:
            post = decode(line)
            if isinstance(post, Post) and post.created_at > END_MS:
                raise Unreadable("future", "")
        except Unreadable:
            outcomes["dead"] += 1
            continue
        if not isinstance(post, Post):
            outcomes["ignored"] += 1
            continue
        partition = partition_of(post.uid.encode(), partitions)
        if post.created_at < watermarks[partition] - 25 * HOUR_MS:
            outcomes["late"] += 1
        elif post.uid in seen:
            outcomes["duplicates"] += 1
        else:
            seen.add(post.uid)
            watermarks[partition] = max(watermarks[partition], post.created_at)
            outcomes["counted"] += 1
            tags.update(post.hashtags)
            for membership in classifier.classify(post):
                for name in names:
                    value = getattr(membership if name in ("via", "stance") else post, name)
                    if value is not None:
                        dimensions[name][value] += 1
    total = sum(dimensions["via"].values())
    counted = ("posts", "counted", "duplicates", "dead", "ignored", "late")
    return {
        **{name: outcomes[name] for name in counted},
        "hashtags": dict(tags),
        "campaigns": {"metoo": {"total": total, **{k: dict(v) for k, v in dimensions.items()}}},
    }


@pytest.mark.parametrize("seed", range(5))
def test_truth_of_other_days(seed: int) -> None:
    day = simulate(SCENARIO, posts=4000, seed=seed)
    assert counted_independently(day) == day.truth.document()


def test_truth_holds_however_the_records_are_spread() -> None:
    """Unkeyed over five raw partitions that are read at different speeds, then 64 by uid."""
    random = Random(1)
    raw = [list(lines()[first::5]) for first in range(5)]
    positions = [0] * 5

    def forwarded() -> Iterator[bytes]:
        while any(position < len(raw[at]) for at, position in enumerate(positions)):
            at = random.randrange(5)
            batch = raw[at][positions[at] : positions[at] + random.randrange(1, 400)]
            positions[at] += len(batch)
            yield from batch

    assert counted_independently(forwarded(), partitions=64) == truth()


def test_truth_is_what_decoder_and_classifier_find() -> None:
    assert counted_independently(lines()) == truth()


def test_every_kind_of_dirt_is_there_and_found() -> None:
    reasons: Counter[str] = Counter()
    ignored: Counter[str] = Counter()
    for line in lines():
        try:
            found = decode(line)
        except Unreadable as error:
            reasons[error.reason] += 1
        else:
            if isinstance(found, Ignored):
                ignored[found.reason] += 1
    assert len(reasons) >= 4, reasons
    assert len(ignored) >= 3, ignored


def test_totals_add_up() -> None:
    document = truth()
    outcomes = ("counted", "duplicates", "dead", "ignored", "late")
    assert document["posts"] == POSTS == sum(document[name] for name in outcomes)
    campaign = document["campaigns"]["metoo"]
    for name in ("via", "kind", "stance", "lang", "platform"):
        assert sum(campaign[name].values()) == campaign["total"], name
    assert sum(campaign["country"].values()) < campaign["total"]
    assert list(document) == sorted(document)
    assert list(document["hashtags"]) == sorted(document["hashtags"])


def test_no_line_has_a_line_end() -> None:
    assert not any(b"\n" in line for line in lines())


def test_same_bytes_in_another_process() -> None:
    """Another hash seed and another locale: neither may matter."""
    program = (
        "import hashlib; from streams.ingest.simulate import *; h = hashlib.sha256();"
        "[h.update(l) for l in simulate(load_scenario('metoo-day'), posts=20000, seed=7)];"
        "print(h.hexdigest())"
    )
    environ = {**os.environ, "PYTHONHASHSEED": "12345", "LC_ALL": "C"}
    root = Path(__file__).parents[2]
    done = subprocess.run(
        [sys.executable, "-c", program], env=environ, cwd=root, capture_output=True, check=True
    )
    assert done.stdout.decode().strip() == hashlib.sha256(b"".join(lines())).hexdigest()


def test_another_seed_is_another_day() -> None:
    one, two = (list(simulate(SCENARIO, posts=500, seed=seed)) for seed in (1, 2))
    assert one != two


@pytest.mark.parametrize("posts", [0, 1, 2, 10, 100, 999])
def test_small_days(posts: int) -> None:
    day = simulate(SCENARIO, posts=posts, seed=1)
    assert len(list(day)) == posts
    assert day.truth.document()["posts"] == posts
    assert day.truth.document()["late"] == 0


def test_a_negative_size_is_refused() -> None:
    with pytest.raises(ValueError, match="negative"):
        simulate(SCENARIO, posts=-1, seed=1)


def test_truth_holds_for_what_was_taken() -> None:
    day = simulate(SCENARIO, posts=POSTS, seed=7)
    taken = tuple(next(day) for _ in range(5000))
    assert day.truth.document() == counted_independently(taken)


def posts_of_the_day() -> list[Post]:
    found = []
    for line in lines():
        try:
            post = decode(line)
        except Unreadable:
            continue
        if isinstance(post, Post) and SCENARIO.start_ms - 1 < post.created_at < END_MS:
            found.append(post)
    return found


def test_no_tag_expires_and_nothing_is_late_by_chance() -> None:
    """All that is counted lies within 24 h, so order and partitions change no outcome."""
    seen: set[str] = set()
    outside = 0
    for line in lines():
        try:
            post = decode(line)
        except Unreadable:
            continue
        if isinstance(post, Post) and not SCENARIO.start_ms <= post.created_at < END_MS:
            outside += 1
            assert post.created_at > END_MS or post.created_at < SCENARIO.start_ms - 72 * HOUR_MS
            assert post.uid not in seen
        elif isinstance(post, Post):
            seen.add(post.uid)
    assert 0 < outside < POSTS * 0.002


def test_redeliveries_count_alike_whichever_comes_first() -> None:
    """Unkeyed records are forwarded in any order: both versions must lead to the same counts."""
    first: dict[str, Post] = {}
    changed = 0
    for post in posts_of_the_day():
        before = first.setdefault(post.uid, post)
        if before is not post:
            changed += 1
            for name in ("kind", "lang", "country", "hashtags", "author_id", "parent"):
                assert getattr(before, name) == getattr(post, name), name
    assert changed == truth()["duplicates"]


def test_shares() -> None:
    day = simulate(SCENARIO, posts=POSTS, seed=7)
    drafts: list[Draft] = []
    add = day.truth.add

    def note(outcome: str, draft: Draft | None = None) -> None:
        add(outcome, draft)
        if draft is not None:
            drafts.append(draft)

    day.truth.add = note  # type: ignore[method-assign]
    for _ in day:
        pass
    n = len(drafts)
    kinds = Counter(draft.kind for draft in drafts)
    assert 0.60 < kinds["repost"] / n < 0.75
    assert 0.06 < kinds["reply"] / n < 0.09
    assert kinds["quote"] / n > 0.02
    assert 0.07 < sum(draft.shown.style == "tags" for draft in drafts) / n < 0.13
    assert 0.65 < sum(draft.via is not None for draft in drafts) / n < 0.85
    assert 0.01 < sum(draft.author.verified for draft in drafts) / n < 0.05
    originals = Counter(
        draft.about.id for draft in drafts if draft.kind == "repost" and draft.about
    )
    top = sum(count for _, count in originals.most_common(101))
    assert top / n > 0.12  # 13 % on the real day's fortnight, more on a smaller day
    assert (
        sum(draft.answers is not None and draft.answers[0] == ROOT for draft in drafts) > 0.03 * n
    )
    v1 = sum(line.startswith(b'{"created_at"') for line in lines())
    assert 0.45 < v1 / POSTS < 0.55
    assert truth()["duplicates"] == pytest.approx(POSTS / 72, rel=0.05)
    assert set(truth()["campaigns"]["metoo"]["via"]) == {
        "hashtag",
        "phrase",
        "call",
        "reply",
        "repost",
    }


def test_the_ramp_at_full_size() -> None:
    times = list(Clock(SCENARIO, 500_000).times(Dice(1)))
    assert len(times) == 500_000
    assert all(earlier <= later for earlier, later in pairwise(times))
    hours = Counter((at - SCENARIO.start_ms) // HOUR_MS + 6 for at in times)
    assert set(hours) == set(range(6, 30))
    assert 14 <= hours[6] <= 22
    assert 250 <= hours[12] <= 340
    assert 82_500 <= hours[22] <= 84_500
    assert max(hours.values()) == hours[22]


def test_the_root_post_is_in_the_day_and_first() -> None:
    at = [post.uid for post in posts_of_the_day()].index(f"x:{ROOT}")
    root = posts_of_the_day()[at]
    assert root.created_at == 1508098871289
    assert all(post.parent != root.uid for post in posts_of_the_day()[:at])


def test_tags_are_the_campaigns() -> None:
    """What the scenario takes for the campaign's and for other people's tags, the campaign does."""
    of_campaign = Classifier([load("metoo")]).is_campaign_tag
    ours = {tag for language in SCENARIO.languages.values() for tag in language.tags}
    for tag in canonical_tags((*sorted(ours), *SCENARIO.tags.metoo)):
        assert of_campaign(tag), tag
    tags = SCENARIO.tags
    for tag in canonical_tags((*tags.co, *tags.other, *tags.lookalike)):
        assert not of_campaign(tag), tag


def test_scenarios() -> None:
    assert "metoo-day" in scenario_names()
    with pytest.raises(UsageError, match=r"there are: .*metoo-day"):
        load_scenario("no-such-day")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("[mix]", "[mix]\nretweet = 0.5", "retweet"),
        ("repost = 0.68", "repost = 1.68", "repost"),
        ('["06:00", 16]', '["6 am", 16]', "6 am"),
        ('["06:00", 16]', '["06:30", 16]', "cover"),
        ('["07:00", 20]', '["06:00", 20]', "ascend"),
        ("hours = 24", "hours = 30", "hours"),
        ("[languages.en]", "[languages.xx]", "languages.en"),
    ],
)
def test_a_scenario_that_cannot_be_used(tmp_path: Path, old: str, new: str, message: str) -> None:
    shipped = Path(__file__).parents[2] / "streams/ingest/scenarios/metoo-day.toml"
    content = shipped.read_text(encoding="utf-8")
    assert old in content
    path = tmp_path / "mine.toml"
    path.write_text(content.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(UsageError, match=message):
        simulate(load_scenario(path), posts=10, seed=1)
