"""Kafka's default partitioner.

`murmurhash2` hashes in C: a seventeenth of what aiokafka's own takes, byte by byte in Python
(0.27 and 4.58 µs for `x:919659438700670976`).
"""

from __future__ import annotations

from typing import Final

from murmurhash2 import murmurhash2

_SEED: Final = 0x9747B28C


def murmur2(data: bytes) -> int:
    """MurmurHash2 as in `org.apache.kafka.common.utils.Utils.murmur2`, unsigned."""
    hashed: int = murmurhash2(data, _SEED)
    return hashed


def partition_of(key: bytes, partitions: int) -> int:
    """The partition where Kafka's default partitioner puts a key."""
    return (murmur2(key) & 0x7FFFFFFF) % partitions
