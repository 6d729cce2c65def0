"""Settings: `streams.toml` and `STREAMS_<SECTION>__<KEY>`; the environment wins over the file."""

from streams.config.ingest import (
    FacebookSettings,
    IngestSettings,
    JetstreamSettings,
    MastodonSettings,
    XSettings,
)
from streams.config.load import ConfigError, load_settings
from streams.config.quantities import parse_duration, parse_size
from streams.config.sections import (
    CommitSettings,
    DeadSettings,
    DedupeSettings,
    ExporterSettings,
    PostsSettings,
    PrivacySettings,
    ReadingSettings,
    Settings,
    WorkerSettings,
)
from streams.config.services import KafkaSettings, RedisSettings, Topics

__all__ = [
    "CommitSettings",
    "ConfigError",
    "DeadSettings",
    "DedupeSettings",
    "ExporterSettings",
    "FacebookSettings",
    "IngestSettings",
    "JetstreamSettings",
    "KafkaSettings",
    "MastodonSettings",
    "PostsSettings",
    "PrivacySettings",
    "ReadingSettings",
    "RedisSettings",
    "Settings",
    "Topics",
    "WorkerSettings",
    "XSettings",
    "load_settings",
    "parse_duration",
    "parse_size",
]
