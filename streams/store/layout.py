"""The layout of the keys has a number: who knows another one neither reads nor writes them.

`<prefix>layout` holds the number.  A worker with a newer one moves the keys of the older one when
it starts, also while older workers run: each partition's state is fenced first, by one script, and
from then on no batch of an older worker is written there.  Older programs end with one line.
"""

from __future__ import annotations

import logging
import re
from importlib.resources import files
from typing import Any, Final

from streams import __version__, keys
from streams.errors import UserError
from streams.keys import Layout

log: Final = logging.getLogger(__name__)

_AT_ONCE: Final = 500  # keys that are moved by one call: a millisecond
_LUA: Final = files("streams.store") / "lua"
_FENCE: Final = (_LUA / "fence.lua").read_text()
_RENAME: Final = (_LUA / "rename.lua").read_text()


class LayoutError(UserError):
    """Redis holds another layout than this program knows."""


def newer(number: int) -> LayoutError:
    return LayoutError(
        f"Redis holds layout {number} of the keys, written by a newer streams; this one "
        f"({__version__}) knows {keys.LAYOUT_VERSION}: run the newer version, or restore a backup "
        "from before the update, or set another redis.prefix"
    )


async def require(redis: Any, layout: Layout) -> None:
    """Raises `LayoutError` unless Redis holds this program's layout, or none yet."""
    stored = int(await redis.get(layout.number) or keys.LAYOUT_VERSION)
    if stored > keys.LAYOUT_VERSION:
        raise newer(stored)
    if stored < keys.LAYOUT_VERSION:
        raise LayoutError(
            f"Redis holds layout {stored} of the keys, this streams ({__version__}) knows "
            f"{keys.LAYOUT_VERSION}: start a worker of this version, which moves them"
        )


async def take(redis: Any, layout: Layout) -> None:
    """For workers: write this program's layout, and move the keys of an older one.

    Raises `LayoutError` where Redis holds a newer one, and what redis-py raises; may be repeated.
    """
    stored = int(await redis.get(layout.number) or 0)
    if stored > keys.LAYOUT_VERSION:
        raise newer(stored)
    for number in range(stored or 1, keys.LAYOUT_VERSION):
        await migrate(redis, layout, number)
    if stored != keys.LAYOUT_VERSION:
        await redis.set(layout.number, keys.LAYOUT_VERSION)


async def migrate(redis: Any, layout: Layout, number: int) -> None:
    """Give all keys of layout `number` their names in the next one; exact, and may be repeated.

    What a next layout changes beside names belongs here, between the fence and the last step.
    """
    old, new = f"{layout.prefix}{number}:", f"{layout.prefix}{number + 1}:"
    # Moved last: without it a worker that goes on with this could not know what waits.
    partitions = f"{old}partitions"
    names = [f"{{{member.decode()}}}:" for member in await redis.smembers(partitions)]
    fence, rename = redis.register_script(_FENCE), redis.register_script(_RENAME)
    for name in names:
        await fence(keys=[f"{old}{name}state", f"{new}{name}waiting"], args=[number + 1])
    moved = 0
    together: dict[str, list[str]] = {}  # by hash tag: old name, new name, ...
    async for key in redis.scan_iter(match=f"{_literal(old)}*", count=1000):
        found = key.decode()
        if found == partitions or found.endswith("}:state"):
            continue
        tag = found[found.find("{") : found.find("}")]
        if not tag:
            moved += await _copy(redis, found, new + found.removeprefix(old))
            continue
        pairs = together.setdefault(tag, [])
        pairs += (found, new + found.removeprefix(old))
        if len(pairs) >= 2 * _AT_ONCE:
            moved += await rename(keys=pairs)
            pairs.clear()
    for pairs in filter(None, together.values()):
        moved += await rename(keys=pairs)
    for name in names:
        await rename(keys=[f"{new}{name}waiting", f"{new}{name}state"])
    await _copy(redis, partitions, f"{new}partitions")
    log.info("moved %d keys of %d partitions to layout %d", moved, len(names), number + 1)


def _literal(text: str) -> str:
    """`text` for MATCH, where some characters mean more than themselves."""
    return re.sub(r"([*?\[\]\\^])", r"\\\1", text)


async def _copy(redis: Any, name: str, new_name: str) -> bool:
    """A key without a hash tag: in a Cluster its new name may be another node's.

    False where another worker has moved it already.
    """
    dumped = await redis.dump(name)
    if dumped is None:
        return False
    await redis.restore(new_name, 0, dumped, replace=True)
    await redis.unlink(name)
    return True
