"""`streams check`: is everything reachable, and are topics and configuration right?"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from typing import Any, Final, Literal, NamedTuple

import typer
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import KafkaError
from redis.exceptions import RedisError

from streams import campaigns
from streams.config import Settings
from streams.errors import UserError
from streams.forward import keyed_by
from streams.kafka import client_options, ensure_topics, refusal
from streams.redis_client import connect

_SAMPLE: Final = 500  # records of the raw topic
_SAMPLE_SECONDS: Final = 15
_OLDEST_REDIS: Final = (6, 2)


class Finding(NamedTuple):
    """One line: `warn` does not fail the check."""

    level: Literal["ok", "warn", "FAIL"]
    text: str


async def run_check(settings: Settings, *, create_topics: bool) -> int:
    """Print one line a finding; 1 if anything fails, else 0."""
    failed = False
    if create_topics:
        await ensure_topics(settings.kafka)
    async for finding in _findings(settings):
        typer.echo(f"{finding.level:4}  {finding.text}")
        failed |= finding.level == "FAIL"
    return int(failed)


async def _findings(settings: Settings) -> AsyncIterator[Finding]:
    try:
        settings.privacy.key()
        yield Finding("ok", "privacy.author_key is set")
    except UserError as error:
        yield Finding("FAIL", str(error))
    for name in settings.campaigns:
        try:
            campaign = campaigns.load(name)
            yield Finding("ok", f"campaign {campaign.name}, version {campaign.version}")
        except UserError as error:
            yield Finding("FAIL", str(error))
    async for finding in _redis(settings):
        yield finding
    async for finding in _kafka(settings):
        yield finding


async def _redis(settings: Settings) -> AsyncIterator[Finding]:
    where = settings.redis.address
    redis: Any = connect(settings.redis)
    try:
        info = await redis.info("server")
        memory = await redis.info("memory")
    except (RedisError, OSError) as error:
        yield Finding(
            "FAIL",
            f"Redis {where}: {str(error) or type(error).__name__}: is redis.url right?",
        )
        return
    finally:
        await redis.aclose()
    servers = list(info.values()) if settings.redis.cluster else [info]
    memories = list(memory.values()) if settings.redis.cluster else [memory]
    versions = sorted({str(server["redis_version"]) for server in servers})
    old = any(tuple(int(p) for p in v.split(".")[:2]) < _OLDEST_REDIS for v in versions)
    yield Finding(
        "FAIL" if old else "ok",
        f"Redis {where}: version {', '.join(versions)}" + (" is older than 6.2" if old else ""),
    )
    policies = {str(server.get("maxmemory_policy", "noeviction")) for server in memories}
    if policies == {"noeviction"}:
        yield Finding("ok", "Redis maxmemory-policy is noeviction")
    else:
        yield Finding(
            "FAIL",
            f"Redis maxmemory-policy is {', '.join(sorted(policies))}: counters could be evicted; "
            "set noeviction",
        )


async def _kafka(settings: Settings) -> AsyncIterator[Finding]:
    kafka = settings.kafka
    admin = AIOKafkaAdminClient(**client_options(kafka))
    try:
        await admin.start()
    except (KafkaError, OSError) as error:
        yield Finding(
            "FAIL",
            f"Kafka {','.join(kafka.brokers)} does not answer ({await refusal(kafka, error)}): "
            "is it running, and kafka.brokers right?",
        )
        return
    try:
        present = set(await admin.list_topics())
        wanted = {
            "raw": kafka.topics.raw,
            "dead": kafka.topics.dead,
            "classified": kafka.topics.classified,
        }
        if kafka.input == "any":
            wanted["keyed"] = kafka.topics.keyed
        for topic in wanted.values():
            if topic not in present:
                yield Finding(
                    "FAIL", f"topic {topic} is missing: streams check --create-topics makes it"
                )
        configs = await _configs(admin, sorted(set(wanted.values()) & present))
    except (KafkaError, OSError) as error:
        yield Finding("FAIL", f"Kafka {','.join(kafka.brokers)}: {type(error).__name__}: {error}")
        return
    finally:
        await admin.close()
    for finding in _topics(kafka.topics.raw, kafka.topics.dead, configs):
        yield finding
    if kafka.topics.raw in configs:
        yield await _keys(settings)


async def _configs(admin: AIOKafkaAdminClient, topics: list[str]) -> dict[str, Mapping[str, str]]:
    found: dict[str, Mapping[str, str]] = {}
    for topic in topics:
        responses: Any = await admin.describe_configs(
            [ConfigResource(ConfigResourceType.TOPIC, topic)]
        )
        for response in responses:
            for resource in response.resources:
                found[topic] = {entry[0]: entry[1] for entry in resource[4]}
    return found


def _topics(raw: str, dead: str, configs: Mapping[str, Mapping[str, str]]) -> list[Finding]:
    findings = [Finding("ok", f"topic {topic} exists") for topic in configs]
    for topic, config in configs.items():
        if config.get("unclean.leader.election.enable") == "true":
            findings.append(
                Finding(
                    "warn", f"topic {topic}: unclean.leader.election.enable=true can lose records"
                )
            )
    if raw in configs and configs[raw].get("retention.ms", "-1") != "-1":
        findings.append(
            Finding(
                "warn",
                f"topic {raw}: retention.ms={configs[raw]['retention.ms']}: "
                "a replay of an older day is deleted at once; -1 keeps it",
            )
        )
    if raw in configs and dead in configs:
        largest = int(configs[raw].get("max.message.bytes", 0)) + 64 * 1024
        if int(configs[dead].get("max.message.bytes", 0)) < largest:
            findings.append(
                Finding(
                    "FAIL",
                    f"topic {dead}: max.message.bytes must be {largest} or more ({raw}'s + 64 KiB)",
                )
            )
    return findings


async def _keys(settings: Settings) -> Finding:
    """Samples the raw topic: are its records keyed by uid?"""
    topic = settings.kafka.topics.raw
    consumer = AIOKafkaConsumer(**client_options(settings.kafka), enable_auto_commit=False)
    keyed = seen = 0
    try:
        await consumer.start()
        partitions = [TopicPartition(topic, p) for p in await _partitions(consumer, topic)]
        consumer.assign(partitions)
        ends = await consumer.end_offsets(partitions)
        starts = await consumer.beginning_offsets(partitions)
        share = max(1, _SAMPLE // max(1, len(partitions)))
        for partition in partitions:
            consumer.seek(partition, max(starts[partition], ends[partition] - share))
        left = {p for p in partitions if ends[p] > starts[p]}
        async with asyncio.timeout(_SAMPLE_SECONDS):
            while left:  # one fetch may bring nothing, or one partition's records only
                for partition, records in (await consumer.getmany(timeout_ms=500)).items():
                    for record in records:
                        by, is_uid = keyed_by(record, partition.partition)
                        seen += is_uid
                        keyed += is_uid and record.key == by
                    if await consumer.position(partition) >= ends[partition]:
                        left.discard(partition)
    except (KafkaError, OSError, TimeoutError) as error:
        return Finding("FAIL", f"topic {topic} cannot be read: {type(error).__name__}: {error}")
    finally:
        await consumer.stop()
    if not seen:
        return Finding(
            "ok", f"topic {topic} has no posts yet: whether it is keyed by uid cannot be told"
        )
    mode = settings.kafka.input
    if keyed == seen:
        hint = "" if mode == "keyed" else ': kafka.input = "keyed" would save a hop'
        return Finding("ok", f"topic {topic} is keyed by uid ({seen} posts sampled){hint}")
    text = f"topic {topic}: {seen - keyed} of {seen} posts sampled are not keyed by uid"
    return Finding(
        "ok" if mode == "any" else "FAIL",
        text + ("" if mode == "any" else ': set kafka.input = "any"'),
    )


async def _partitions(consumer: AIOKafkaConsumer, topic: str) -> list[int]:
    cluster = await consumer._client.fetch_all_metadata()
    return sorted(cluster.partitions_for_topic(topic) or ())
