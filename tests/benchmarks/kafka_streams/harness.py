"""Kafka Streams (Java): compiled here where a JDK is found, run on the embedded Kafka's Java."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import time
from functools import cache
from pathlib import Path
from typing import Final

from streams.embedded.jars import cache_folder, classpath
from streams.embedded.kafka import find_java
from tests.benchmarks.measure import Missing, Run, exact, run_program
from tests.benchmarks.plain_work import SECONDS
from tests.benchmarks.services import Services, environment, say
from tests.benchmarks.topics import Topic

_SOURCE: Final = Path(__file__).with_name("Bench.java")
# What Kafka Streams needs beside the broker's own jars.
_JARS: Final = (
    ("org.apache.kafka", "kafka-streams", "4.1.1"),
    ("org.rocksdb", "rocksdbjni", "9.7.3"),
)
_COMPILE_SECONDS: Final = 120.0


def run(services: Services, topic: Topic, *, threads: int = 1) -> Run:
    """The whole topic, or as much of it as takes 20 s.  Raises `Missing`."""
    name = f"kafka-streams-{time.monotonic_ns()}"
    with tempfile.TemporaryDirectory(dir=services.folder) as state:
        done, said = run_program(
            "Kafka Streams",
            [
                *(find_java(), "-Xmx512m", "--enable-native-access=ALL-UNNAMED"),
                *("-Dlog4j2.level=WARN", "-cp", _compiled()),
                *("Bench", services.bootstrap, topic.name, str(topic.posts), name, state),
                *(str(threads), str(SECONDS)),
            ],
            folder=services.folder,
            env=environment(services.settings(name, raw=topic.name)),
        )
    return done._replace(exact=exact(said, topic.posts, topic.truth))


@cache
def _compiled() -> str:
    """The class path with the compiled program; `Missing` without a JDK or without the jars."""
    home = os.environ.get("JAVA_HOME")
    javac = shutil.which("javac", path=f"{home}/bin" if home else None) or shutil.which("javac")
    if javac is None:
        raise Missing("no javac on the PATH or in JAVA_HOME: install a JDK (17 or newer)")
    jars = os.pathsep.join(str(jar) for jar in [*_fetched(), *classpath()])
    folder = cache_folder() / "kafka-streams" / "classes"
    folder.mkdir(parents=True, exist_ok=True)
    # For Java 17 and newer, whichever compiles and whichever runs.
    command = [javac, "--release", "17", "-nowarn", "-cp", jars, "-d", str(folder), str(_SOURCE)]
    try:
        subprocess.run(command, check=True, capture_output=True, timeout=_COMPILE_SECONDS)
    except subprocess.SubprocessError as error:
        told = (getattr(error, "stderr", b"") or b"").decode(errors="replace").strip()
        raise Missing(f"javac fails: {told.splitlines()[:1] or error}") from error
    return f"{folder}{os.pathsep}{jars}"


def _fetched() -> list[Path]:
    """The two jars in the user's cache, fetched once.  Raises `Missing`."""
    folder = cache_folder() / "kafka-streams"
    wanted = [folder / f"{artifact}-{version}.jar" for _, artifact, version in _JARS]
    if all(jar.is_file() for jar in wanted):
        return wanted
    say(f"fetching Kafka Streams and RocksDB (once, into {folder})")
    # Slow to import, and not needed again.
    from jgo.config import GlobalSettings
    from jgo.constants import MAVEN_CENTRAL_URL
    from jgo.maven import MavenContext

    folder.mkdir(parents=True, exist_ok=True)
    try:
        with tempfile.TemporaryDirectory(dir=folder, ignore_cleanup_errors=True) as scratch:
            context = MavenContext(
                repo_cache=Path(scratch),
                remote_repos={"central": MAVEN_CENTRAL_URL, **GlobalSettings.load().repositories},
                timeout=60,
            )
            for (group, artifact, version), jar in zip(_JARS, wanted, strict=True):
                found = context.project(group, artifact).at_version(version).artifact().resolve()
                found.replace(jar)
    except (OSError, RuntimeError) as error:
        raise Missing(f"Kafka Streams' jars cannot be fetched: {error}") from error
    return wanted
