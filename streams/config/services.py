"""Settings of the two services: Kafka and Redis."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, Field, SecretStr, model_validator

from streams.config.base import HostPorts, Section, Topic, not_empty, read_secret
from streams.config.quantities import Bytes, Seconds


class Topics(Section):
    """Names of the topics."""

    raw: Topic = Field("posts.raw", description="what the platforms sent, unchanged")
    keyed: Topic = Field("posts.keyed", description='raw, keyed by uid (`kafka.input = "any"`)')
    classified: Topic = Field("posts.classified", description="decoded and classified posts")
    dead: Topic = Field("posts.dead", description="what could not be read, with the reason")
    campaigns: Topic = Field(
        "campaigns", description='campaigns by name, compacted (`kafka.campaigns = "topic"`)'
    )


class KafkaSettings(Section):
    """How Kafka is reached, and what is read and written there."""

    brokers: Annotated[HostPorts, AfterValidator(not_empty)] = Field(
        ("localhost:9092",), description="host:port of one or more brokers"
    )
    input: Literal["any", "keyed"] = Field(
        "any",
        description="`any`: records of the raw topic have any key and are forwarded by uid first; "
        "`keyed`: producers key by uid, which saves that hop",
    )
    topics: Topics = Topics()
    campaigns: Literal["files", "topic"] = Field(
        "files",
        description="`topic`: beside the files that `campaigns` names, those of the campaigns "
        "topic, which `streams campaign add` and `end` change while workers run",
    )
    classified: Literal["campaign", "all"] = Field(
        "campaign", description="which posts go to the classified topic"
    )
    partitions: int = Field(
        8, ge=1, le=10_000, description="partitions of topics that are created here"
    )
    replication: int = Field(
        1, ge=1, le=32_767, description="replication factor of topics that are created here"
    )
    group: str = Field("streams", min_length=1, description="consumer group of the workers")
    instance_id: str | None = Field(
        None, description="static membership: an id of its own for each worker, e.g. the pod's name"
    )
    session_timeout: Seconds = Field(
        30.0, ge=1, le=1800, description="a worker silent for so long loses its partitions"
    )
    request_timeout: Seconds = Field(
        40.0,
        ge=5,
        le=600,
        description="a request unanswered for so long has failed, and its connection is closed; of "
        "the consumer at least twice `session_timeout`",
    )
    buffered_batches: int = Field(
        2,
        ge=1,
        le=1000,
        description="batches of a partition that is behind which wait beside the one in hand",
    )
    max_poll_records: int = Field(
        4000, ge=1, le=100_000, description="posts in one batch of one partition, at most"
    )
    fetch_bytes: Bytes = Field(
        2**20, ge=1024, le=2**30, description="bytes fetched of one partition at a time"
    )
    max_record_bytes: Bytes = Field(
        2**20,
        ge=1024,
        le=2**30,
        description="largest record of the raw topic (its `max.message.bytes`); the dead-letter "
        "topic takes 64 KiB more",
    )
    compression: Literal["none", "gzip", "snappy", "lz4", "zstd"] = Field(
        "zstd", description="compression of what is written"
    )
    security_protocol: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = Field(
        "PLAINTEXT", description="TLS: `SSL`, `SASL_SSL`; with a user name: `SASL_…`"
    )
    sasl_mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] = Field(
        "SCRAM-SHA-512", description="how a user name and a password are shown"
    )
    username: str | None = Field(None, description="SASL user name")
    password: SecretStr | None = Field(None, description="SASL password")
    password_file: Path | None = Field(None, description="file with the SASL password")
    ca_file: Path | None = Field(None, description="PEM: authorities to trust, instead of the OS's")
    cert_file: Path | None = Field(None, description="PEM: the client's certificate (mutual TLS)")
    key_file: Path | None = Field(None, description="PEM: the key of `cert_file`")

    @model_validator(mode="before")
    @classmethod
    def _secrets(cls, data: Any) -> Any:
        return read_secret(data, "password")

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.security_protocol.startswith("SASL") and not (self.username and self.password):
            raise ValueError(f"security_protocol {self.security_protocol} needs username, password")
        if self.username and not self.security_protocol.startswith("SASL"):
            raise ValueError("username is set, but security_protocol has no SASL: set SASL_SSL")
        if self.key_file and not self.cert_file:
            raise ValueError("key_file is set without cert_file")
        if len(set(self.topics.model_dump().values())) < len(Topics.model_fields):
            raise ValueError("topics: two topics have the same name")
        return self

    @property
    def dead_record_bytes(self) -> int:
        """Bytes that the dead-letter topic has to take: raw's largest record plus headers."""
        return self.max_record_bytes + 64 * 1024

    @property
    def codec(self) -> Literal["gzip", "snappy", "lz4", "zstd"] | None:
        """`compression` as clients want it: None for none."""
        return None if self.compression == "none" else self.compression


class RedisSettings(Section):
    """How Redis (or Valkey) is reached: one server, Sentinel, or Cluster."""

    url: str = Field(
        "redis://127.0.0.1:6379/0",
        pattern=r"^(rediss?|unix)://\S+$",
        description="`redis://host:port/db`, with TLS `rediss://…`; of a Cluster any one node",
    )
    prefix: str = Field(
        "streams:",
        pattern=r"^[^\s{}]*$",
        description="begins every key; separates installations on one Redis",
    )
    username: str | None = Field(None, description="ACL user")
    password: SecretStr | None = Field(None, description="password")
    password_file: Path | None = Field(None, description="file with the password")
    ca_file: Path | None = Field(None, description="PEM: authorities to trust, instead of the OS's")
    cert_file: Path | None = Field(None, description="PEM: the client's certificate (mutual TLS)")
    key_file: Path | None = Field(None, description="PEM: the key of `cert_file`")
    sentinels: HostPorts = Field((), description="host:port of Sentinels; with `service`")
    service: str | None = Field(None, description="the primary's name at the Sentinels")
    sentinel_username: str | None = Field(None, description="ACL user at the Sentinels")
    sentinel_password: SecretStr | None = Field(None, description="password at the Sentinels")
    sentinel_password_file: Path | None = Field(None, description="file with that password")
    cluster: bool = Field(False, description="`url` is a node of a Redis Cluster")
    timeout: Seconds = Field(
        5.0, gt=0, le=300, description="for connecting, and for the answer to a command"
    )

    @model_validator(mode="before")
    @classmethod
    def _secrets(cls, data: Any) -> Any:
        return read_secret(read_secret(data, "password"), "sentinel_password")

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if bool(self.sentinels) != bool(self.service):
            raise ValueError("sentinels and service go together: set both or none")
        if self.sentinels and self.cluster:
            raise ValueError("sentinels and cluster exclude each other")
        if self.key_file and not self.cert_file:
            raise ValueError("key_file is set without cert_file")
        if (self.ca_file or self.cert_file) and not self.tls:
            raise ValueError("ca_file and cert_file need TLS: write url as rediss://…")
        return self

    @property
    def tls(self) -> bool:
        return self.url.startswith("rediss://")

    @property
    def address(self) -> str:
        """Where Redis is, for messages: without user name and password."""
        if self.sentinels:
            return f"{self.service} (Sentinels {','.join(self.sentinels)})"
        return re.sub(r"//[^@/]*@", "//", self.url)
