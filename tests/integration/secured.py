"""A Kafka with SCRAM and mutual TLS, and a Redis with TLS and the ACL users that are shipped."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path

import trustme
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from streams.embedded import EmbeddedKafka, EmbeddedRedis, free_port

ACLS = Path(__file__).parents[2] / "deploy" / "redis"
KAFKA_PASSWORD = "kafkas-password-for-tests"
REDIS_PASSWORD = "redis-password-for-tests"


@dataclass(frozen=True)
class Certificate:
    """PEM files: the certificate, its key in PKCS#8, and both in one for Java."""

    certificate: Path
    key: Path
    both: Path


def _issue(authority: trustme.CA, folder: Path, name: str, *, expired: bool = False) -> Certificate:
    now = datetime.now(UTC)
    leaf = authority.issue_cert(
        "127.0.0.1",
        "localhost",
        common_name=name,
        not_before=now - timedelta(days=3),
        not_after=now + timedelta(days=-1 if expired else 3),
    )
    key = load_pem_private_key(leaf.private_key_pem.bytes(), None).private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()
    )
    chain = b"".join(blob.bytes() for blob in leaf.cert_chain_pems)
    found = Certificate(*(folder / f"{name}.{part}" for part in ("crt", "key", "pem")))
    found.certificate.write_bytes(chain)
    found.key.write_bytes(key)
    found.both.write_bytes(key + chain)
    return found


class Secured:
    """The two servers, each with a plain port too for what tests do themselves."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        authority = trustme.CA()
        self.ca = folder / "ca.pem"
        authority.cert_pem.write_to_path(str(self.ca))
        self.other_ca = folder / "other-ca.pem"
        trustme.CA().cert_pem.write_to_path(str(self.other_ca))
        server = _issue(authority, folder, "server")
        expired = _issue(authority, folder, "expired", expired=True)
        self.client = _issue(authority, folder, "client")
        self.stranger = _issue(trustme.CA(), folder, "stranger")
        self.mtls, self.scram, self.expired = free_port(), free_port(), free_port()
        plain = free_port()
        listeners = {
            "PLAINTEXT": plain,
            "SSL": self.mtls,
            "SASL_SSL": self.scram,
            "EXPIRED": self.expired,
        }
        addresses = [f"{name}://127.0.0.1:{port}" for name, port in listeners.items()]
        controller = free_port()
        login = "org.apache.kafka.common.security.scram.ScramLoginModule required;"
        properties = {
            "listeners": ",".join([*addresses, f"CONTROLLER://127.0.0.1:{controller}"]),
            "advertised.listeners": ",".join(addresses),
            "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,SSL:SSL,"
            "SASL_SSL:SASL_SSL,EXPIRED:SASL_SSL",
            "ssl.keystore.type": "PEM",
            "ssl.keystore.location": str(server.both),
            "ssl.truststore.type": "PEM",
            "ssl.truststore.location": str(self.ca),
            "listener.name.ssl.ssl.client.auth": "required",
            "sasl.enabled.mechanisms": "SCRAM-SHA-512",
        }
        for name in ("sasl_ssl", "expired"):
            properties[f"listener.name.{name}.scram-sha-512.sasl.jaas.config"] = login
        properties["listener.name.expired.ssl.keystore.type"] = "PEM"
        properties["listener.name.expired.ssl.keystore.location"] = str(expired.both)
        self.kafka = EmbeddedKafka(
            folder / "kafka",
            port=plain,
            controller_port=controller,
            properties=properties,
            users={"streams": KAFKA_PASSWORD},
        )
        digest = sha256(REDIS_PASSWORD.encode()).hexdigest()
        users = [(ACLS / f"{name}.acl").read_text().strip() for name in ("worker", "exporter")]
        acl = folder / "users.acl"
        acl.write_text("".join(f"{user} #{digest}\n" for user in users))
        self.redis_port = free_port()
        self.redis = EmbeddedRedis(
            folder / "redis",
            options={
                "aclfile": str(acl),
                "tls-port": str(self.redis_port),
                "tls-cert-file": str(server.certificate),
                "tls-key-file": str(server.key),
                "tls-ca-cert-file": str(self.ca),
                "tls-auth-clients": "optional",
            },
        )
        self.kafka_secret = folder / "kafka-password"
        self.kafka_secret.write_text(KAFKA_PASSWORD + "\n")
        self.redis_secret = folder / "redis-password"
        self.redis_secret.write_text(REDIS_PASSWORD + "\n")
        self.wrong_secret = folder / "wrong-password"
        self.wrong_secret.write_text("another-password\n")

    def scram_settings(self) -> dict[str, str]:
        """What reaches Kafka with a user name and a password in a file."""
        return {
            "STREAMS_KAFKA__BROKERS": f"127.0.0.1:{self.scram}",
            "STREAMS_KAFKA__SECURITY_PROTOCOL": "SASL_SSL",
            "STREAMS_KAFKA__CA_FILE": str(self.ca),
            "STREAMS_KAFKA__USERNAME": "streams",
            "STREAMS_KAFKA__PASSWORD_FILE": str(self.kafka_secret),
        }

    def mtls_settings(self) -> dict[str, str]:
        """What reaches Kafka with a certificate."""
        return {
            "STREAMS_KAFKA__BROKERS": f"127.0.0.1:{self.mtls}",
            "STREAMS_KAFKA__SECURITY_PROTOCOL": "SSL",
            "STREAMS_KAFKA__CA_FILE": str(self.ca),
            "STREAMS_KAFKA__CERT_FILE": str(self.client.certificate),
            "STREAMS_KAFKA__KEY_FILE": str(self.client.key),
        }

    def redis_settings(self, user: str) -> dict[str, str]:
        """What reaches Redis as one of the shipped users."""
        return {
            "STREAMS_REDIS__URL": f"rediss://127.0.0.1:{self.redis_port}/0",
            "STREAMS_REDIS__CA_FILE": str(self.ca),
            "STREAMS_REDIS__USERNAME": user,
            "STREAMS_REDIS__PASSWORD_FILE": str(self.redis_secret),
            "STREAMS_REDIS__PREFIX": "streams:",
        }


@contextmanager
def secured(folder: Path) -> Iterator[Secured]:
    servers = Secured(folder)
    with servers.kafka, servers.redis:
        yield servers
