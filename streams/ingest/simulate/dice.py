"""Chance that comes out the same everywhere.

Only `Random.random` is used: Python promises its sequence for a seed, while what `choices`,
`sample` or `shuffle` make of it may change between versions.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from itertools import accumulate
from random import Random
from typing import Generic, TypeVar

T = TypeVar("T")


class Table(Generic[T]):
    """Items with weights, for `Dice.draw`.  Raises `ValueError` where no weight is above 0."""

    __slots__ = ("bounds", "items", "total")

    def __init__(self, weights: Mapping[T, float]) -> None:
        self.items: list[T] = [item for item, weight in weights.items() if weight > 0]
        if not self.items:
            raise ValueError("a table needs an item with a weight above 0")
        self.bounds = list(accumulate(weight for weight in weights.values() if weight > 0))
        self.total = self.bounds.pop()


class Dice:
    """`random()` in [0, 1), and what is made of it."""

    __slots__ = ("random",)

    def __init__(self, seed: int) -> None:
        self.random = Random(seed).random  # noqa: S311 - a simulation, no secret

    def chance(self, share: float) -> bool:
        return self.random() < share

    def below(self, n: int) -> int:
        """An integer in [0, n)."""
        return int(self.random() * n)

    def pick(self, items: Sequence[T]) -> T:
        return items[int(self.random() * len(items))]

    def draw(self, table: Table[T]) -> T:
        return table.items[bisect_right(table.bounds, self.random() * table.total)]
