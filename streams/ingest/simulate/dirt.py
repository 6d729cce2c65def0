"""What a real feed carries beside good posts: broken records and control messages."""

from __future__ import annotations

from typing import Any, Final

import orjson

from streams.ingest.simulate.dice import Dice
from streams.ingest.simulate.draft import Draft, snowflake

DEAD: Final = (
    "truncated",
    "syntax",
    "glued",
    "no_json",
    "utf8",
    "surrogate",
    "deep",
    "types",
    "missing",
    "old",
    "future",
)
DEEP: Final = 60_000  # no decoder goes this deep
_NO_JSON: Final = (
    b"<html><head><title>503 Service Unavailable</title></head></html>",
    b"Exceeded connection limit for user",
    b'{"data":',
    b"'",
    b"\x00\x00\x00\x00",
    b"\x1f\x8b\x08\x00\x00\x00\x00\x00",
)
_WRONG: Final[tuple[dict[str, Any], ...]] = (
    {"id_str": [1], "id": [1]},
    {"text": {"full": "text"}},
    {"created_at": 17},
    {"created_at": "yesterday", "timestamp_ms": "yesterday"},
    {"user": "somebody"},
    {"entities": 5},
)
_WRONG_V2: Final[tuple[dict[str, Any], ...]] = (
    {"id": {"low": 1}},
    {"text": ["text"]},
    {"created_at": 17},
    {"created_at": "yesterday"},
    {"author_id": []},
    {"entities": 5},
)
_OLD_MS: Final = 0
_FUTURE_MS: Final = 253402300799000  # 9999-12-31T23:59:59Z


def broken(kind: str, draft: Draft, record: dict[str, Any], dice: Dice) -> bytes:
    """A record that cannot be counted, made of a good one; `kind` is one of `DEAD`."""
    line = orjson.dumps(record)
    core: dict[str, Any] = record.get("data", record)
    match kind:
        case "truncated":
            return line[: 1 + dice.below(len(line) - 1)]
        case "syntax":
            at = line.find(b'":', dice.below(len(line) // 2)) + 1  # behind a key, not in a text
            return line[:at] + line[at + 1 :]
        case "glued":
            return line + line
        case "no_json":
            return dice.pick(_NO_JSON)
        case "utf8":
            return line.replace(b'"text":"', b'"text":"caf\xe9 ', 1)
        case "surrogate":
            return line.replace(b'"text":"', b'"text":"\\ud83d ', 1)
        case "deep":
            return line[:-1] + b',"deep":' + b"[" * DEEP + b"]" * DEEP + b"}"
        case "types":
            core.update(dice.pick(_WRONG if core is record else _WRONG_V2))
        case "missing":
            if dice.chance(0.5):
                core.pop("id_str", None)
                del core["id"]
            else:
                core.pop("timestamp_ms", None)
                del core["created_at"]
        case "old":
            _redate(core, "Thu Jan 01 00:00:00 +0000 1970", "1970-01-01T00:00:00.000Z", _OLD_MS)
        case "future":
            _redate(core, "Fri Dec 31 23:59:59 +0000 9999", "9999-12-31T23:59:59.000Z", _FUTURE_MS)
    return orjson.dumps(record)


def _redate(core: dict[str, Any], classic: str, iso: str, ms: int) -> None:
    if "id_str" in core:
        core["created_at"] = classic
        core["timestamp_ms"] = str(ms)
    else:
        core["created_at"] = iso


def control(now: int, serial: int, dice: Dice) -> bytes:
    """A message of the v1.1 stream that is not a post."""
    number = snowflake(now - dice.below(3_600_000), serial)
    user = 3_000_000 + 37 * dice.below(100_000)
    ids = {"id": number, "id_str": str(number), "user_id": user, "user_id_str": str(user)}
    form = dice.random()
    message: dict[str, Any]
    if form < 0.55:
        message = {"delete": {"status": ids, "timestamp_ms": str(now)}}
    elif form < 0.75:
        message = {"limit": {"track": dice.below(100_000), "timestamp_ms": str(now)}}
    elif form < 0.85:
        message = {
            "scrub_geo": {
                "user_id": user,
                "user_id_str": str(user),
                "up_to_status_id": number,
                "up_to_status_id_str": str(number),
            }
        }
    elif form < 0.92:
        withheld = {"id": number, "user_id": user, "withheld_in_countries": ["DE"]}
        message = {"status_withheld": withheld}
    elif form < 0.96:
        message = {"warning": {"code": "FALLING_BEHIND", "message": "slow", "percent_full": 60}}
    else:
        message = {"disconnect": {"code": 4, "stream_name": "sample", "reason": "restart"}}
    return orjson.dumps(message)
