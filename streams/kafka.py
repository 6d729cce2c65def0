"""Kafka clients and topics as the settings want them."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Sequence
from typing import Any, Final

import faust
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.conn import create_conn
from aiokafka.errors import (
    AuthenticationFailedError,
    KafkaConnectionError,
    KafkaError,
    SaslAuthenticationFailed,
    TopicAlreadyExistsError,
    for_code,
)

from streams.config import KafkaSettings
from streams.errors import UserError

_REQUEST_MS: Final = 15_000
_PROBE_SECONDS: Final = 5.0
# A replay keeps event time as record timestamps: with a retention the broker would delete 2017 at
# once, and by default Kafka 4 refuses timestamps more than 1 h ahead of its own clock.
TOPIC_CONFIGS: Final = {
    "retention.ms": "-1",
    "cleanup.policy": "delete",
    "message.timestamp.type": "CreateTime",
    "message.timestamp.before.max.ms": str(2**63 - 1),
    "message.timestamp.after.max.ms": str(2**63 - 1),
}


def ssl_context(kafka: KafkaSettings) -> ssl.SSLContext | None:
    """The TLS context; None without TLS.  UserError where a file cannot be used."""
    if not kafka.security_protocol.endswith("SSL"):
        return None
    try:
        context = ssl.create_default_context(cafile=kafka.ca_file)
        if kafka.cert_file is not None:
            context.load_cert_chain(kafka.cert_file, kafka.key_file)
    except (OSError, ssl.SSLError) as error:
        raise UserError(
            f"kafka TLS: cannot use ca_file, cert_file or key_file: {error.strerror or error}"
        ) from error
    return context


def client_options(kafka: KafkaSettings) -> dict[str, Any]:
    """What every aiokafka client (consumer, producer, admin) takes to reach the brokers."""
    options: dict[str, Any] = {
        "bootstrap_servers": list(kafka.brokers),
        "security_protocol": kafka.security_protocol,
        "ssl_context": ssl_context(kafka),
    }
    if kafka.security_protocol.startswith("SASL"):
        options |= {
            "sasl_mechanism": kafka.sasl_mechanism,
            "sasl_plain_username": kafka.username,
            "sasl_plain_password": kafka.password.get_secret_value() if kafka.password else None,
        }
    return options


def faust_credentials(kafka: KafkaSettings) -> faust.SSLCredentials | faust.SASLCredentials | None:
    """The same for Faust's `broker_credentials`; None for a plain connection."""
    context = ssl_context(kafka)
    if kafka.security_protocol.startswith("SASL"):
        return faust.SASLCredentials(
            username=kafka.username,
            password=kafka.password.get_secret_value() if kafka.password else None,
            ssl_context=context,
            mechanism=kafka.sasl_mechanism,
        )
    return faust.SSLCredentials(context) if context is not None else None


async def refusal(kafka: KafkaSettings, error: BaseException) -> str:
    """Why a broker cannot be used, in a few words.

    aiokafka says of every failure that it cannot bootstrap: one connection more tells a refused
    password from a certificate and from a broker that is not there.
    """
    options = client_options(kafka)
    del options["bootstrap_servers"]
    host, _, port = kafka.brokers[0].rpartition(":")
    try:
        async with asyncio.timeout(_PROBE_SECONDS):
            connection = await create_conn(host.strip("[]"), int(port), **options)
            connection.close()
    except ssl.SSLCertVerificationError as refused:
        return f"its certificate is refused: {refused.verify_message}"
    except ssl.SSLError as refused:
        reason = (refused.reason or str(refused)).lower().replace("_", " ")
        return f"TLS failed: {reason}: are ca_file, cert_file and key_file right?"
    except KafkaError as refused:
        if isinstance(refused, SaslAuthenticationFailed | AuthenticationFailedError):
            return "it refuses the user: are kafka.username and kafka.password right?"
        if kafka.security_protocol == "SSL" and isinstance(refused, KafkaConnectionError):
            # With TLS 1.3 a client certificate is refused after the client's part is done.
            return "it ends the connection after the handshake: does it trust kafka.cert_file?"
        return str(refused).partition("\n")[0] or type(refused).__name__
    except OSError as refused:
        return refused.strerror or type(refused).__name__
    return type(error).__name__


def unreachable(kafka: KafkaSettings, error: BaseException) -> UserError:
    """The one line for a Kafka that does not answer."""
    reason = str(error).splitlines()[0] if str(error) else type(error).__name__
    return UserError(
        f"Kafka at {','.join(kafka.brokers)} does not answer ({reason}): "
        "is it running, and is kafka.brokers (STREAMS_KAFKA__BROKERS) right?"
    )


def new_topics(kafka: KafkaSettings) -> list[NewTopic]:
    """The topics as they are created here: four, and that of campaigns where it is used."""
    sizes = {
        kafka.topics.raw: kafka.max_record_bytes,
        kafka.topics.keyed: kafka.dead_record_bytes,
        kafka.topics.classified: kafka.dead_record_bytes,
        kafka.topics.dead: kafka.dead_record_bytes,
    }
    topics = [
        NewTopic(
            name=name,
            num_partitions=kafka.partitions,
            replication_factor=kafka.replication,
            topic_configs={**TOPIC_CONFIGS, "max.message.bytes": str(size)},
        )
        for name, size in sizes.items()
    ]
    if kafka.campaigns == "topic":
        topics.append(
            NewTopic(
                name=kafka.topics.campaigns,
                num_partitions=1,
                replication_factor=kafka.replication,
                topic_configs={"cleanup.policy": "compact"},
            )
        )
    return topics


async def ensure_topics(
    kafka: KafkaSettings, wanted: Sequence[NewTopic] | None = None
) -> list[str]:
    """Create what is missing of the topics; the names of those created, which have leaders.

    A topic that exists is left as it is.  UserError where Kafka does not answer or refuses.
    """
    admin = AIOKafkaAdminClient(**client_options(kafka), request_timeout_ms=_REQUEST_MS)
    try:
        await admin.start()
        present = set(await admin.list_topics())
        missing = [topic for topic in wanted or new_topics(kafka) if topic.name not in present]
        created = [topic.name for topic in missing]
        if missing:
            _raise_refused(await admin.create_topics(missing, timeout_ms=_REQUEST_MS))
            await _wait_for_leaders(admin, created)
    except (KafkaError, OSError, TimeoutError) as error:
        raise unreachable(kafka, error) from error
    finally:
        await admin.close()
    return created


def _raise_refused(response: Any) -> None:
    for topic, code, *message in response.topic_errors:
        error = for_code(code)
        if code and error is not TopicAlreadyExistsError:
            why = message[0] if message and message[0] else error.__name__
            raise UserError(f"Kafka refuses to create the topic {topic}: {why}")


async def _wait_for_leaders(admin: AIOKafkaAdminClient, topics: list[str]) -> None:
    """Until then producers and consumers are told that the topic is unknown."""
    async with asyncio.timeout(_REQUEST_MS / 1000):
        while True:
            described = await admin.describe_topics(topics)
            known = [topic["partitions"] for topic in described if topic["error_code"] == 0]
            if len(known) == len(topics) and all(
                parts and all(p["error_code"] == 0 and p["leader"] >= 0 for p in parts)
                for parts in known
            ):
                return
            await asyncio.sleep(0.05)
