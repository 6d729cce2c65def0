"""Receiver of Facebook's webhooks.

https://developers.facebook.com/docs/graph-api/webhooks/getting-started.  Facebook repeats what is
not answered with 200 for hours, so the answer is the cursor: it is given when Kafka has the
records.  One request may hold many changes; a record is one of them, as
`streams.posts.facebook_feed` reads it, and a request with one change is a record as it is.
Messages to a page are private: they are left out, and counted.

Facebook wants TLS: put an ingress or a proxy with a certificate in front.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import logging
from collections.abc import AsyncGenerator, Sequence
from typing import Final

import msgspec
from pydantic import SecretStr
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from streams.config import FacebookSettings
from streams.errors import UserError
from streams.health import listen, serve
from streams.ingest.live.metrics import IngestObserver
from streams.ingest.live.source import Cursor, Item

log: Final = logging.getLogger(__name__)

_CONCURRENCY: Final = 64  # requests at once; above, 503
_BODY_SECONDS: Final = 10.0  # for a body to arrive
_SIGNATURE: Final = "x-hub-signature-256"
_PRIVATE: Final = ("messaging", "standby")  # of an entry: what people write to a page
_RETRY: Final = {"Retry-After": "60"}


class _Webhook(msgspec.Struct):
    entry: list[dict[str, msgspec.Raw]]
    object: msgspec.Raw = msgspec.Raw(b"null")


_webhook: Final = msgspec.json.Decoder(_Webhook).decode
_changes: Final = msgspec.json.Decoder(list[msgspec.Raw]).decode


class FacebookSource:
    """The receiver; needs `verify_token` and `app_secret`."""

    name = "facebook"
    platform = "facebook"

    def __init__(self, settings: FacebookSettings, observer: IngestObserver) -> None:
        self._settings = settings
        self._observer = observer
        self._verify_token = _secret("verify_token", settings.verify_token)
        self._app_secret = _secret("app_secret", settings.app_secret)
        self._inbox: asyncio.Queue[Item] = asyncio.Queue(1)  # the queue behind it is the buffer
        self.port = settings.port

    async def read(self, cursor: Cursor | None) -> AsyncGenerator[Item, None]:
        """As `Source.read`, without cursors: listens until it is closed."""
        settings = self._settings
        listener = listen(settings.host, settings.port, "ingest.facebook.port")
        routes = [
            Route(settings.path, self._verify, methods=["GET"]),
            Route(settings.path, self._receive, methods=["POST"]),
        ]
        server = serve(listener, Starlette(routes=routes), concurrency=_CONCURRENCY)
        self.port = server.port
        log.info("webhooks on http://%s:%d%s", settings.host, server.port, settings.path)
        self._observer.connected(True)
        try:
            while True:
                yield await self._inbox.get()
        finally:
            await server.stop()

    async def _verify(self, request: Request) -> Response:
        """The verification request: gives the challenge back to who knows the word."""
        query = request.query_params
        given = query.get("hub.verify_token", "").encode()
        known = hmac.compare_digest(given, self._verify_token)
        if not known or query.get("hub.mode") != "subscribe":
            self._observer.requested("bad_signature")
            return PlainTextResponse("verify_token is another one\n", status_code=403)
        self._observer.requested("verified")
        return PlainTextResponse(
            query.get("hub.challenge", "")[:1024], headers={"X-Content-Type-Options": "nosniff"}
        )

    async def _receive(self, request: Request) -> Response:
        try:
            outcome, status, text = await self._outcome(request)
        except ClientDisconnect:
            outcome, status, text = "bad_body", 400, "the body is cut"
        self._observer.requested(outcome)
        return PlainTextResponse(
            f"{text}\n", status_code=status, headers=_RETRY if status == 503 else None
        )

    async def _outcome(self, request: Request) -> tuple[str, int, str]:
        """Metric label, status and text of the answer."""
        try:
            async with asyncio.timeout(_BODY_SECONDS):
                body = await self._body(request)
        except TimeoutError:
            return "bad_body", 408, "the body does not arrive"
        if body is None:
            return "too_large", 413, f"more than {self._settings.max_body} bytes"
        if not self._signed(body, request.headers.get(_SIGNATURE, "")):
            return "bad_signature", 403, "the signature is not of this body"
        try:
            values, private = split(body)
        except msgspec.DecodeError as error:
            return "bad_body", 400, f"no webhook: {error}"
        for _ in range(private):
            self._observer.skipped("private_message", "it was written to a page, not published")
        try:
            async with asyncio.timeout(self._settings.timeout):
                await self._bring(values)
        except TimeoutError:
            return "busy", 503, "Kafka does not take it now: send it again"
        return "accepted", 200, "received"

    async def _body(self, request: Request) -> bytes | None:
        """None where it is too large, whatever its head says of its size."""
        most = self._settings.max_body
        length = request.headers.get("content-length", "0")
        if length.isdecimal() and int(length) > most:
            return None
        body = b""
        async for chunk in request.stream():
            body += chunk
            if len(body) > most:
                return None
        return body

    def _signed(self, body: bytes, header: str) -> bool:
        expected = hmac.new(self._app_secret, body, hashlib.sha256).hexdigest()
        return hmac.compare_digest(header.encode(), f"sha256={expected}".encode())

    async def _bring(self, values: Sequence[bytes]) -> None:
        """Return when Kafka has all of them."""
        loop = asyncio.get_running_loop()
        delivered = []
        for value in values:
            delivered.append(future := loop.create_future())
            await self._inbox.put(Item(value, delivered=future))
        await asyncio.gather(*delivered)


def split(body: bytes) -> tuple[list[bytes], int]:
    """Records of one change each, and how many entries held private messages.

    Raises `msgspec.DecodeError`.  A body that is one record stays as it is, byte for byte.
    """
    webhook = _webhook(body)
    found: list[bytes] = []
    private = 0
    for entry in webhook.entry:
        hidden = any(name in entry for name in _PRIVATE)
        private += hidden
        rest = b",".join(
            b"%b:%b" % (msgspec.json.encode(name), value)
            for name, value in entry.items()
            if name != "changes" and name not in _PRIVATE
        )
        changes = _changes(entry["changes"]) if "changes" in entry else []
        if not hidden and len(webhook.entry) == 1 and len(changes) <= 1:
            return [body], 0
        found += [
            b'{"object":%b,"entry":[{%b"changes":[%b]}]}'
            % (webhook.object, rest and rest + b",", change)
            for change in changes
        ]
        if not hidden and "changes" not in entry:
            found.append(b'{"object":%b,"entry":[{%b}]}' % (webhook.object, rest))
    return found, private


def _secret(key: str, value: SecretStr | None) -> bytes:
    if value is None:
        raise UserError(
            f"the receiver needs ingest.facebook.{key}: put it into a file and set "
            f"ingest.facebook.{key}_file to its path"
        )
    return value.get_secret_value().encode()
