"""Faults of Redis."""

from __future__ import annotations

import random
from typing import Final

from redis import Redis

from streams.embedded import free_port
from tests.faults.fault import Fault, register
from tests.faults.redis_node import wait_until
from tests.faults.stage import Stage

_PASSWORD: Final = "another password"


@register
class RedisCrashed(Fault):
    """SIGKILL, 0.1 to 2 s of writes lost, started again."""

    name = "Redis crashed, writes lost"
    hold = (0.0, 2.0)

    def inject(self, stage: Stage, dice: random.Random) -> None:
        stage.redis.crash(dice.uniform(0.1, 2.0))

    def heal(self, stage: Stage) -> None:
        stage.redis.start()


@register
class RedisRestored(Fault):
    """An older RDB takes the place of what is there, while workers run."""

    name = "Redis restored from an RDB"
    hold = (1.0, 6.0)

    def inject(self, stage: Stage, dice: random.Random) -> None:
        stage.redis.backup()

    def heal(self, stage: Stage) -> None:
        stage.redis.restore()


@register
class RedisPaused(Fault):
    """CLIENT PAUSE: connected, and no answer."""

    name = "Redis paused"
    hold = (1.0, 6.0)

    def inject(self, stage: Stage, dice: random.Random) -> None:
        stage.redis.command("CLIENT", "PAUSE", 6000, dice.choice(("ALL", "WRITE")))

    def heal(self, stage: Stage) -> None:
        stage.redis.command("CLIENT", "UNPAUSE")


@register
class RedisAsleep(Fault):
    """DEBUG SLEEP: commands are done long after their callers gave up."""

    name = "Redis asleep"
    hold = (0.0, 0.5)

    def inject(self, stage: Stage, dice: random.Random) -> None:
        stage.redis.command("DEBUG", "SLEEP", f"{dice.uniform(0.5, 5):.1f}")


class _Refusing(Fault):
    """Redis answers with errors."""

    hold = (3.0, 5.0)
    waits = True


@register
class RedisFull(_Refusing):
    """At its memory limit: OOM."""

    name = "Redis at its memory limit"

    def inject(self, stage: Stage, dice: random.Random) -> None:
        stage.redis.command("CONFIG", "SET", "maxmemory", "1mb")

    def heal(self, stage: Stage) -> None:
        stage.redis.command("CONFIG", "SET", "maxmemory", "0")


@register
class RedisReadOnly(_Refusing):
    """A replica: READONLY."""

    name = "Redis read-only"

    def inject(self, stage: Stage, dice: random.Random) -> None:
        stage.redis.command("REPLICAOF", "127.0.0.1", free_port())

    def heal(self, stage: Stage) -> None:
        stage.redis.command("REPLICAOF", "NO", "ONE")


@register
class RedisLoading(_Refusing):
    """A large data set is being loaded: LOADING."""

    name = "Redis loading"
    hold = (0.0, 0.5)
    directive = "loading-process-events-interval-bytes 1024"  # since 7.0

    def inject(self, stage: Stage, dice: random.Random) -> None:
        with stage.redis.admin() as client:
            each = int(dice.uniform(4, 8) * 1_000_000 / max(1, client.dbsize()))
            client.config_set(*self.directive.split())
            client.config_set("key-load-delay", each)
        # Answers when it is done; the client of `reload` waits for that.
        self._reload = stage.redis.reload()

    def heal(self, stage: Stage) -> None:
        self._reload.result(60)
        stage.redis.command("CONFIG", "SET", "key-load-delay", 0)


@register
class RedisRefusesPassword(_Refusing):
    """The password was changed, and connections were ended."""

    name = "Redis refuses the password"

    def inject(self, stage: Stage, dice: random.Random) -> None:
        self._client: Redis = stage.redis.admin()
        self._client.config_set("requirepass", _PASSWORD)
        self._client.execute_command("AUTH", _PASSWORD)
        self._client.execute_command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")

    def heal(self, stage: Stage) -> None:
        with self._client as client:
            client.config_set("requirepass", "")


@register
class RedisDiskFull(_Refusing):
    """The append-only file cannot grow: MISCONF."""

    name = "Redis' disk full"

    def inject(self, stage: Stage, dice: random.Random) -> None:
        stage.redis.fill_disk()

    def heal(self, stage: Stage) -> None:
        stage.redis.free_disk()
        # Writes are refused until a later one succeeds, which Redis tries once a second.
        with stage.redis.admin() as client:
            wait_until(lambda: client.info("persistence")["aof_last_write_status"] == "ok")
        stage.redis.rewrite()
