"""Quix Streams, in an environment of its own that is made once and kept in the user's cache."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Final

from streams.embedded.jars import cache_folder
from tests.benchmarks.measure import Missing, Run, exact, run_program
from tests.benchmarks.services import Services, environment, say
from tests.benchmarks.topics import Topic

VERSION: Final = "3.28.1"
_INSTALL_SECONDS: Final = 300.0
_HERE: Final = Path(__file__).parent


def run(services: Services, topic: Topic) -> Run:
    """The whole topic, or as much of it as takes 20 s.  Raises `Missing`."""
    name = f"quix-{time.monotonic_ns()}"
    with tempfile.TemporaryDirectory(dir=services.folder) as state:
        done, said = run_program(
            "Quix Streams",
            [
                _python(),
                _HERE / "quix_program.py",
                services.bootstrap,
                topic.name,
                str(topic.posts),
                name,
                state,
            ],
            folder=services.folder,
            env=environment(services.settings(name, raw=topic.name)),
        )
    return done._replace(exact=exact(said, topic.posts, topic.truth))


def _python() -> Path:
    """The interpreter of an environment with Quix Streams; `Missing` where it cannot be made."""
    folder = cache_folder() / f"quixstreams-{VERSION}"
    python = folder / "bin" / "python"
    finished = folder / "finished"
    if not finished.exists():
        say(f"installing Quix Streams {VERSION} (once, into {folder})")
        make: list[str | Path] = [sys.executable, "-m", "venv", "--clear", folder]
        install: list[str | Path] = [
            *(python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"),
            *("--only-binary", ":all:", f"quixstreams=={VERSION}", "orjson"),
        ]
        for command in (make, install):
            try:
                subprocess.run(command, check=True, capture_output=True, timeout=_INSTALL_SECONDS)
            except (OSError, subprocess.SubprocessError) as error:
                told = getattr(error, "stderr", b"") or b""
                why = told.decode(errors="replace").strip().splitlines()[-1:] or [str(error)]
                raise Missing(f"Quix Streams {VERSION} cannot be installed: {why[0]}") from error
        finished.touch()
    return python
