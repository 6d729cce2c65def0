"""Posts that were taken back, and authors who left: whatever reads posts leaves them out, whenever
their delete came.

A delete is kept beside the counters of its uid's partition for as long as the log still holds it:
until then the post may be read once more, and has to stay away.  Counts know nothing of deletes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final
from zlib import crc32

from streams.keys import GenerationKeys
from streams.reading import seen_member
from streams.store.commands import Command, reading_script
from streams.store.reads import Reader

#: Small sets are kept as arrays of some 20 bytes a delete (Redis' default: up to 128 members).
BUCKETS: Final = 4096
_KEYS: Final = GenerationKeys("")


def tombstones(deleted: Mapping[str, int]) -> dict[str, list[int | str]]:
    """Arguments of ZADD (offset, member, ...) by key; from uid -> offset of its delete."""
    found: dict[str, list[int | str]] = {}
    for uid, offset in deleted.items():
        bucket, member = place(uid)
        found.setdefault(_KEYS.deleted(bucket), []).extend((offset, member))
    return found


def place(uid: str) -> tuple[int, str]:
    """Bucket and member of a uid, or of what stands for an author."""
    member = "".join(seen_member(uid))
    return crc32(member.encode()) % BUCKETS, member


# One command for a partition instead of hundreds.
_SCORES: Final = """
local found, keys = {}, tonumber(ARGV[1])
for i = 1, keys do
  found[i] = redis.call('ZSCORE', ARGV[i + 1], ARGV[i + 1 + keys]) and 1 or 0
end
return found
"""


async def deleted(reader: Reader, uids: Iterable[str]) -> set[str]:
    """Which of these posts were taken back (or authors left)."""
    asked = {uid: place(uid) for uid in uids}
    if not asked:
        return set()
    members = [member for _, member in asked.values()]

    def ask(_: str, keys: GenerationKeys) -> list[Command]:
        places = [keys.deleted(bucket) for bucket, _member in asked.values()]
        return [reading_script(_SCORES, places, members)]

    found: set[str] = set()
    for answer in await reader.read(ask):
        for (flags,) in answer.replies:
            found |= {uid for uid, flag in zip(asked, flags, strict=True) if flag}
    return found
