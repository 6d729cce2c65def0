"""An invented hour in which a campaign bursts, as raw posts of X in the order of their time.

A quiet beginning, 200 posts a second for a minute, then as quiet as before: what is above the page
threshold is there within 15 seconds of event time, and gone 5 minutes later.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, Final

import orjson

from streams.campaigns import load

BEGIN: Final = 1_508_101_200  # a whole hour, 39 minutes after the call
QUIET: Final = 12 * 60
LENGTH: Final = 60
RATE: Final = 200
AFTER: Final = 40 * 60

_EPOCH_MS: Final = 1_288_834_974_657
_COUNTRIES: Final = ("US", "GB", "FR")
_LANGS: Final = (("en", "Me too. #MeToo"), ("fr", "Moi aussi. #MeToo"), ("es", "#YoTambien"))
_OPPOSED: Final = "This #MeToo thing is a lie, nobody believes it."
_SPAM: Final = "#MeToo 50% off all watches, buy now https://example.org/shop"
ROOT: Final = "919659438700670976"
# An amplifier's copy of the call, a minute after the beginning; some posts answer it.
_CALLED: Final = 3
_CALL_ID: Final = str(((BEGIN + 60) * 1000 - _EPOCH_MS << 22) + _CALLED)


def lines() -> Iterator[bytes]:
    """One record after another; besides posts of the campaign: neighbours, a repeat, a control
    message and one that cannot be read."""
    number = 0
    for second in range(QUIET + LENGTH + AFTER):
        surge = QUIET <= second < QUIET + LENGTH
        each = RATE if surge else int(second % 20 == 0)
        for n in range(each):
            line = _post(number, (BEGIN + second) * 1000 + n * 1000 // max(each, 1))
            yield line
            if number % 500 == 0:
                yield line  # delivered twice
                yield b'{"limit":{"track":1}}'
                yield b'{"data":{"id":"no number"}}'
            number += 1


def crossing_line(threshold: float, window: int = 300) -> int:
    """Number of the line with which the velocity of the surge reaches a threshold (posts/s)."""
    times: list[int] = []
    for at, line in enumerate(lines()):
        found = orjson.loads(line).get("data", {})
        if "created_at" not in found:
            continue
        seconds = int(datetime.fromisoformat(found["created_at"]).timestamp())
        times.append(seconds)
        if sum(second > seconds - window for second in times[-4000:]) >= threshold * window:
            return at
    raise AssertionError("never crossed")


def _post(number: int, ms: int) -> bytes:
    lang, text = _LANGS[number % 7 % 3]
    seconds, rest = divmod(ms, 1000)
    stamp = datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S") + f".{rest:03}Z"
    tweet: dict[str, Any] = {
        "id": str((ms - _EPOCH_MS << 22) + number % 4096),
        "text": text,
        "author_id": str(number % 5000),
        "created_at": stamp,
        "lang": lang,
        "geo": {"place_id": "p"},
    }
    if number % 11 == 2:
        tweet["text"] = _OPPOSED if number % 2 else _SPAM
    if number % 5 == 1:
        text = "Me too." if number % 2 else "I hear you."
        tweet |= {"text": text, "conversation_id": ROOT}
        tweet["referenced_tweets"] = [{"type": "replied_to", "id": ROOT}]
    elif number % 13 == 5:
        tweet |= {"text": "#MeToo", "conversation_id": _CALL_ID}
        tweet["referenced_tweets"] = [{"type": "replied_to", "id": _CALL_ID}]
    followers = number % 200_001
    if number == _CALLED:
        tweet |= {"text": load("metoo").calls["en"][0], "lang": "en"}
        followers = 500_000
    place = {"id": "p", "country_code": _COUNTRIES[number % 3]}
    users = [{"id": tweet["author_id"], "public_metrics": {"followers_count": followers}}]
    return orjson.dumps({"data": tweet, "includes": {"places": [place], "users": users}})
