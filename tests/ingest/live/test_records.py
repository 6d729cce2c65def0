"""Keys, timestamps and headers of live records; how long is waited after a cut."""

from __future__ import annotations

from email.utils import formatdate

import orjson
import pytest

from streams.errors import UserError
from streams.ingest.live.backoff import RANGES, Backoff
from streams.ingest.live.http import failure, retry_after
from streams.ingest.live.records import Recorder
from streams.ingest.live.source import KINDS, Disconnected
from tests.ingest.test_replay import ROOT_MS, status
from tests.posts.samples_bluesky import DID, RKEY, commit, event, post_line

NOW = 1_790_000_000_000
POST_MS = 1_779_719_008_757


def test_a_post() -> None:
    record = Recorder("bluesky", lambda: NOW).record(post_line(), None)
    assert record.key == f"bluesky:{DID}/{RKEY}".encode()
    assert record.timestamp == POST_MS
    assert record.value == post_line()
    assert record.headers == (("platform", b"bluesky"),)


def test_a_delete_has_the_posts_key_and_the_platforms_time() -> None:
    line = orjson.dumps(event(commit(None, operation="delete")))
    record = Recorder("bluesky", lambda: NOW).record(line, POST_MS + 5)
    assert (record.key, record.timestamp) == (f"bluesky:{DID}/{RKEY}".encode(), POST_MS + 5)


def test_a_post_of_the_future_has_the_time_of_its_arrival() -> None:
    recorder = Recorder(None, lambda: ROOT_MS + 1000)
    assert recorder.record(status(1, 253402300799000), None).timestamp == ROOT_MS + 1000
    assert recorder.record(status(2, ROOT_MS), None).timestamp == ROOT_MS
    assert recorder.record(status(3, 0), None).timestamp == ROOT_MS  # that of the one before


def test_what_cannot_be_read_is_passed_on() -> None:
    record = Recorder("x", lambda: NOW).record(b"no json", None)
    assert (record.key, record.value, record.by) == (None, b"no json", b"no json")
    assert record.headers == (("platform", b"x"),)


def test_a_file_says_the_platform_of_each_record() -> None:
    recorder = Recorder(None, lambda: NOW)
    assert recorder.record(status(1, ROOT_MS), None).headers == (("platform", b"x"),)
    assert recorder.record(post_line(), None).headers == (("platform", b"bluesky"),)
    assert recorder.record(b"no json", None).headers == ()


@pytest.mark.parametrize("kind", KINDS)
def test_waits_grow_to_their_limit_and_begin_anew(kind: str) -> None:
    backoff = Backoff()
    first, most = RANGES[kind]
    waits = [backoff.wait(kind) for _ in range(40)]
    assert first / 2 <= waits[0] <= first
    assert all(most / 2 <= wait <= most for wait in waits[12:])
    assert len(set(waits)) > 20
    backoff.succeeded()
    assert backoff.wait(kind) <= first


def test_never_earlier_than_the_platform_asks_and_never_for_days() -> None:
    assert 120 <= Backoff().wait("rate", 120) <= 126
    assert Backoff().wait("http", 1e9) == 3600


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"Retry-After": "17"}, 17),
        ({"retry-after": formatdate(NOW / 1000 + 30, usegmt=True)}, 30),
        ({"x-rate-limit-reset": str(NOW // 1000 + 40)}, 40),
        ({"X-RateLimit-Reset": "2017-10-15T20:21:11.289Z"}, 0),
        ({"Retry-After": "soon", "x-rate-limit-reset": str(NOW // 1000 + 40)}, 40),
        ({"Retry-After": "soon"}, None),
        ({}, None),
    ],
)
def test_how_long_a_platform_asks_to_wait(headers: dict[str, str], seconds: float | None) -> None:
    assert retry_after(headers, NOW / 1000) == seconds


@pytest.mark.parametrize(
    ("code", "kind"), [(429, "rate"), (500, "http"), (503, "http"), (404, "http")]
)
def test_statuses_that_are_waited_out(code: int, kind: str) -> None:
    error = failure(code, {"Retry-After": "3"}, "why")
    assert isinstance(error, Disconnected)
    assert (error.kind, error.retry_after) == (kind, 3.0)


@pytest.mark.parametrize("code", [400, 401, 402, 403])
def test_statuses_that_end_it(code: int) -> None:
    assert isinstance(failure(code, None, "why"), UserError)
