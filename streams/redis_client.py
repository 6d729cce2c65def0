"""A redis.asyncio client by the settings: one server, Sentinel or Cluster; TLS; ACL user."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from redis.asyncio import Redis, RedisCluster
from redis.asyncio.retry import Retry
from redis.asyncio.sentinel import Sentinel
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from streams.config import RedisSettings
from streams.errors import UserError

Client = Redis | RedisCluster


def connect(redis: RedisSettings, *, retries: int = 0) -> Client:
    """A client that answers bytes and connects at the first command.

    `retries` is 0 by default, for workers: redis-py would repeat a command whose answer was lost,
    on another connection if need be; a worker redoes its whole batch instead.  Readers may retry.
    """
    if redis.cluster:
        # Moved slots are followed without retries too: the server says so before it does anything.
        return RedisCluster.from_url(redis.url, **_connection(redis, retries))
    if redis.sentinels and redis.service is not None:
        sentinel = Sentinel(
            [_host_port(node) for node in redis.sentinels],
            sentinel_kwargs=_sentinel(redis),
            db=int(urlsplit(redis.url).path.strip("/") or 0),
            **_connection(redis, retries),
            **({"ssl": True} if redis.tls else {}),
        )
        master: Redis = sentinel.master_for(redis.service)
        return master
    return Redis.from_url(redis.url, **_connection(redis, retries))


def _host_port(node: str) -> tuple[str, int]:
    host, _, port = node.rpartition(":")
    return host.strip("[]"), int(port)


def _connection(redis: RedisSettings, retries: int) -> dict[str, Any]:
    options: dict[str, Any] = {
        "socket_timeout": redis.timeout,
        "socket_connect_timeout": redis.timeout,
        "retry": Retry(NoBackoff(), retries),
        "health_check_interval": 0,
        "client_name": "streams",
        **_tls(redis),
    }
    if redis.username is not None:
        options["username"] = redis.username
    if redis.password is not None:
        options["password"] = redis.password.get_secret_value()
    return options


def _tls(redis: RedisSettings) -> dict[str, str]:
    if not redis.tls:
        return {}
    files = {
        "ssl_ca_certs": redis.ca_file,
        "ssl_certfile": redis.cert_file,
        "ssl_keyfile": redis.key_file,
    }
    return {option: str(path) for option, path in files.items() if path is not None}


def _sentinel(redis: RedisSettings) -> dict[str, Any]:
    options: dict[str, Any] = {
        "socket_timeout": redis.timeout,
        "socket_connect_timeout": redis.timeout,
        **_tls(redis),
    }
    if redis.tls:
        options["ssl"] = True
    if redis.sentinel_username is not None:
        options["username"] = redis.sentinel_username
    if redis.sentinel_password is not None:
        options["password"] = redis.sentinel_password.get_secret_value()
    return options


def unreachable(redis: RedisSettings, error: BaseException) -> UserError:
    """The one line for a Redis that does not answer."""
    # redis-py goes on, after a colon, with the whole inside of its client.
    reason = str(error).partition(" : ")[0].partition("\n")[0].rstrip(".") or type(error).__name__
    return UserError(
        f"Redis at {redis.address} does not answer ({reason}): "
        "is it running, and is redis.url (STREAMS_REDIS__URL) right?"
    )


async def ping(client: Client, redis: RedisSettings) -> None:
    """UserError where Redis does not answer or refuses the user."""
    try:
        await client.ping()
    except (RedisError, OSError, TimeoutError) as error:
        raise unreachable(redis, error) from error
