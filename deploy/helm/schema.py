"""values.schema.json of the chart: what values there are, and what they may be.

    python -m deploy.helm.schema

Settings that are handed on (`config`) are taken from the program's own models, so that the chart
refuses what the program would.  What a schema cannot say is in templates/_validate.tpl.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

from streams.config import Settings

FILE: Final = Path(__file__).parent / "streams" / "values.schema.json"

Schema = dict[str, Any]

_DURATION: Final = r"^\s*(\d+(\.\d+)?\s*(ms|s|m|h|d)\s*)+$"
_NAME: Final = r"^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$"
_HOST_PORT: Final = r"^(\[[0-9A-Fa-f:.]+\]|[^\s:/,]+):[0-9]{1,5}$"
_TOPIC: Final = r"^[A-Za-z0-9._-]{1,249}$"

# Settings of `config`; all others have a value of their own, or make no sense in a pod.
_CONFIG: Final = {
    "kafka": (
        "campaigns",
        "classified",
        "max_poll_records",
        "fetch_bytes",
        "max_record_bytes",
        "compression",
    ),
    "redis": ("timeout",),
    "privacy": ("keep_text",),
    "exporter": ("top", "clock", "interval", "cors_origins"),
    "reading": None,
    "dedupe": None,
    "commit": None,
    "dead": None,
    "posts": None,
}
_DURATIONS: Final = {"horizon", "max_age", "keep", "interval", "timeout", "rules_interval"}
_SIZES: Final = {"fetch_bytes", "max_body"}  # and max_record_bytes, which templates calculate with
_NOT_EMPTY: Final = {"urls", "collections"}
# Of [ingest.SOURCE]: ports are the chart's, secrets come from Secrets, and nothing else is mounted.
_NOT_OF_SOURCES: Final = frozenset(
    {"host", "port", "dictionary"}
    | {"token", "token_file", "verify_token", "verify_token_file", "app_secret", "app_secret_file"}
)


def closed(properties: dict[str, Schema], *required: str, **more: Any) -> Schema:
    """An object with these properties and no others."""
    found: Schema = {"type": "object", "additionalProperties": False, "properties": properties}
    if required:
        found["required"] = list(required)
    return found | more


def text(pattern: str | None = None, **more: Any) -> Schema:
    return {"type": "string"} | ({"pattern": pattern} if pattern else {}) | more


def whole(minimum: int, maximum: int) -> Schema:
    return {"type": "integer", "minimum": minimum, "maximum": maximum}


def items(schema: Schema, **more: Any) -> Schema:
    return {"type": "array", "items": schema} | more


def choice(*values: str) -> Schema:
    return {"enum": list(values)}


FLAG: Final[Schema] = {"type": "boolean"}
FREE: Final[Schema] = {"type": "object"}
STRINGS: Final[Schema] = {"type": "object", "additionalProperties": {"type": "string"}}
OPTIONAL_NAME: Final = text(f"^$|{_NAME}")
KEY: Final = text(r"^[-._a-zA-Z0-9]{1,253}$")
PORTS: Final = items(whole(1, 65_535))
PEERS: Final = items(
    closed({"podSelector": FREE, "namespaceSelector": FREE, "ipBlock": FREE}, minProperties=1)
)
QUANTITIES: Final[Schema] = {
    "type": "object",
    "propertyNames": {"enum": ["cpu", "memory", "ephemeral-storage"]},
    "additionalProperties": {"type": ["string", "number"]},
}
RESOURCES: Final = closed({"requests": QUANTITIES, "limits": QUANTITIES}, "requests")
# What all pods that run on have in common.
PODS: Final[dict[str, Schema]] = {
    "resources": RESOURCES,
    "podAnnotations": STRINGS,
    "podLabels": STRINGS,
    "nodeSelector": STRINGS,
    "tolerations": items(FREE),
    "priorityClassName": OPTIONAL_NAME,
}
CREDENTIALS: Final = closed(
    {"username": text(), "existingSecret": OPTIONAL_NAME, "passwordKey": KEY},
    # A user without a password cannot log in.
    **{
        "if": {"properties": {"username": text(r".")}, "required": ["username"]},
        "then": {"properties": {"existingSecret": text(_NAME)}},
    },
)


ON: Final[Schema] = {"properties": {"enabled": {"const": True}}, "required": ["enabled"]}


def settings_schema() -> Schema:
    """The sections of `_CONFIG` and `log_level`, as the program's models have them."""
    whole_schema = Settings.model_json_schema()
    sections: dict[str, Schema] = {"log_level": _plain("", whole_schema["properties"]["log_level"])}
    for section, keys in _CONFIG.items():
        name = whole_schema["properties"][section]["$ref"].rpartition("/")[2]
        properties = whole_schema["$defs"][name]["properties"]
        sections[section] = closed(
            {key: _plain(key, properties[key]) for key in (keys or properties)}
        )
    return closed(sections)


