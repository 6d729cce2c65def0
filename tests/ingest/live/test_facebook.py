"""The webhook receiver: verification, signatures, sizes, splitting, and when it says 200."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import aiohttp
import orjson
import pytest

from streams.config import FacebookSettings, Settings
from streams.embedded import free_port
from streams.errors import UserError
from streams.ingest.live.backoff import Backoff
from streams.ingest.live.facebook import FacebookSource, split
from streams.ingest.live.follow import follow
from streams.ingest.live.metrics import IngestObserver
from streams.ingest.live.source import Item
from streams.kafka import ensure_topics
from streams.posts import Post, decode
from tests.ingest.live.harness import QUICK, Ingest, metric, records
from tests.posts.samples_facebook import SECONDS, feed_line, line, value, webhook

SECRET = "an invented secret"
WORD = "an invented word"


def signature(body: bytes, secret: str = SECRET) -> dict[str, str]:
    digest = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    return {"X-Hub-Signature-256": f"sha256={digest}", "Content-Type": "application/json"}


def posts(n: int) -> list[bytes]:
    return [feed_line(post_id=f"5550001_{k}", message=f"post {k}") for k in range(n)]


@asynccontextmanager
async def receiver(
    observer: IngestObserver, *, takes: bool = True, **changed: Any
) -> AsyncIterator[tuple[str, list[bytes]]]:
    """Its URL, and what it has received; with `takes` false nothing gets to Kafka."""
    chosen = {"host": "127.0.0.1", "port": 0, "verify_token": WORD, "app_secret": SECRET}
    source = FacebookSource(FacebookSettings(**(chosen | changed)), observer)
    queue: asyncio.Queue[Item] = asyncio.Queue(10)
    found: list[bytes] = []

    async def take() -> None:
        while True:
            item = await queue.get()
            assert item.value is not None
            assert item.delivered is not None
            found.append(item.value)
            item.delivered.set_result(None)

    tasks = [asyncio.create_task(follow(source, None, queue, observer, Backoff(QUICK)))]
    if takes:
        tasks.append(asyncio.create_task(take()))
    try:
        async with asyncio.timeout(10):
            while not observer.is_connected:  # noqa: ASYNC110 - it has no event
                await asyncio.sleep(0.01)
        yield f"http://127.0.0.1:{source.port}/webhooks/facebook", found
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)


async def post(
    http: aiohttp.ClientSession, url: str, body: bytes, headers: dict[str, str] | None = None
) -> int:
    async with http.post(url, data=body, headers=headers or signature(body)) as response:
        return response.status


async def test_verification(
    http: aiohttp.ClientSession, observer: IngestObserver, unique: str
) -> None:
    query = {"hub.mode": "subscribe", "hub.challenge": "1158201444", "hub.verify_token": WORD}
    async with receiver(observer) as (url, _):
        async with http.get(url, params=query) as response:
            assert (response.status, await response.text()) == (200, "1158201444")
        for wrong in ({"hub.verify_token": "ünbekannt"}, {"hub.mode": "unsubscribe"}):
            async with http.get(url, params=query | wrong) as response:
                assert response.status == 403
        async with http.get(url) as response:
            assert response.status == 403
    requests = "streams_ingest_webhook_requests_total"
    assert metric(requests, unique, outcome="verified") == 1
    assert metric(requests, unique, outcome="bad_signature") == 3


async def test_one_change_is_a_record_as_it_is(
    http: aiohttp.ClientSession, observer: IngestObserver
) -> None:
    (body,) = posts(1)
    async with receiver(observer) as (url, found):
        assert await post(http, url, body) == 200
        assert found == [body]


async def test_a_bad_signature_is_refused(
    http: aiohttp.ClientSession, observer: IngestObserver, unique: str
) -> None:
    (body,) = posts(1)
    good = signature(body)["X-Hub-Signature-256"]
    wrong = [
        signature(body, "another secret"),
        signature(body + b" "),
        {"X-Hub-Signature-256": good.removeprefix("sha256=")},
        {"X-Hub-Signature-256": good.upper()},
        {"X-Hub-Signature-256": "sha256=\u00e9"},
        {"X-Hub-Signature-256": ""},
        {"X-Hub-Signature": good},
    ]
    async with receiver(observer) as (url, found):
        for headers in wrong:
            assert await post(http, url, body, headers) == 403
        assert found == []
    outcome = metric("streams_ingest_webhook_requests_total", unique, outcome="bad_signature")
    assert outcome == len(wrong)


async def test_a_large_body_is_refused_whatever_its_head_says(
    http: aiohttp.ClientSession, observer: IngestObserver, unique: str
) -> None:
    body = b" " * 5000

    async def chunks() -> AsyncIterator[bytes]:
        for start in range(0, len(body), 500):
            yield body[start : start + 500]

    async with receiver(observer, max_body=4096) as (url, found):
        with suppress(aiohttp.ClientError):  # it may hang up before all is sent
            assert await post(http, url, body) == 413
        with suppress(aiohttp.ClientError):
            async with http.post(url, data=chunks(), headers=signature(body)) as response:
                assert response.status == 413
        assert await post(http, url, posts(1)[0]) == 200
        assert len(found) == 1
    assert metric("streams_ingest_webhook_requests_total", unique, outcome="too_large") == 2


@pytest.mark.parametrize("body", [b"", b"no json", b"[]", b'{"entry":{}}', b'{"object":"page"}'])
async def test_what_is_no_webhook(
    http: aiohttp.ClientSession, observer: IngestObserver, body: bytes
) -> None:
    async with receiver(observer) as (url, found):
        assert await post(http, url, body) == 400
        assert found == []


async def test_no_200_before_kafka_has_it(
    http: aiohttp.ClientSession, observer: IngestObserver, unique: str
) -> None:
    (body,) = posts(1)
    async with (
        receiver(observer, takes=False, timeout=0.2) as (url, _),
        http.post(url, data=body, headers=signature(body)) as response,
    ):
        assert response.status == 503
        assert response.headers["Retry-After"] == "60"
    assert metric("streams_ingest_webhook_requests_total", unique, outcome="busy") == 1


class TestSplitting:
    def test_many_changes_are_many_records(self) -> None:
        values = [value(post_id=f"5550001_{k}") for k in range(5)]
        body = webhook(*values[:3])
        body["entry"] += webhook(*values[3:], time=SECONDS + 9)["entry"]
        found, private = split(line(body))
        assert private == 0
        decoded = [decode(one, "facebook") for one in found]
        assert all(isinstance(one, Post) for one in decoded)
        assert [one.uid for one in decoded if isinstance(one, Post)] == [
            f"facebook:5550001_{k}" for k in range(5)
        ]
        first, last = orjson.loads(found[0]), orjson.loads(found[-1])
        assert first == webhook(values[0])
        assert last["entry"][0]["time"] == SECONDS + 9

    def test_numbers_and_letters_stay_as_they_are(self) -> None:
        change = b'{"field":"feed","value":{"n":1.50e3,"t":"\\u00e9"}}'
        body = b'{"entry":[{"id":"1","changes":[%b,%b]}],"object":"page"}' % (change, change)
        found, _ = split(body)
        assert found == [b'{"object":"page","entry":[{"id":"1","changes":[%b]}]}' % change] * 2

    def test_private_messages_are_left_out(self) -> None:
        message = {"id": "5550001", "time": SECONDS, "messaging": [{"message": {"text": "help"}}]}
        body = webhook(value())
        body["entry"].append(message)
        found, private = split(line(body))
        assert private == 1
        assert len(found) == 1
        assert b"help" not in found[0]
        assert split(line({"object": "page", "entry": [message]})) == ([], 1)


def test_secrets_are_needed(observer: IngestObserver) -> None:
    with pytest.raises(UserError, match="app_secret_file"):
        FacebookSource(FacebookSettings(verify_token=WORD), observer)


async def test_a_killed_process_loses_nothing(
    settings: Settings, unique: str, tmp_path: Path, http: aiohttp.ClientSession
) -> None:
    """Slow: two processes, the first is killed.  Facebook repeats what had no 200, and so does
    this."""
    await ensure_topics(settings.kafka)
    bodies = posts(300)
    port = free_port()
    secret, word = tmp_path / "secret", tmp_path / "word"
    secret.write_text(SECRET)
    word.write_text(WORD)
    ingest = Ingest(
        settings, unique, tmp_path, "facebook",
        FACEBOOK__HOST="127.0.0.1", FACEBOOK__PORT=str(port),
        FACEBOOK__APP_SECRET_FILE=str(secret), FACEBOOK__VERIFY_TOKEN_FILE=str(word),
    )  # fmt: skip
    url = f"http://127.0.0.1:{port}/webhooks/facebook"
    await ingest.start()
    acknowledged: set[bytes] = set()
    some = asyncio.Event()

    async def send(body: bytes) -> None:
        while body not in acknowledged:
            try:
                if await post(http, url, body) == 200:
                    acknowledged.add(body)
                    if len(acknowledged) == 60:
                        some.set()
            except aiohttp.ClientError:
                await asyncio.sleep(0.05)

    async def send_all() -> None:
        for start in range(0, len(bodies), 20):
            await asyncio.gather(*map(send, bodies[start : start + 20]))

    sending = asyncio.create_task(send_all())
    async with asyncio.timeout(60):
        await some.wait()
    await ingest.kill()
    assert acknowledged <= {record.value for record in await records(settings)}
    assert len(acknowledged) < len(bodies)
    await ingest.start()
    async with asyncio.timeout(60):
        await sending
    assert await ingest.stop() == 0
    found = await records(settings)
    assert {record.value for record in found} == set(bodies)
    assert {record.key for record in found} == {b"facebook:5550001_%d" % k for k in range(300)}
