"""The dead-letter limit: a bad deploy must not drain the topic into `posts.dead`.

After getsentry/arroyo (`dlq.py`): a ratio and a count of consecutive dead letters, by partition;
above either the partition stops, visibly, and nothing of the batch is written.
"""

from __future__ import annotations

from collections import deque

from streams.reading import Reading


class DeadLetterLimit:
    """`consecutive` dead records in a row, or above `ratio` (0..1) of the last `window` records."""

    def __init__(self, consecutive: int, window: int, ratio: float) -> None:
        self._consecutive = consecutive
        self._window = window
        self._ratio = ratio
        self._run = 0
        self._batches: deque[tuple[int, int]] = deque()
        self._records = 0
        self._dead = 0

    def pause_reason(self, reading: Reading) -> str | None:
        """Take a batch into account; why the partition must pause, or None."""
        dead = len(reading.dead)
        longest = self._longest_run(reading)
        self._batches.append((reading.taken, dead))
        self._records += reading.taken
        self._dead += dead
        while self._batches and self._records - self._batches[0][0] >= self._window:
            records, letters = self._batches.popleft()
            self._records -= records
            self._dead -= letters
        if longest >= self._consecutive:
            return f"{longest} dead letters in a row (limit {self._consecutive})"
        if self._records >= self._window and self._dead > self._ratio * self._records:
            share = f"{self._dead} of the last {self._records} records"
            return f"{share} are dead letters (limit {self._ratio:.0%})"
        return None

    def _longest_run(self, reading: Reading) -> int:
        if not reading.dead:
            self._run = 0
            return 0
        offsets = [letter.record.offset for letter in reading.dead]
        longest = run = 0
        expected = reading.first
        for offset in offsets:
            # A run goes on where this dead record directly follows the one before it.
            run = run + 1 if run and offset == expected else 1
            if offset == reading.first:
                run += self._run
            longest = max(longest, run)
            expected = offset + 1
        self._run = run if expected > reading.last else 0
        return longest
