"""A primary, its replica and three Sentinels; failover to a replica that is behind."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final

from redis import Redis
from redis.exceptions import RedisError

from streams.embedded import LOCALHOST, Child, EmbeddedRedis, free_port, port_answers
from streams.embedded.redis import find_redis_server
from streams.errors import UserError

SERVICE: Final = "faults"
_DOWN_MS: Final = 3000
_WAIT_SECONDS: Final = 60.0


class Sentinels:
    """`primary` is the server that Sentinel names now."""

    def __init__(self, folder: Path) -> None:
        options = {"repl-diskless-sync-delay": "0", "repl-ping-replica-period": "1"}
        self.servers = [
            EmbeddedRedis(folder / f"redis-{n}", appendonly=True, options=options) for n in range(2)
        ]
        self._folder = folder
        self._sentinels: list[Child] = []
        self.ports = [free_port() for _ in range(3)]

    @property
    def addresses(self) -> tuple[str, ...]:
        return tuple(f"{LOCALHOST}:{port}" for port in self.ports)

    def start(self) -> None:
        first, second = self.servers
        first.start()
        second.start()
        command(second, "REPLICAOF", LOCALHOST, first.port)
        self._wait(lambda: _info(second).get("master_link_status") == "up", "a replica in step")
        for n, port in enumerate(self.ports):
            self._sentinels.append(self._sentinel(n, port, first.port))
        self._wait(lambda: all(self._knows(port) for port in self.ports), "Sentinels that agree")

    def _sentinel(self, n: int, port: int, primary: int) -> Child:
        folder = self._folder / f"sentinel-{n}"
        folder.mkdir(parents=True)
        config = folder / "sentinel.conf"
        config.write_text(
            f"port {port}\nbind {LOCALHOST}\ndir {folder}\n"
            f"sentinel monitor {SERVICE} {LOCALHOST} {primary} 2\n"
            f"sentinel down-after-milliseconds {SERVICE} {_DOWN_MS}\n"
            f"sentinel failover-timeout {SERVICE} 10000\n"
        )
        child = Child(
            f"Sentinel {n}",
            [find_redis_server(), config, "--sentinel"],
            log=folder / "sentinel.log",
            grace=3,
        ).start()
        child.wait_ready(lambda: port_answers(port))
        return child

    def _knows(self, port: int) -> bool:
        """Whether a Sentinel has found the replica and the other two."""
        with Redis(host=LOCALHOST, port=port, socket_timeout=2) as client:
            found = client.sentinel_master(SERVICE)
            return found["num-slaves"] >= 1 and found["num-other-sentinels"] == 2

    def stop(self) -> None:
        for sentinel in self._sentinels:
            sentinel.kill()
        for server in self.servers:
            server.kill()

    @property
    def primary(self) -> EmbeddedRedis:
        for port in self.ports:
            with (
                suppress(RedisError, OSError),
                Redis(host=LOCALHOST, port=port, socket_timeout=2) as client,
            ):
                _, named = client.sentinel_get_master_addr_by_name(SERVICE)
                return next(server for server in self.servers if server.port == int(named))
        raise UserError("no Sentinel answers")

    def fail_over(self, behind: float) -> None:
        """Kill the primary when its replica is so many seconds of writes behind, and wait until
        the replica has taken over; then the old primary comes back as a replica."""
        old = self.primary
        new = next(server for server in self.servers if server is not old)
        self._wait(lambda: _info(new).get("master_link_status") == "up", "a replica in step")
        assert new.child is not None
        new.child.signal(signal.SIGSTOP)
        # What the kernel holds for a stopped process would still reach it: end the connection.
        command(old, "CLIENT", "KILL", "TYPE", "replica")
        time.sleep(behind)
        old.kill()
        new.child.signal(signal.SIGCONT)
        self._wait(lambda: self.primary is new and _info(new)["role"] == "master", "a failover")
        old.start()
        self._wait(lambda: _info(old)["role"] == "slave", "the old primary as a replica")

    def _wait(self, ready: Any, what: str) -> None:
        deadline = time.monotonic() + _WAIT_SECONDS
        while True:
            with suppress(RedisError, OSError):
                if ready():
                    return
            if time.monotonic() > deadline:
                raise UserError(f"waited {_WAIT_SECONDS:.0f} s for {what}")
            time.sleep(0.1)


def command(server: EmbeddedRedis, *parts: Any) -> Any:
    with Redis.from_url(server.url, socket_timeout=5) as client:
        return client.execute_command(*parts)


def _info(server: EmbeddedRedis) -> dict[str, Any]:
    with Redis.from_url(server.url, socket_timeout=5) as client:
        return dict(client.info("replication"))


@contextmanager
def sentinels(folder: Path) -> Iterator[Sentinels]:
    """Running."""
    made = Sentinels(folder)
    try:
        made.start()
        yield made
    finally:
        made.stop()
