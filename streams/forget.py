"""The command `forget`: what is kept of a post or an author goes, and does not come again."""

from __future__ import annotations

import json
import re
from typing import Final

import typer
from redis.exceptions import RedisError

from streams.config import Settings
from streams.errors import UsageError, UserError
from streams.keys import Layout
from streams.posts import PLATFORMS
from streams.posts.output import hash_author
from streams.redis_client import connect, unreachable
from streams.store.forgetting import forget

_DIGEST: Final = re.compile(r"[0-9a-f]{32}")


async def run_forget(settings: Settings, name: str, *, author: bool, as_json: bool) -> int:
    """Print what was removed; exit status 0.

    `name` is a uid (`platform:id`) or an author's digest as on `posts.classified`; with `author` it
    is `platform:id` of an account, with the id that the platform gives it.  Raises `UsageError` for
    anything else and `UserError` where Redis does not answer.
    """
    uid, digest = _meant(settings, name, author=author)
    redis = connect(settings.redis, retries=2)
    try:
        found = await forget(redis, Layout(settings.redis.prefix), uid=uid, author=digest)
    except LookupError:
        raise UserError(
            f"nothing was ever counted in {settings.redis.address} under the prefix "
            f"{settings.redis.prefix!r}: check redis.url and redis.prefix"
        ) from None
    except (RedisError, OSError, TimeoutError) as error:
        raise unreachable(settings.redis, error) from error
    finally:
        await redis.aclose()
    if as_json:
        document = {"uid": uid, "author": digest, **found._asdict()}
        typer.echo(json.dumps(document, sort_keys=True))
        return 0
    what = f"post {uid}" if uid is not None else f"author {digest}"
    typer.echo(
        f"{what}: removed {len(found.posts)} kept posts, {found.notes} notes of amplifiers, "
        f"{found.events} events, {found.subjects} subjects of reposts and replies"
    )
    typer.echo("a tombstone hides what is read again or comes later; counts stay as they are")
    typer.echo(
        "Kafka's topics hold what was sent as long as their retention says, and are not changed"
    )
    return 0


def _meant(settings: Settings, name: str, *, author: bool) -> tuple[str | None, str | None]:
    """Uid, or digest of the author."""
    platform, _, rest = name.partition(":")
    if platform in PLATFORMS and rest:
        if author:
            return None, hash_author(settings.privacy.key(), platform, rest).hex()
        return name, None
    if _DIGEST.fullmatch(name):
        return None, name
    raise UsageError(
        f"{name!r} is neither a uid (platform:id, with a platform of {', '.join(PLATFORMS)}) nor "
        "an author's digest (32 hex digits); an account is --author platform:id"
    )
