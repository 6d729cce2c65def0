"""One partition of a recount: read the log behind the worker, and swap where both stand alike."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Final, NamedTuple

from streams import __version__
from streams.campaigns import Campaign
from streams.campaigns.versions import revision
from streams.classify import Classifier
from streams.increments import Result
from streams.ports import Kinship
from streams.reading import Place, Reading, Rules, read
from streams.recount.cut import nothing_but_uids, of_campaign, version_id
from streams.store.commit import Commit, Moved, State, key_hash
from streams.store.recount import Bounds, Live, RecountStore, Stale, VersionStore
from streams.writing import BatchWriter

#: A log that has ended gives workers so long (s) to learn of the campaign before it is swapped.
_IDLE_SECONDS: Final = 3.0

#: Records from an offset on, a few at once or none: not read yet.
Fetch = Callable[[int], Awaitable[Sequence[Any]]]


class Task(NamedTuple):
    """What is counted again: the campaign of all those in force, and since when (ms)."""

    campaign: Campaign
    in_force: Sequence[Campaign]
    since: int
    rules: Rules
    most: int  # records in one commit

    @property
    def revision(self) -> str:
        return revision(self.campaign)


class LostLog(Exception):
    """The log has lost records that were to be counted."""


class TakenOver(Exception):
    """Another recount of the campaign, since another time or by another revision, began later."""


class Nowhere:
    """Outputs and metrics of a recount: none."""

    async def write(self, place: Place, reading: Reading, result: Result) -> None: ...
    def committed(self, reading: Reading, result: Result, seconds: Mapping[str, float]) -> None: ...
    def rejected(self, reason: str) -> None: ...
    def waiting(self, reason: str) -> None: ...
    def incident(self, kind: str, **facts: object) -> None: ...


class PartitionRecount:
    """Reads no further than the worker has counted; `step` again and again until `done`."""

    def __init__(
        self,
        task: Task,
        place: Place,
        *,
        redis: Any,
        store: RecountStore,
        kinship: Kinship,
        classifiers: tuple[Classifier, Classifier],
        bounds: Bounds,
    ) -> None:
        self.place = place
        self.done = False
        self.waits_for: str | None = None  # what nothing can be done without
        self.bounds = bounds
        self.offset = bounds.read_from
        self.target = bounds.read_from  # as far as the worker has counted
        self.time = 0  # ms, of the last record read
        self._task = task
        self._redis = redis
        self._store = store
        self._kinship = kinship
        self._before, self._classifier = classifiers  # until the first post that counts, and then
        self._state: State | None = None
        self._gen = 0
        self.id = ""  # of the version, once begun
        self._version: VersionStore | None = None
        self._writer: BatchWriter | None = None
        self._records: list[Any] = []
        self._stale: tuple[tuple[Any, ...], Stale] | None = None
        self._since_idle: tuple[int, float] | None = None

    async def step(self, fetch: Fetch) -> bool:
        """Count some, or swap; False where there is nothing to do but wait.

        Raises `LostLog`, `Moved` (nothing was written; the next step begins where Redis is), and
        what Redis and Kafka raise.
        """
        try:
            return await self._step(fetch)
        except BaseException:
            self.restart()
            raise

    def restart(self) -> None:
        """Believe nothing: the next step asks Redis where this stands."""
        self._state = self._stale = None
        self._records = []

    async def verify(self) -> bool:
        """Whether it is swapped still: Redis may have gone back, or a worker that did not know of
        the campaign may have counted since."""
        live = await self._store.live()
        self.done = await self._is_done(live)
        return self.done

    async def _step(self, fetch: Fetch) -> bool:
        self.waits_for = None
        if self._state is None and not await self._begin():
            return False
        state = self._state
        assert state is not None and state.offset is not None  # noqa: S101, PT018 - as begun
        if state.offset >= self.target:
            live = await self._store.live()
            if live.gen != self._gen:
                raise Moved
            self.target = live.offset or 0
            if self.target < state.offset:
                if state.timestamp is not None:
                    raise Moved  # Redis went back
                self.waits_for = "the worker to come to where reading begins"
                return False
            if self.target < self.bounds.count_from and not live.drained:
                self.waits_for = "the worker to come to where counting begins"
                if state.offset == self.target:
                    return False
            elif state.offset == self.target:
                return await self._meet(live)
        return await self._read(state, fetch)

    async def _begin(self) -> bool:
        """Find or make the version; False where it is swapped, or the worker has yet to count."""
        live = await self._store.live()
        if await self._is_done(live):
            self.done = True
            await self._store.tidy()
            return False
        if live.offset is None:
            self.waits_for = "a worker to count this partition"
            return False
        if self.id:
            # It was begun before: Redis went back, or another command wants another version.
            other = await self._store.claimed()
            if other not in (None, self.id):
                raise TakenOver
        self._gen = live.gen
        self.id = self._id_in(live.gen)
        begun = await self._store.begin(self.id, live.gen, self.bounds)
        if begun is None:
            raise Moved
        self.bounds = begun
        await self._store.tidy()
        keys = self._store.keys.version(self._task.campaign.name, self.id)
        self._version = VersionStore(self._redis, keys, nothing_but_uids)
        self._writer = BatchWriter(
            place=self.place,
            store=self._version,
            outputs=Nowhere(),
            observer=Nowhere(),
            kinship=self._kinship,
            rules=self._task.rules,
        )
        state = await self._version.load()
        if state.offset is None:
            raise Moved  # swapped, or another took over, in between
        self._state, self.offset = state, state.offset
        self.target = live.offset
        return True

    def _id_in(self, gen: int) -> str:
        task = self._task
        return version_id(__version__, task.revision, task.since, gen)

    async def _is_done(self, live: Live) -> bool:
        mark = await self._store.mark(live.gen)
        if mark is None or mark.id != self._id_in(live.gen):
            return False
        since = await self._store.revisions_since(live.gen, mark.offset)
        return since <= {self._task.revision}

    async def _read(self, state: State, fetch: Fetch) -> bool:
        """One batch, cut where counting begins and where the worker stands."""
        assert state.offset is not None  # noqa: S101 - as begun
        if not self._records:
            self._records = list(await fetch(state.offset))
            if not self._records:
                return False
        limit = self.target
        if self._records[0].offset < self.bounds.count_from:
            limit = min(limit, self.bounds.count_from)
        batch = [one for one in self._records[: self._task.most] if one.offset < limit]
        if not batch:
            # The worker's last record is not in the log that is read here.
            raise LostLog
        await self._count(state, batch)
        return True

    async def _count(self, state: State, records: list[Any]) -> None:
        task = self._task
        assert self._version is not None and self._writer is not None  # noqa: S101, PT018
        counts = records[0].offset >= self.bounds.count_from
        reading = read(records, watermark=state.watermark, sources=state.sources, rules=task.rules)
        last = records[reading.taken - 1]
        commit = Commit(
            gen=state.gen,
            expect=state.offset,
            base=records[0].offset,
            offset=last.offset + 1,
            timestamp=last.timestamp,
            key=key_hash(last.key),
        )
        self._version.cut = self._own if counts else nothing_but_uids
        await self._writer.write(commit, reading, self._classifier if counts else self._before, ())
        self._state = State(
            gen=state.gen,
            offset=commit.offset,
            timestamp=commit.timestamp,
            key=commit.key,
            watermark=reading.watermark,
            sources={**state.sources, **reading.sources},
        )
        self.offset, self.time = commit.offset, last.timestamp
        self._records = self._records[reading.taken :]

    def _own(self, result: Result) -> Result:
        return of_campaign(result, self._task.campaign.name)

    async def _meet(self, live: Live) -> bool:
        """Both stand at the same offset: swap, where workers count this revision or the log has
        ended."""
        task, name = self._task, self._task.campaign.name
        known = live.revision(name) == task.revision
        if not known and not self._idle(live):
            self.waits_for = f"workers to count {name} {task.revision}"
            return False
        # What the worker adds to the campaign under these rules, the version has, too.
        holds = (live.gen, live.rules, live.notes, None if known else live.offset)
        if self._stale is None or self._stale[0] != holds:
            self._stale = (holds, await self._store.stale(live.gen))
            return True
        answer = await self._store.swap(
            self.id,
            live,
            self._stale[1],
            note="" if known else self._classifier.versions,
            facts={"revision": task.revision, "since": task.since, "count": self.bounds.count_from},
        )
        if answer == "ok":
            self.done = True
            await self._store.tidy()
        elif answer == "taken":
            raise Moved
        return True

    def _idle(self, live: Live) -> bool:
        now = time.monotonic()
        if not live.drained or live.offset is None:
            self._since_idle = None
            return False
        if self._since_idle is None or self._since_idle[0] != live.offset:
            self._since_idle = (live.offset, now)
        return now - self._since_idle[1] >= _IDLE_SECONDS
