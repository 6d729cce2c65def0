"""Settings of `streams ingest`: the live sources, and what they share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, Field, SecretStr, model_validator

from streams.config.base import Names, Port, Section, Topic, not_empty, read_secret
from streams.config.quantities import Bytes, Seconds

_HTTP = r"^https?://[^\s/]+[^\s]*$"


def _websockets(urls: tuple[str, ...]) -> tuple[str, ...]:
    for url in urls:
        if not url.startswith(("ws://", "wss://")):
            raise ValueError(f"{url!r} is no ws:// or wss:// address")
    return urls


class JetstreamSettings(Section):
    """Bluesky's Jetstream: https://github.com/bluesky-social/jetstream."""

    urls: Annotated[Names, AfterValidator(_websockets), AfterValidator(not_empty)] = Field(
        (
            "wss://jetstream2.us-east.bsky.network/subscribe",
            "wss://jetstream1.us-west.bsky.network/subscribe",
        ),
        description="where it is; after a cut the next one is taken (cursors are times)",
    )
    collections: Annotated[Names, AfterValidator(not_empty)] = Field(
        ("app.bsky.feed.post", "app.bsky.feed.repost"), description="`wantedCollections`"
    )
    dictionary: Path | None = Field(
        None,
        description="Jetstream's zstd dictionary (models/zstd_dictionary of its repository): "
        "events then come compressed with it; without, the web socket's own compression is asked",
    )
    timeout: Seconds = Field(
        30.0,
        gt=0,
        le=600,
        description="silent for so long, pings unanswered: the connection is cut",
    )


class MastodonSettings(Section):
    """The streaming API of one server: https://docs.joinmastodon.org/methods/streaming."""

    url: str = Field("https://mastodon.social", pattern=_HTTP, description="the server")
    streaming_url: str | None = Field(
        None, pattern=_HTTP, description="where it streams, if that is another host"
    )
    stream: Literal["public", "public:local", "public:remote", "hashtag", "hashtag:local"] = Field(
        "public:local", description="which posts; `hashtag…` needs `hashtag`"
    )
    hashtag: str | None = Field(
        None, min_length=1, pattern=r"^[^\s#/?&]+$", description="without #"
    )
    token: SecretStr | None = Field(None, description="access token; most servers ask for one")
    token_file: Path | None = Field(None, description="file with the access token")
    timeout: Seconds = Field(
        45.0, gt=0, le=600, description="silent for so long (heartbeats come every 15 s): cut"
    )
    backfill: int = Field(
        10_000, ge=0, le=1_000_000, description="posts read of the timeline after a cut, at most"
    )

    @model_validator(mode="before")
    @classmethod
    def _secrets(cls, data: Any) -> Any:
        return read_secret(data, "token")

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.stream.startswith("hashtag") != (self.hashtag is not None):
            raise ValueError("hashtag and a stream hashtag… go together: set both or none")
        return self


class XSettings(Section):
    """X's filtered stream: https://docs.x.com/x-api/posts/filtered-stream/introduction."""

    url: str = Field("https://api.x.com", pattern=_HTTP, description="the API")
    token: SecretStr | None = Field(None, description="the app's bearer token")
    token_file: Path | None = Field(None, description="file with the bearer token")
    phrases: bool = Field(
        True, description="rules for bare phrases, too: they find more, and cost more posts"
    )
    rules: int = Field(25, ge=1, le=100_000, description="rules that the account may have")
    rule_length: int = Field(512, ge=64, le=4096, description="characters that a rule may have")
    rules_interval: Seconds = Field(
        60.0, gt=0, le=86_400, description="between two looks at the campaign files"
    )
    backfill: bool = Field(
        True, description="ask for up to 5 minutes that a cut took (not on every account)"
    )
    timeout: Seconds = Field(
        25.0, gt=0, le=600, description="silent for so long (heartbeats come every 20 s): cut"
    )

    @model_validator(mode="before")
    @classmethod
    def _secrets(cls, data: Any) -> Any:
        return read_secret(data, "token")


class FacebookSettings(Section):
    """Receiver of Facebook's webhooks: https://developers.facebook.com/docs/graph-api/webhooks."""

    host: str = Field("0.0.0.0", min_length=1, description="address to listen on")  # noqa: S104 - Facebook comes from outside
    port: Port = Field(9403, description="port of the receiver; 0 takes a free one and prints it")
    path: str = Field("/webhooks/facebook", pattern=r"^/\S*$", description="path of the receiver")
    verify_token: SecretStr | None = Field(None, description="the word of the verification request")
    verify_token_file: Path | None = Field(None, description="file with that word")
    app_secret: SecretStr | None = Field(None, description="signs what Facebook sends")
    app_secret_file: Path | None = Field(None, description="file with the app's secret")
    max_body: Bytes = Field(
        2**20, ge=1024, le=2**26, description="largest request; a larger one is refused"
    )
    timeout: Seconds = Field(
        15.0, gt=0, le=60, description="not in Kafka after so long: refused, Facebook repeats it"
    )

    @model_validator(mode="before")
    @classmethod
    def _secrets(cls, data: Any) -> Any:
        return read_secret(read_secret(data, "verify_token"), "app_secret")


class IngestSettings(Section):
    """`streams ingest`: `/metrics`, `/healthz`, `/readyz`, and the sources."""

    host: str = Field("0.0.0.0", min_length=1, description="address to listen on")  # noqa: S104 - as the worker's
    port: Port = Field(9402, description="port; 0 takes a free one and prints it")
    cursors: Topic = Field(
        "ingest.cursors", description="compacted topic: how far each source has been read"
    )
    queue: int = Field(
        1000, ge=1, le=100_000, description="records between source and Kafka; then reading waits"
    )
    jetstream: JetstreamSettings = JetstreamSettings()
    mastodon: MastodonSettings = MastodonSettings()
    x: XSettings = XSettings()
    facebook: FacebookSettings = FacebookSettings()
