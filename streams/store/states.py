"""Where each partition stands, and what time it is for all of them together.  Pure."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from typing import Final, Literal, NamedTuple

Clock = Literal["live", "replay"]

STATE_FIELDS: Final = ("gen", "offset", "watermark", "recounts")


class PartitionState(NamedTuple):
    """One partition, as Redis holds it.

    `offset` is the next one to count, `watermark` the newest counted created_at (ms), `end` the
    log's end as its worker last saw it, `paused` why it is paused, `reported` when (wall, ms) its
    worker last said so; None where not known.  `recounts` is how many campaigns were counted again:
    where it changes, what is known of old buckets no longer holds.
    """

    name: str
    gen: int = 0
    offset: int | None = None
    watermark: int | None = None
    end: int | None = None
    paused: str | None = None
    reported: int | None = None
    recounts: int = 0

    @property
    def drained(self) -> bool:
        """Whether everything in the log is counted."""
        return self.end is not None and (self.offset or 0) >= self.end

    @property
    def lag(self) -> int | None:
        """Records that are not counted yet; None where the log's end is not known."""
        return None if self.end is None else max(0, self.end - (self.offset or 0))

    def stands_as(self, before: PartitionState) -> bool:
        """Whether nothing was counted since."""
        return (self.gen, self.offset) == (before.gen, before.offset)

    def goes_on_from(self, before: PartitionState) -> bool:
        """Whether nothing that was known then can have been taken back, or counted again."""
        same_log = before.gen == self.gen and before.recounts == self.recounts
        return same_log and (self.offset or 0) >= (before.offset or 0)


class Progress:
    """What partitions counted between two looks.

    Each has its own pace: one that is behind still fills buckets that others closed long ago.
    """

    def __init__(self) -> None:
        self._states: dict[str, PartitionState] = {}

    def since(self, states: Collection[PartitionState]) -> float:
        """From which created_at on (s) posts were counted since the last call, save for those that
        came out of order; `inf` where there were none, `-inf` where anything may have changed."""
        before, self._states = self._states, {state.name: state for state in states}
        return min((_since(before.get(state.name), state) for state in states), default=math.inf)


def _since(before: PartitionState | None, now: PartitionState) -> float:
    if before is None or not now.goes_on_from(before):
        return -math.inf
    if now.stands_as(before):
        return math.inf
    return -math.inf if before.watermark is None else before.watermark / 1000


def parse_state(
    name: str, fields: Sequence[bytes | None], live: Mapping[bytes, bytes]
) -> PartitionState:
    """From the values of `STATE_FIELDS` and the partition's `live` hash."""
    gen, offset, watermark, recounts = (None if value is None else int(value) for value in fields)
    end, paused, reported = live.get(b"end"), live.get(b"paused"), live.get(b"at")
    return PartitionState(
        name=name,
        gen=gen or 0,
        offset=offset,
        watermark=watermark,
        end=None if end is None else int(end),
        paused=None if paused is None else paused.decode(errors="replace"),
        reported=None if reported is None else int(reported),
        recounts=recounts or 0,
    )


class Times(NamedTuple):
    """Seconds since 1970: `watermark`, the time of the whole; `newest`, the newest counted post."""

    watermark: float
    newest: float


def times(states: Collection[PartitionState], clock: Clock, now: float) -> Times | None:
    """The watermark of the whole: the minimum over partitions that are not drained.

    When all are drained it is `now` (`live`; s) or the newest post (`replay`).  A partition that
    has counted nothing does not hold it back.  None where nothing was ever counted.
    """
    known = [state for state in states if state.watermark is not None]
    if not known:
        return None
    newest = max(state.watermark or 0 for state in known) / 1000
    behind = [state.watermark or 0 for state in known if not state.drained]
    if behind:
        return Times(min(behind) / 1000, newest)
    return Times(now if clock == "live" else newest, newest)
