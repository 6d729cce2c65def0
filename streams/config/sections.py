"""Every setting: its key, type, range, default and meaning (Kafka's and Redis's: services.py).

The keys are a contract (files and environments of installations use them); descriptions are what
the documentation is made from.  Models are frozen and refuse keys that they do not know.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Any, Final, Literal, Self

from pydantic import AfterValidator, Field, SecretStr, model_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from streams.config.base import Names, Port, Section, not_empty, read_secret
from streams.config.ingest import IngestSettings
from streams.config.quantities import Seconds
from streams.config.services import KafkaSettings, RedisSettings
from streams.errors import UsageError
from streams.kept import Keeping
from streams.posts import PLATFORMS

_AUTHOR_KEY_BYTES: Final = range(16, 65)  # BLAKE2b takes 64 at most; fewer than 16 can be guessed


# RFC 6750; fewer than 16 characters can be guessed.
_TOKEN: Final = re.compile(r"[A-Za-z0-9._~+/-]{16,512}=*")
_ORIGIN: Final = re.compile(r"\*|https?://[^\s/?#@]+")


def _origins(names: tuple[str, ...]) -> tuple[str, ...]:
    for name in names:
        if _ORIGIN.fullmatch(name) is None:
            raise ValueError(f"{name!r} is no origin: write https://host, without a path")
    return names


def _platforms(names: tuple[str, ...]) -> tuple[str, ...]:
    for name in names:
        if name not in PLATFORMS:
            raise ValueError(f"no platform {name!r}: take {', '.join(PLATFORMS)}")
    return names


class ReadingSettings(Section):
    """How posts are read."""

    closed_hashtags: Annotated[Names, AfterValidator(_platforms)] = Field(
        (),
        description="platforms whose hashtags may also stand between two signs, as on Weibo: #tag#",
    )


class DedupeSettings(Section):
    """What counts as the same post."""

    horizon: Seconds = Field(
        90_000.0,
        ge=60,
        le=30 * 86_400,
        description="a uid is remembered until the partition's newest post is so much newer (25h); "
        "older posts are `late`",
    )
    buckets: int = Field(
        256,
        ge=1,
        le=65_536,
        description="sets per partition and hour that uids are spread over; a power of two. Up to "
        "512 uids in each Redis needs 9 bytes a uid, above 70. "
        "A change makes posts of the horizon before it count again",
    )

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.buckets & (self.buckets - 1):
            raise ValueError(f"buckets must be a power of two (is {self.buckets})")
        return self


class CommitSettings(Section):
    """How much one commit takes, and when a batch in hand makes a worker unready."""

    max_posts: int = Field(
        1000,
        ge=1,
        le=100_000,
        description="posts in one commit, at most: Redis does nothing else meanwhile (3.2 us each)",
    )
    max_backoff: Seconds = Field(
        5.0, ge=0.05, le=300, description="between two tries while Redis or Kafka refuse, at most"
    )
    max_age: Seconds = Field(
        60.0, gt=0, le=3600, description="not ready when a batch is uncommitted for longer"
    )


class DeadSettings(Section):
    """The limit of dead letters, above which a partition pauses."""

    consecutive: int = Field(1000, ge=1, description="dead letters in a row")
    window: int = Field(10_000, ge=1, description="posts that `ratio` is taken over")
    ratio: float = Field(0.5, gt=0, le=1, description="share of dead letters in `window` posts")


class PrivacySettings(Section):
    """What is kept of people."""

    author_key: SecretStr | None = Field(
        None,
        description="keys the hash of author ids; 16-64 bytes, secret, the same for all workers",
    )
    author_key_file: Path | None = Field(None, description="file with the author key")
    keep_text: bool = Field(
        False, description="whether texts of posts are kept, shown by the API and searchable"
    )

    @model_validator(mode="before")
    @classmethod
    def _secrets(cls, data: Any) -> Any:
        return read_secret(data, "author_key")

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.author_key is not None:
            size = len(self.author_key.get_secret_value().encode())
            if size not in _AUTHOR_KEY_BYTES:
                raise ValueError(f"author_key must have 16 to 64 bytes (has {size})")
        return self

    def key(self) -> bytes:
        """The author key; UsageError where none is set."""
        if self.author_key is None:
            raise UsageError(
                "privacy.author_key is not set: put 32 random characters into a file and set "
                "STREAMS_PRIVACY__AUTHOR_KEY_FILE to its path (the same for all workers)"
            )
        return self.author_key.get_secret_value().encode()


class PostsSettings(Section):
    """The newest posts of each campaign and hashtag, for who reads them."""

    newest: int = Field(
        10_000, ge=0, le=100_000, description="posts kept of each campaign and hashtag; 0: none"
    )
    keep: Seconds = Field(
        86_400.0, ge=60, le=30 * 86_400, description="kept until the newest post is so much newer"
    )

    def keeping(self, *, text: bool) -> Keeping:
        """As `streams.kept` takes it."""
        return Keeping(self.newest, int(self.keep * 1000), text)


class WorkerSettings(Section):
    """A worker's `/metrics`, `/healthz` and `/readyz`."""

    host: str = Field("0.0.0.0", min_length=1, description="address to listen on")  # noqa: S104 - probes and scrapes come from outside the pod
    port: Port = Field(9401, description="port; 0 takes a free one and prints it")
    drain: Seconds = Field(
        5.0, ge=0.1, le=300, description="for batches in hand, when partitions go to another worker"
    )


