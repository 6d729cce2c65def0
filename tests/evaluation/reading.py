"""How well statements are read: `python -m tests.evaluation.reading [--errors] [--min]`.

Each hand-written statement (see statements/README.md) is made a record of X and goes the way of
every post: `decode`, then `Classifier` with the shipped campaign.  Printed are the scores of two
halves.  The open half is for those who write rules: `--errors` lists what is misread.  The other is
held back: scores only, never a text or an id, so that rules cannot be fitted to it.
"""

from __future__ import annotations

import argparse
import hashlib
import html
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

import msgspec

from streams.campaigns import load
from streams.classify import Classifier
from streams.posts import Post, decode
from tests.posts.samples import ROOT, v2, v2_line

CAMPAIGN: Final = "metoo"
FOLDER: Final = Path(__file__).parent / "statements"
VIAS: Final = ("hashtag", "phrase", "call", "reply", "repost")
STANCES: Final = ("testimony", "support", "call", "news", "opposition", "spam", "unclear")
NONE: Final = "-"  # in tables: no membership

_OTHER: Final = "1919660650000000003"  # what is answered or quoted where it is not the root
_SHOWN: Final = "1919660650000000005"  # what a repost shows
_CUT: Final = 280  # characters: longer posts come with a note, reposts without


class Statement(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One invented post, and what a careful reader says of it.

    `answers` says of a reply (of a repost: of the reply that it shows) whose post it answers.
    `via` and `stance` are None, and `campaign` false, where it is no member.
    """

    id: str
    text: str
    lang: str  # as the platform gives it: "iw" for Hebrew, "und", "qht"
    kind: str  # original | reply | quote | repost
    answers: str | None  # root | other
    campaign: bool
    via: str | None
    stance: str | None
    note: str = ""  # why, where it is hard; every statement outside of the campaign has one

    @property
    def held_back(self) -> bool:
        """Half of all, decided by the id alone."""
        return bool(hashlib.blake2b(self.id.encode(), digest_size=1).digest()[0] & 1)


class Reading(NamedTuple):
    """A statement beside what the program says: `via` and `stance`, `-` where it sees no member."""

    statement: Statement
    lang: str  # as decoded
    via: str
    stance: str

    @property
    def true_via(self) -> str:
        return self.statement.via or NONE

    @property
    def true_stance(self) -> str:
        return self.statement.stance or NONE


class Goal(NamedTuple):
    name: str
    least: float
    score: Callable[[Sequence[Reading]], float]


class Fit(NamedTuple):
    """Precision, recall and F1 of one class, 0-1: 1 where nothing is to find and nothing found."""

    precision: float
    recall: float

    @property
    def f1(self) -> float:
        total = self.precision + self.recall
        return 2 * self.precision * self.recall / total if total else 0.0


def statements(folder: Path = FOLDER) -> list[Statement]:
    """All of them, in the order of files and lines."""
    decoder = msgspec.json.Decoder(Statement)
    return [
        decoder.decode(line)
        for path in sorted(folder.glob("*.jsonl"))
        for line in path.read_bytes().splitlines()
    ]


def record(statement: Statement, number: int) -> bytes:
    """A line of X's filtered stream, v2, of the statement.  `number` tells posts apart."""
    own = {"id": str(1919660651000000000 + number), "lang": statement.lang}
    if statement.kind != "repost":
        return v2_line(v2(**own, **_content(statement)))
    shown = v2(id=_SHOWN, author_id="2002", lang=statement.lang, **_content(statement))
    head = f"RT @example: {shown['text']}"
    text = head if len(head) <= 140 else head[:139] + "…"
    about = [{"type": "retweeted", "id": _SHOWN}]
    return v2_line(v2(**own, text=text, referenced_tweets=about), tweets=[shown])


def _content(statement: Statement) -> dict[str, Any]:
    """Text and references; X escapes &, < and > in its texts."""
    text = html.escape(statement.text, quote=False)
    fields: dict[str, Any] = {"text": text}
    if len(text) > _CUT:
        fields = {"text": text[: _CUT - 1] + "…", "note_tweet": {"text": text}}
    if statement.answers is not None:
        parent = ROOT if statement.answers == "root" else _OTHER
        fields["conversation_id"] = parent
        fields["referenced_tweets"] = [{"type": "replied_to", "id": parent}]
    elif statement.kind == "quote":
        fields["referenced_tweets"] = [{"type": "quoted", "id": _OTHER}]
    return fields


def read(all_of_them: Iterable[Statement], classifier: Classifier) -> list[Reading]:
    """What the program says of each."""
    readings = []
    for number, statement in enumerate(all_of_them):
        post = decode(record(statement, number))
        if not isinstance(post, Post) or post.kind != statement.kind:
            raise AssertionError(f"{statement.id} did not become a {statement.kind}: {post}")
        found = [member for member in classifier.classify(post) if member.campaign == CAMPAIGN]
        via, stance = (found[0].via, found[0].stance) if found else (NONE, NONE)
        readings.append(Reading(statement, post.lang, via, stance))
    return readings


def membership(readings: Sequence[Reading]) -> Fit:
    return fit((reading.true_via != NONE, reading.via != NONE) for reading in readings)


def via_accuracy(readings: Sequence[Reading]) -> float:
    """Share of the campaign's statements that are found, and by the right way."""
    members = [reading for reading in readings if reading.true_via != NONE]
    return sum(r.via == r.true_via for r in members) / len(members) if members else 1.0


def stance_fit(readings: Sequence[Reading], stance: str) -> Fit:
    """Over all statements: a member that is missed costs recall, a false one precision."""
    return fit((reading.true_stance == stance, reading.stance == stance) for reading in readings)


def macro_f1(readings: Sequence[Reading]) -> float:
    """Mean F1 of the stances that occur."""
    occurring = [name for name in STANCES if any(r.true_stance == name for r in readings)]
    return sum(stance_fit(readings, name).f1 for name in occurring) / len(occurring or "1")


def fit(pairs: Iterable[tuple[bool, bool]]) -> Fit:
    """From pairs of (is, is said to be)."""
    cells = Counter(pairs)
    hits, false, missed = cells[True, True], cells[False, True], cells[True, False]
    if not hits:
        # Nothing found is no precision, unless there was nothing to find.
        nothing = float(not missed and not false)
        return Fit(nothing, nothing)
    return Fit(hits / (hits + false), hits / (hits + missed))


GOALS: Final = (
    Goal("membership precision", 0.98, lambda readings: membership(readings).precision),
    Goal("membership recall", 0.95, lambda readings: membership(readings).recall),
    Goal("via accuracy", 0.95, via_accuracy),
    Goal("testimony precision", 0.90, lambda r: stance_fit(r, "testimony").precision),
    Goal("testimony recall", 0.85, lambda r: stance_fit(r, "testimony").recall),
    Goal("stance macro-F1", 0.80, macro_f1),
)


def goals(halves: dict[str, list[Reading]]) -> tuple[list[str], bool]:
    """A table of the goals, and whether each is met in each half."""
    lines = [f"{'goal':<22}{'at least':>9}" + "".join(f"{name:>16}" for name in halves)]
    all_met = True
    for goal in GOALS:
        line = f"{goal.name:<22}{goal.least:>9.2f}"
        for readings in halves.values():
            score = goal.score(readings)
            all_met &= score >= goal.least
            line += f"{score:>9.3f} {'met' if score >= goal.least else 'missed':<6}"
        lines.append(line)
    return lines, all_met


def details(readings: Sequence[Reading]) -> list[str]:
    """Scores of each stance, both confusion matrices, and scores of each language."""
    lines = [f"  {'stance':<12}{'n':>5}{'precision':>11}{'recall':>8}{'F1':>7}"]
    for name in STANCES:
        found = stance_fit(readings, name)
        number = sum(reading.true_stance == name for reading in readings)
        precision, recall = found.precision, found.recall
        lines.append(f"  {name:<12}{number:>5}{precision:>11.3f}{recall:>8.3f}{found.f1:>7.3f}")
    lines += ["", *confusion("stance", STANCES, [(r.true_stance, r.stance) for r in readings])]
    lines += ["", *confusion("via", VIAS, [(r.true_via, r.via) for r in readings])]
    lines += ["", f"  {'lang':<6}{'n':>5}{'membership P':>14}{'R':>7}{'via':>7}{'stance F1':>11}"]
    by_lang: dict[str, list[Reading]] = {}
    for reading in readings:
        by_lang.setdefault(reading.lang, []).append(reading)
    for lang, group in sorted(by_lang.items(), key=lambda item: (-len(item[1]), item[0])):
        member, via, macro = membership(group), via_accuracy(group), macro_f1(group)
        lines.append(
            f"  {lang:<6}{len(group):>5}{member.precision:>14.3f}{member.recall:>7.3f}"
            f"{via:>7.3f}{macro:>11.3f}"
        )
    return lines


def confusion(title: str, names: Sequence[str], pairs: Iterable[tuple[str, str]]) -> list[str]:
    """Rows: what it is; columns: what is said."""
    cells = Counter(pairs)
    columns = (*names, NONE)
    lines = [f"  {title + ' (row) read as':<20}" + "".join(f"{name[:9]:>11}" for name in columns)]
    for true in columns:
        counts = "".join(f"{cells[true, said] or '.':>11}" for said in columns)
        lines.append(f"  {true:<20}{counts}")
    return lines


def errors(readings: Sequence[Reading]) -> list[str]:
    """What is misread, one line each."""
    return [
        f"  {reading.statement.id}: {reading.true_via}/{reading.true_stance} read as "
        f"{reading.via}/{reading.stance}: {reading.statement.text!r}"
        + (f" ({reading.statement.note})" if reading.statement.note else "")
        for reading in readings
        if (reading.via, reading.stance) != (reading.true_via, reading.true_stance)
    ]


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the report.  1 where `--min` is given and a half misses a goal, else 0."""
    parser = argparse.ArgumentParser(prog="reading", description="How well statements are read.")
    parser.add_argument("--errors", action="store_true", help="list the open half's errors")
    parser.add_argument("--min", action="store_true", help="exit 1 when a goal is missed")
    options = parser.parse_args(arguments)

    readings = read(statements(), Classifier([load(CAMPAIGN)]))
    halves = {
        "open": [reading for reading in readings if not reading.statement.held_back],
        "held back": [reading for reading in readings if reading.statement.held_back],
    }
    table, all_met = goals(halves)
    lines = list(table)
    for name, half in halves.items():
        lines += ["", f"{name}: {len(half)} statements", *details(half)]
    if options.errors:
        wrong = errors(halves["open"])
        lines += ["", f"open: {len(wrong)} misread", *wrong]
    sys.stdout.write("\n".join(lines) + "\n")
    return 1 if options.min and not all_met else 0


if __name__ == "__main__":
    sys.exit(main())