def _plain(key: str, schema: Schema) -> Schema:
    """Without defaults and titles; durations and sizes also as text, lists of names as they are."""
    kept = {name: value for name, value in schema.items() if name not in ("default", "title")}
    if key in _NOT_EMPTY:
        kept["minItems"] = 1
    if key in _DURATIONS or key in _SIZES:
        as_text = text(_DURATION if key in _DURATIONS else r"^\s*\d+\s*([KMG]i?)?B?\s*$")
        description = kept.pop("description", "")
        return {"description": description, "anyOf": [kept, as_text]}
    return kept


def tls(*, enabled: bool) -> Schema:
    properties = {
        "caSecret": OPTIONAL_NAME,
        "caKey": KEY,
        "clientSecret": OPTIONAL_NAME,
        "certKey": KEY,
        "keyKey": KEY,
    }
    if not enabled:
        return closed(properties)
    no_files = {"caSecret": {"const": ""}, "clientSecret": {"const": ""}}
    return closed({"enabled": FLAG} | properties, **{"if": ON, "else": {"properties": no_files}})


def kafka() -> Schema:
    topic = text(_TOPIC)
    strimzi = closed(
        {"enabled": FLAG, "cluster": OPTIONAL_NAME, "namespace": OPTIONAL_NAME}
        | {"user": OPTIONAL_NAME},
        **{"if": ON, "then": {"properties": {"cluster": text(_NAME)}}},
    )
    sasl = closed(
        {"mechanism": choice("PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512")}
        | CREDENTIALS["properties"],
        **{"if": CREDENTIALS["if"], "then": CREDENTIALS["then"]},
    )
    names = ("raw", "keyed", "classified", "dead", "campaigns")
    return closed(
        {
            "brokers": items(text(_HOST_PORT), minItems=1),
            "input": choice("any", "keyed"),
            "group": text(minLength=1),
            "partitions": whole(1, 10_000),
            "replication": whole(1, 32_767),
            "sessionTimeout": {"anyOf": [text(_DURATION), whole(1, 1800)]},
            "topics": closed(dict.fromkeys(names, topic), *names),
            "tls": tls(enabled=True),
            "sasl": sasl,
            "strimzi": strimzi,
        },
        "brokers",
    )


def redis() -> Schema:
    def mode(name: str) -> Schema:
        return {"properties": {"mode": {"const": name}}}

    # No @: a password belongs in a Secret.
    url = text(r"^rediss?://[^\s@]+$")
    some = {"sentinels": {"minItems": 1}, "service": text(r"\S")}
    none = {"sentinels": {"maxItems": 0}, "service": {"const": ""}, "url": url}
    return closed(
        {
            "mode": choice("single", "sentinel", "cluster"),
            "url": text(r"^$|^rediss?://[^\s@]+$"),
            "prefix": text(r"^[^\s{}]*$"),
            "sentinels": items(text(_HOST_PORT)),
            "service": text(),
            "worker": CREDENTIALS,
            "exporter": CREDENTIALS,
            "sentinelAuth": CREDENTIALS,
            "tls": tls(enabled=False),
        },
        **{"if": mode("sentinel"), "then": {"properties": some}, "else": {"properties": none}},
    )


def pods(**more: Schema) -> Schema:
    """What worker and exporter have in common."""
    pdb = closed(
        {"enabled": FLAG, "maxUnavailable": {"anyOf": [whole(1, 1000), text(r"^[1-9][0-9]?%$")]}}
    )
    return closed(PODS | {"pdb": pdb} | more)


def worker() -> Schema:
    scaler = {"enabled": FLAG, "min": whole(1, 10_000), "max": whole(1, 10_000)}
    scaler["scaleDownSeconds"] = whole(0, 3600)
    return pods(
        replicas=whole(0, 10_000),
        drainSeconds=whole(10, 300),
        marginSeconds=whole(1, 300),
        hpa=closed(scaler | {"cpuPercent": whole(1, 100)}),
        keda=closed(
            scaler
            | {"lagPosts": whole(1, 10**9), "pollingSeconds": whole(1, 3600)}
            | {"authentication": OPTIONAL_NAME}
        ),
    )