class ExporterSettings(Section):
    """The exporter: `/metrics`, API and page."""

    host: str = Field("0.0.0.0", min_length=1, description="address to listen on")  # noqa: S104 - as the worker's
    port: Port = Field(9400, description="port; 0 takes a free one and prints it")
    top: int = Field(50, ge=0, le=10_000, description="hashtags published beside the campaigns'")
    clock: Literal["live", "replay"] = Field(
        "live",
        description="where time stands when all partitions are drained: `live` now, `replay` at "
        "the newest post",
    )
    interval: Seconds = Field(5.0, ge=0.1, le=300, description="between two reads of Redis")
    live_interval: Seconds = Field(
        1.0, ge=0.1, le=300, description="between two reads while somebody has the page open"
    )
    cors_origins: Annotated[Names, AfterValidator(_origins)] = Field(
        (), description="origins whose pages may read the API, e.g. https://news.example; * for all"
    )
    token: SecretStr | None = Field(
        None, description="bearer token that `posts` and `events` ask for; unset: nothing is asked"
    )
    token_file: Path | None = Field(None, description="file with the token")

    @model_validator(mode="before")
    @classmethod
    def _secrets(cls, data: Any) -> Any:
        return read_secret(data, "token")

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.token is not None and not _TOKEN.fullmatch(self.token.get_secret_value()):
            raise ValueError("token must have 16 or more letters, digits or -._~+/=")
        return self


class Settings(BaseSettings):
    """All settings.  `Settings()` is the defaults; `load_settings` reads file and environment."""

    model_config = SettingsConfigDict(
        env_prefix="STREAMS_",
        env_nested_delimiter="__",
        env_ignore_empty=True,
        enable_decoding=False,
        extra="forbid",
        frozen=True,
        validate_default=True,
    )

    kafka: KafkaSettings = KafkaSettings()
    redis: RedisSettings = RedisSettings()
    reading: ReadingSettings = ReadingSettings()
    dedupe: DedupeSettings = DedupeSettings()
    commit: CommitSettings = CommitSettings()
    dead: DeadSettings = DeadSettings()
    privacy: PrivacySettings = PrivacySettings()
    posts: PostsSettings = PostsSettings()
    worker: WorkerSettings = WorkerSettings()
    exporter: ExporterSettings = ExporterSettings()
    ingest: IngestSettings = IngestSettings()
    campaigns: Annotated[Names, AfterValidator(not_empty)] = Field(
        ("metoo",), description="names of shipped campaigns, or paths of TOML files"
    )
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        "INFO", description="the least serious messages that are logged"
    )

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        # `load_settings` merges file and environment itself, so that an error can name its source.
        return (init_settings,)
