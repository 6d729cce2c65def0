"""A Redis Cluster whose slots move and whose masters die."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final

from redis import Redis
from redis.exceptions import RedisError

from streams.embedded import LOCALHOST, EmbeddedRedis
from streams.errors import UserError

SLOTS: Final = 16_384
_OPTIONS: Final = {
    "cluster-enabled": "yes",
    "cluster-node-timeout": "2000",
    "cluster-require-full-coverage": "no",
    "cluster-replica-validity-factor": "0",  # a replica takes over, however far it is behind
    "repl-diskless-sync-delay": "0",
    "repl-ping-replica-period": "1",
}
_FORM_SECONDS: Final = 60.0


class Node:
    """One server of the Cluster."""

    def __init__(self, folder: Path) -> None:
        self.server = EmbeddedRedis(folder, appendonly=True, options=_OPTIONS)
        self.id = ""

    def command(self, *parts: Any) -> Any:
        with Redis.from_url(self.server.url, socket_timeout=10) as client:
            return client.execute_command(*parts)

    def info(self, section: str) -> dict[str, Any]:
        with Redis.from_url(self.server.url, socket_timeout=10) as client:
            return dict(client.info(section))

    def ok(self) -> bool:
        """Whether it holds the Cluster for whole."""
        with suppress(RedisError, OSError):
            return b"cluster_state:ok" in self.command("CLUSTER", "INFO")
        return False

    def is_master(self) -> bool:
        with suppress(RedisError, OSError):
            return bool(self.info("replication")["role"] == "master")
        return False


class RedisNodes:
    """`masters` share the slots; each has a replica where `replicas`."""

    def __init__(self, folder: Path, *, masters: int = 3, replicas: bool = False) -> None:
        count = masters * (2 if replicas else 1)
        self.nodes = [Node(folder / f"node-{n}") for n in range(count)]
        self._masters = masters

    @property
    def url(self) -> str:
        return self.nodes[0].server.url

    def form(self) -> None:
        """Raises `UserError` where it does not form."""
        first, masters = self.nodes[0], self.nodes[: self._masters]
        for node in self.nodes:
            node.server.start()
            node.id = node.command("CLUSTER", "MYID").decode()
        for n, node in enumerate(masters):
            slots = range(SLOTS * n // len(masters), SLOTS * (n + 1) // len(masters))
            node.command("CLUSTER", "ADDSLOTS", *slots)
        for node in self.nodes[1:]:
            node.command("CLUSTER", "MEET", LOCALHOST, first.server.port)
        self._wait(lambda: all(node.ok() for node in self.nodes), "form")
        for master, replica in zip(masters, self.nodes[self._masters :], strict=False):
            replica.command("CLUSTER", "REPLICATE", master.id)
            self._wait(
                lambda node=replica: node.info("replication").get("master_link_status") == "up",
                "replicate",
            )

    def stop(self) -> None:
        for node in self.nodes:
            node.server.kill()

    def masters(self) -> list[Node]:
        return [node for node in self.nodes if node.is_master()]

    def owner(self, slot: int) -> Node:
        """The master that serves a slot; `UserError` where there is none."""
        for node in self.masters():
            with suppress(RedisError, OSError):
                for line in node.command("CLUSTER", "NODES").decode().splitlines():
                    fields = line.split()
                    if "myself" in fields[2] and _holds(fields[8:], slot):
                        return node
        raise UserError(f"nobody serves slot {slot}")

    def begin_move(self, slot: int, source: Node, target: Node) -> None:
        target.command("CLUSTER", "SETSLOT", slot, "IMPORTING", source.id)
        source.command("CLUSTER", "SETSLOT", slot, "MIGRATING", target.id)

    def move_keys(self, source: Node, target: Node, keys: list[bytes]) -> None:
        if keys:
            source.command(
                "MIGRATE", LOCALHOST, target.server.port, "", 0, 10_000, "KEYS", *keys
            )  # fmt: skip

    def end_move(self, slot: int, target: Node) -> None:
        target.command("CLUSTER", "SETSLOT", slot, "NODE", target.id)
        for node in self.masters():
            with suppress(RedisError, OSError):
                node.command("CLUSTER", "SETSLOT", slot, "NODE", target.id)

    def move(self, slot: int, target: Node, *, pause: float = 0.0) -> None:
        """Move a slot as `redis-cli --cluster reshard` does: its keys a few at a time."""
        source = self.owner(slot)
        if source is target:
            return
        self.begin_move(slot, source, target)
        while keys := source.command("CLUSTER", "GETKEYSINSLOT", slot, 20):
            self.move_keys(source, target, keys)
            time.sleep(pause)
        self.end_move(slot, target)

    def wait_until_covered(self, slot: int) -> None:
        """Until a master that lives serves the slot."""

        def served() -> bool:
            with suppress(UserError):
                return self.owner(slot).ok()
            return False

        self._wait(served, "recover")

    def wait_ok(self) -> None:
        self._wait(lambda: all(n.ok() for n in self.nodes if _runs(n)), "come to rest")

    def _wait(self, ready: Any, what: str) -> None:
        deadline = time.monotonic() + _FORM_SECONDS
        while not ready():
            if time.monotonic() > deadline:
                raise UserError(f"the Redis Cluster does not {what}")
            time.sleep(0.1)


def _runs(node: Node) -> bool:
    return node.server.child is not None and node.server.child.running


def _holds(ranges: list[str], slot: int) -> bool:
    for item in ranges:
        if item.startswith("["):
            continue
        first, _, last = item.partition("-")
        if int(first) <= slot <= int(last or first):
            return True
    return False


@contextmanager
def redis_nodes(folder: Path, *, masters: int = 3, replicas: bool = False) -> Iterator[RedisNodes]:
    """A running Cluster."""
    nodes = RedisNodes(folder, masters=masters, replicas=replicas)
    try:
        nodes.form()
        yield nodes
    finally:
        nodes.stop()
