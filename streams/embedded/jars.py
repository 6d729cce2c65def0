"""The jars of the embedded Kafka: pinned by SHA-256, fetched by jgo, kept in the user's cache.

`kafka-jars.txt` holds what jgo resolves for `org.apache.kafka:kafka_2.13` (`make lock` writes it
anew).  The pins make the dependency walk needless at run time: 45 POMs less to fetch, and a jar
that is not what was tested is refused, where jgo itself only warns.
"""

from __future__ import annotations

import hashlib
import os
import sys
import tempfile
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor, as_completed
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from streams.errors import UserError

if TYPE_CHECKING:
    from jgo.maven import MavenContext

KAFKA: Final = "org.apache.kafka:kafka_2.13:4.1.1"
# Kafka's own distribution adds the binding of its logger; Maven's dependencies do not.
LOGGING: Final = "org.apache.logging.log4j:log4j-slf4j-impl:2.24.3"
_PARALLEL: Final = 8
_TIMEOUT_SECONDS: Final = 15

Progress = Callable[[str], None]


class Jar(NamedTuple):
    """A Maven artifact and the SHA-256 of its jar."""

    group: str
    artifact: str
    version: str
    sha256: str

    @property
    def filename(self) -> str:
        return f"{self.artifact}-{self.version}.jar"


def cache_folder() -> Path:
    """`$XDG_CACHE_HOME/streams`, else `~/.cache/streams`."""
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "streams"


def pinned() -> list[Jar]:
    """The jars in the order of the classpath."""
    text = (files("streams.embedded") / "kafka-jars.txt").read_text(encoding="utf-8")
    lines = [line.split() for line in text.splitlines() if line and not line.startswith("#")]
    jars = []
    for coordinate, digest in lines:
        group, artifact, version = coordinate.split(":")
        jars.append(Jar(group, artifact, version, digest))
    return jars


def classpath(folder: Path | None = None, progress: Progress = lambda _: None) -> list[Path]:
    """Paths of all jars, those fetched that are not in `folder` (default: the cache).

    UserError where they can be neither found nor fetched.
    """
    folder = folder or cache_folder() / "kafka"
    jars = pinned()
    missing = [jar for jar in jars if not (folder / jar.filename).is_file()]
    if missing:
        progress(f"fetching Kafka: {len(missing)} jars (once, into {folder})")
        _fetch_all(missing, folder)
    return [folder / jar.filename for jar in jars]


def _fetch_all(jars: Iterable[Jar], folder: Path) -> None:
    # Slow to import (0.6 s), and not needed again.
    from jgo.config import GlobalSettings
    from jgo.constants import MAVEN_CENTRAL_URL
    from jgo.maven import MavenContext

    try:
        folder.mkdir(parents=True, exist_ok=True)
        # In the same file system, so that a finished jar appears by one atomic rename.
        with tempfile.TemporaryDirectory(
            prefix=".fetch-", dir=folder, ignore_cleanup_errors=True
        ) as name:
            context = MavenContext(
                repo_cache=Path(name),
                # A mirror is named in jgo's own settings file, section [repositories].
                remote_repos={"central": MAVEN_CENTRAL_URL, **GlobalSettings.load().repositories},
                timeout=_TIMEOUT_SECONDS,
            )
            pool = ThreadPoolExecutor(_PARALLEL)
            try:
                for done in as_completed(pool.submit(_fetch, context, jar, folder) for jar in jars):
                    done.result()
            finally:
                pool.shutdown(cancel_futures=True)
    except UserError:
        raise
    except OSError as error:  # also what `requests` raises: no network, a proxy, a full disk
        raise UserError(
            f"cannot fetch the embedded Kafka's jars ({_brief(error)}): connect to the internet "
            f"once, or copy them into {folder}, or use a Kafka of your own (STREAMS_KAFKA__BROKERS)"
        ) from error
    except RuntimeError as error:  # jgo: the repository does not have it
        raise UserError(f"cannot fetch the embedded Kafka's jars: {_brief(error)}") from error


def _fetch(context: MavenContext, jar: Jar, folder: Path) -> None:
    path = context.project(jar.group, jar.artifact).at_version(jar.version).artifact().resolve()
    digest = sha256(path)
    if digest != jar.sha256:
        raise UserError(
            f"{jar.filename} is not the file that was pinned (SHA-256 {digest[:12]}…): "
            "ask who runs the Maven mirror, or try again"
        )
    path.replace(folder / jar.filename)


def _brief(error: BaseException) -> str:
    """The innermost reason of a chain of network errors, in one line."""
    while (inner := error.__cause__ or error.__context__) is not None:
        error = inner
    text = str(error).strip() or type(error).__name__
    return text.splitlines()[0][:160]


def sha256(path: Path) -> str:
    """The file's SHA-256, hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def resolve() -> list[Jar]:
    """Ask jgo for the whole dependency graph, and hash it: what `kafka-jars.txt` has to hold."""
    import jgo

    found: dict[str, Jar] = {}
    for coordinate in (KAFKA, LOGGING):
        for artifact in jgo.resolve(coordinate):
            jar = Jar(
                artifact.groupId, artifact.artifactId, artifact.version, sha256(artifact.resolve())
            )
            found.setdefault(f"{jar.group}:{jar.artifact}", jar)
    return list(found.values())


def main() -> None:
    """Write `kafka-jars.txt` anew (`make lock`)."""
    lines = [f"{jar.group}:{jar.artifact}:{jar.version} {jar.sha256}" for jar in resolve()]
    head = "# The embedded Kafka's classpath; written by `make lock`, see jars.py."
    Path(__file__).with_name("kafka-jars.txt").write_text("\n".join([head, *lines]) + "\n")
    sys.stdout.write(f"{len(lines)} jars\n")


if __name__ == "__main__":
    main()
