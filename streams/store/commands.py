"""Commands to read with, for one partition's transaction, on one Redis as on a Cluster."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

#: Method of a redis-py pipeline, and its arguments.
Command = tuple[Any, ...]


def mget(keys: Iterable[str]) -> Command:
    """MGET of keys of one partition: redis-py refuses its own method in a Cluster's pipeline."""
    return ("execute_command", "MGET", *keys)


# One command instead of a hundred: on a Cluster redis-py takes a millisecond for each command of a
# transaction (an exporter's first read of 8 partitions: 52 s before, a tenth of it after).
_HMGETS: Final = """
local found, keys = {}, tonumber(ARGV[1])
for i = 1, keys do found[i] = redis.call('HMGET', ARGV[i + 1], unpack(ARGV, keys + 2)) end
return found
"""


def hmgets(keys: Sequence[str], fields: Sequence[str]) -> Command:
    """The same fields of many hashes of one partition: a list of values for each key.

    At most 7,000 fields; a few hundred keys, as nothing else runs in Redis meanwhile.
    """
    return reading_script(_HMGETS, keys, fields)


_HGETALLS: Final = """
local found = {}
for i = 1, tonumber(ARGV[1]) do found[i] = redis.call('HGETALL', ARGV[i + 1]) end
return found
"""


def hgetalls(keys: Sequence[str]) -> Command:
    """All of many small hashes of one partition: a list of fields and values in turn for each."""
    return reading_script(_HGETALLS, keys, ())


def reading_script(script: str, keys: Sequence[str], arguments: Iterable[str]) -> Command:
    """A script that only reads keys of one partition: ARGV is their number, the keys, the rest.

    Its one declared key says which slot, and never exists: Redis wants the right to write whatever
    a script declares, and who reads shall not have it.
    """
    slot = f"{keys[0].partition('}')[0]}}}:reader"
    return ("eval", script, 1, slot, len(keys), *keys, *arguments)


def add(counter: Counter[str], fields: Mapping[bytes, bytes]) -> None:
    """Add a hash of numbers."""
    for field, value in fields.items():
        counter[field.decode()] += int(value)