def exporter() -> Schema:
    token = closed({"existingSecret": OPTIONAL_NAME, "key": KEY})
    return pods(replicas=whole(1, 100), service=service(), token=token)


def service() -> Schema:
    return closed(
        {
            "type": choice("ClusterIP", "NodePort", "LoadBalancer"),
            "port": whole(1, 65_535),
            "annotations": STRINGS,
        }
    )


def ingest() -> Schema:
    definitions = Settings.model_json_schema()["$defs"]

    def source(name: str, *keys: str, secret: bool = True, **more: Schema) -> Schema:
        """`keys` are those of its Secret, which has to be named if `secret`."""
        found = definitions[f"{name}Settings"]["properties"]
        own = {key: _plain(key, found[key]) for key in found if key not in _NOT_OF_SOURCES}
        credentials = {"existingSecret": OPTIONAL_NAME} if keys else {}
        needed = {"existingSecret": text(_NAME)} if secret and keys else {}
        return closed(
            {"enabled": FLAG, "settings": closed(own)}
            | credentials
            | dict.fromkeys(keys, KEY)
            | more,
            **{"if": ON, "then": {"properties": needed}},
        )

    ingress = closed(
        {"enabled": FLAG, "className": OPTIONAL_NAME, "host": OPTIONAL_NAME}
        | {"tlsSecret": OPTIONAL_NAME, "annotations": STRINGS},
        **{"if": ON, "then": {"properties": {"host": text(_NAME)}}},
    )
    sources = {
        "jetstream": source("Jetstream"),
        "mastodon": source("Mastodon", "tokenKey", secret=False),  # some servers ask for none
        "x": source("X", "tokenKey"),
        "facebook": source(
            "Facebook", "verifyTokenKey", "appSecretKey", service=service(), ingress=ingress
        ),
    }
    return closed({"cursors": text(_TOPIC), "sources": closed(sources)} | PODS)


def monitoring() -> Schema:
    receiver = {"type": "object", "required": ["name"]}
    return closed(
        {
            "labels": STRINGS,
            "monitors": closed({"enabled": FLAG, "interval": text(r"^[1-9][0-9]*(s|m)$")}),
            "rules": closed({"enabled": FLAG, "runbookBase": text(r"^$|^https?://\S+$")}),
            "dashboards": closed({"enabled": FLAG, "labels": STRINGS, "folder": text()}),
            "alertmanager": closed({"enabled": FLAG, "receivers": items(receiver)}),
        }
    )


def values_schema() -> Schema:
    """The whole document."""
    image = closed(
        {
            "repository": text(r"^[^\s:@]+(:[0-9]+/[^\s:@]+)?$"),
            "tag": text(r"^$|^[A-Za-z0-9_][-A-Za-z0-9_.]{0,127}$"),
            "digest": text(r"^$|^sha256:[0-9a-f]{64}$"),
            "pullPolicy": choice("IfNotPresent", "Always", "Never"),
            "pullSecrets": items(text(_NAME)),
        },
        "repository",
    )
    campaign = {
        "type": "object",
        "propertyNames": text(r"^[a-z0-9][-_a-z0-9]{0,100}$"),
        "additionalProperties": text(minLength=1),
    }
    network = {"enabled": FLAG, "from": PEERS, "kafkaPeers": PEERS, "redisPeers": PEERS}
    network |= {"kafkaPorts": PORTS, "redisPorts": PORTS, "dnsPeers": PEERS}
    network |= {"platformPorts": PORTS, "platformPeers": PEERS, "webhookFrom": PEERS}
    properties = {
        "global": FREE,  # Helm's own, where the chart is part of another
        "nameOverride": OPTIONAL_NAME,
        "fullnameOverride": OPTIONAL_NAME,
        "image": image,
        "authorKey": closed({"existingSecret": text(_NAME), "key": KEY}, "existingSecret"),
        "campaigns": closed({"shipped": items(text(r"^[-_a-z0-9]+$")), "files": campaign}),
        "config": settings_schema(),
        "kafka": kafka(),
        "redis": redis(),
        "check": closed({"enabled": FLAG, "createTopics": FLAG, "resources": RESOURCES}),
        "worker": worker(),
        "exporter": exporter(),
        "ingest": ingest(),
        "networkPolicy": closed(network),
        "monitoring": monitoring(),
    }
    found = closed(properties, "image", "authorKey", "kafka", "redis")
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "streams"} | found


def rendered() -> str:
    """As it stands in the file."""
    return json.dumps(values_schema(), indent=1, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    FILE.write_text(rendered(), encoding="utf-8")
