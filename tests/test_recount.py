"""What a recount cuts, names and shows; see tests/integration/test_recount.py for the rest."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from streams.errors import UsageError
from streams.increments import STAYS, Result
from streams.kept import Chunk, Kept
from streams.keys import US
from streams.recount.cut import nothing_but_uids, of_campaign, parse_since, version_id
from streams.recount.progress import Progress

SEEN = {"seen:418933:x:7": ["919659438700670976"]}


def result() -> Result:
    return Result(
        {("x", "counted"): 1},
        seen=SEEN,
        reasons={"json": 1},
        incr={
            "outcomes": {f"x{US}counted": 1},
            "tags": {"metoo": 1},
            "b:60:60": {"metoo": 1},
            "campaigns": {f"me{US}total{US}": 1, f"metoo{US}total{US}": 2},
            "cb:60:60": {f"me{US}total{US}": 1, f"metoo{US}total{US}": 2},
            "cb:60:120": {f"metoo{US}total{US}": 2},
            "cb:replies:1": {f"me{US}x:2": 1, f"metoo{US}x:2": 2},
        },
        tags={"metoo": (STAYS, -1)},
        authors={
            f"u:60:60:c{US}me": ["a"],
            f"u:60:60:c{US}metoo": ["b"],
            f"u:60:60:h{US}me": ["c"],
        },
        first={f"me{US}lang{US}en": 1, f"metoo{US}lang{US}en": 2},
        notes={
            "a:1": {f"me{US}x:1": "n"},
            "a:2": {f"metoo{US}x:1": "n"},
            "a:calls:1": {f"me{US}x:1": "9", f"metoo{US}x:1": "9"},
        },
        expire={
            "seen:418933:x:7": 9,
            "b:60:60": 9,
            "cb:60:60": 9,
            "cb:60:120": 9,
            "cb:replies:1": 9,
            "a:1": 9,
            "a:2": 9,
            "a:calls:1": 9,
            f"u:60:60:c{US}me": 9,
            f"u:60:60:c{US}metoo": 9,
            f"u:60:60:h{US}me": 9,
        },
        kept=Kept(9, 0, 9, [Chunk(f"me{US}", 1, 1, b"x"), Chunk(f"metoo{US}", 1, 1, b"y")]),
    )


def test_a_batch_is_cut_down_to_one_campaign() -> None:
    """Also where the campaign's name begins another one's."""
    cut = of_campaign(result(), "me")
    assert cut.seen == SEEN
    assert cut.outcomes == cut.reasons == cut.tags == {}
    assert cut.incr == {
        "campaigns": {f"me{US}total{US}": 1},
        "cb:60:60": {f"me{US}total{US}": 1},
        "cb:replies:1": {f"me{US}x:2": 1},
    }
    assert cut.authors == {f"u:60:60:c{US}me": ["a"]}
    assert cut.first == {f"me{US}lang{US}en": 1}
    assert cut.notes == {"a:1": {f"me{US}x:1": "n"}, "a:calls:1": {f"me{US}x:1": "9"}}
    buckets = {"cb:60:60", "cb:replies:1", "a:1", "a:calls:1", f"u:60:60:c{US}me"}
    assert set(cut.expire) == {"seen:418933:x:7", *buckets}
    assert cut.kept is not None
    assert [chunk.list for chunk in cut.kept.chunks] == [f"me{US}"]


def test_of_a_campaign_without_posts_uids_stay() -> None:
    assert of_campaign(result(), "other") == nothing_but_uids(result())
    assert nothing_but_uids(result()) == Result({}, seen=SEEN, expire={"seen:418933:x:7": 9})


def test_versions_are_told_apart_by_all_that_counts() -> None:
    ids = {
        version_id("0.1", "1+a", 5, 0),
        version_id("0.2", "1+a", 5, 0),
        version_id("0.1", "1+b", 5, 0),
        version_id("0.1", "1+a", 6, 0),
        version_id("0.1", "1+a", 5, 1),
    }
    assert len(ids) == 5
    assert version_id("0.1", "1+a", 5, 0) in ids


def test_times() -> None:
    now = 1_508_200_000.0
    assert parse_since("2017-10-15T20:21:00Z", now) == 1_508_098_860_000
    assert parse_since("2017-10-15T20:21:00", now) == 1_508_098_860_000
    assert parse_since("2017-10-15T22:21:00+02:00", now) == 1_508_098_860_000
    assert parse_since("2017-10-15", now) == 1_508_025_600_000
    for text, reason in (
        ("yesterday", "is no time"),
        ("2017-10-18", "in the future"),
        ("1969-10-18", "before 1970"),
    ):
        with pytest.raises(UsageError, match=reason):
            parse_since(text, now)


@dataclass
class Part:
    done: bool
    waits_for: str | None
    offset: int
    target: int
    time: int


@pytest.mark.parametrize("terminal", [False, True])
def test_progress_is_plain_where_nobody_looks(*, terminal: bool) -> None:
    said: list[str] = []
    clock = iter(range(0, 1000, 10))
    parts = [Part(True, None, 9, 9, 0), Part(False, None, 1000, 3500, 1_508_098_860_000)]
    progress = Progress(
        "also 1",
        parts,
        terminal=terminal,
        now=lambda: float(next(clock)),
        echo=lambda line, nl: said.append(line + "\n" * nl),
    )
    progress.show()
    progress.show()  # nothing new
    parts[1] = Part(False, "a worker", 3500, 3500, 0)
    progress.show()
    parts[1] = Part(True, None, 3500, 3500, 0)
    progress.end()
    lines = [
        "also 1: 1 of 2 partitions swapped, 2,500 records to read, at 2017-10-15 20:21 UTC",
        "also 1: 1 of 2 partitions swapped; waiting for a worker",
        "also 1: counted again, 2 partitions swapped",
    ]
    if terminal:
        assert said == [f"\r\x1b[2K{line}" + "\n" * (line == lines[-1]) for line in lines]
    else:
        assert said == [f"{line}\n" for line in lines]
