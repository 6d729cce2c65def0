"""What an HTTP status means to a source: wait, or give up."""

from __future__ import annotations

import time
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Final

import aiohttp

from streams.errors import UserError
from streams.ingest.live.source import Disconnected

CONNECT_SECONDS: Final = 15.0  # for a connection to be made
_RESETS: Final = ("x-rate-limit-reset", "x-ratelimit-reset")  # X: unix s; Mastodon: ISO 8601
# What waiting does not mend; the process ends and says so.  Not 404: a path that a proxy loses for
# a moment while a server is started anew.
_REFUSED: Final = frozenset({400, 401, 402, 403})


def failure(
    status: int, headers: Mapping[str, str] | None, detail: str
) -> Disconnected | UserError:
    """What to raise for an answer that is no 2xx."""
    text = f"HTTP {status}: {detail[:300]}"
    if status in _REFUSED:
        return UserError(f"{text}: are the address and the token right, and may it read this?")
    wait = retry_after(headers or {})
    if status == 429:
        return Disconnected("rate", text, wait)
    return Disconnected("http", text, wait)


async def expect_ok(response: aiohttp.ClientResponse) -> None:
    """Raises `Disconnected` or `UserError` unless the answer is a 2xx."""
    if not response.ok:
        body = (await response.content.read(2048)).decode("utf-8", "replace")
        raise failure(
            response.status, response.headers, f"{response.url.with_query(None)}: {body.strip()}"
        )


def retry_after(headers: Mapping[str, str], now: float | None = None) -> float | None:
    """Seconds that the platform asks to wait: `Retry-After` (seconds or a date), else the reset of
    a rate limit that is used up.  None where it does not say.  `now` in unix s."""
    now = time.time() if now is None else now
    lower = {name.lower(): value.strip() for name, value in headers.items()}
    if value := lower.get("retry-after"):
        if value.isdecimal():
            return float(value)
        try:
            return max(0.0, parsedate_to_datetime(value).timestamp() - now)
        except ValueError:
            pass
    for name in _RESETS:
        value = lower.get(name, "")
        if value.isdecimal():
            return max(0.0, float(value) - now)
        try:
            moment = datetime.fromisoformat(value)
        except ValueError:
            continue
        aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        return max(0.0, aware.timestamp() - now)
    return None
