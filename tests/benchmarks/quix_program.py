"""The same work in Quix Streams: dedupe in its state (RocksDB), counts in memory.

Run by `quix.py` in an environment of its own, with `plain_work` on the path:
`python quix_program.py BOOTSTRAP TOPIC POSTS GROUP FOLDER`.  Prints one line of JSON.
"""

from __future__ import annotations

import json
import sys
import time
from collections import Counter
from typing import Any

from plain_work import SECONDS, parse  # type: ignore[import-not-found]
from quixstreams import Application, State  # type: ignore[import-not-found]


def main() -> None:
    bootstrap, topic, posts, group, folder = sys.argv[1:]
    wanted = int(posts)
    counts: Counter[tuple[str, str, str]] = Counter()
    done = {"posts": 0, "unique": 0}
    clock: dict[str, float] = {}
    said: dict[str, Any] = {}
    app = Application(
        broker_address=bootstrap,
        consumer_group=group,
        auto_offset_reset="earliest",
        state_dir=folder,
        use_changelog_topics=False,
        loglevel="WARNING",
    )

    def count(value: bytes, state: State) -> None:
        if said:
            return  # what was fetched before the application stops
        if not clock:
            clock.update(began=time.perf_counter(), cpu=time.process_time())
        post = parse(value)
        done["posts"] += 1
        if not state.exists(post.uid):
            state.set(post.uid, 1)
            done["unique"] += 1
            for tag in post.tags:
                counts[post.minute, tag, post.lang] += 1
        seconds = time.perf_counter() - clock["began"]
        if done["posts"] == wanted or seconds > SECONDS:
            cpu = time.process_time() - clock["cpu"]
            said.update(done, tags=counts.total(), seconds=seconds, cpu_seconds=cpu)
            app.stop()

    source = app.topic(topic, value_deserializer="bytes", key_deserializer="bytes")
    app.dataframe(source).update(count, stateful=True)
    app.run()
    sys.stdout.write(json.dumps(said) + "\n")


if __name__ == "__main__":
    main()
