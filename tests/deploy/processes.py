"""Pods of the rendered chart, as ordinary processes: its commands, environment, configuration."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any, Self

from streams.embedded import Child, free_port, url_answers
from tests.deploy.chart import NEWEST, Manifest, environment, named, release, run


def settings(given: Mapping[str, Any]) -> list[str]:
    """Arguments of helm that set these values, by their dotted names."""
    return [part for key in given for part in ("--set-json", f"{key}={json.dumps(given[key])}")]


def rendered(helm: str, values: str, given: Mapping[str, Any], *more: str) -> str:
    """What `helm template` writes; AssertionError with helm's words where it refuses."""
    done = run(
        helm, "template", *release(values), "--kube-version", f"{NEWEST}.0", *settings(given), *more
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


class Pods:
    """Processes of one release, which end with it; `folder` stands for what is mounted."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._text = ""
        self.started: list[Child] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for child in self.started:
            child.stop()

    def apply(self, text: str) -> None:
        """The release is what was rendered; files of what runs change, as those of a ConfigMap."""
        self._text = text

    def object(self, kind: str, suffix: str) -> Manifest:
        return named(self._text, kind, suffix)

    def deployment(self, component: str) -> Manifest:
        return dict(self.object("Deployment", component)["spec"])

    def container(self, component: str) -> dict[str, Any]:
        (found,) = self.deployment(component)["template"]["spec"]["containers"]
        return dict(found)

    def child(self, component: str, *args: str, **more: str) -> Child:
        """A process with the container's environment and `args` (its own where there are none)."""
        own = {"PATH": os.environ["PATH"], "HOME": str(self.folder), "PYTHONPATH": str(Path.cwd())}
        return Child(
            name := f"{component}-{len(self.started)}",
            [sys.executable, "-m", "streams", *(args or self.container(component)["args"])],
            log=self.folder / f"{name}.log",
            env=own | environment(self._text, component, self.folder) | more,
        )

    def start(self, component: str, **more: str) -> Child:
        """A pod of `component`, on a port of its own, once its container's probes pass.

        `more` are further variables.
        """
        port = free_port()
        section = component.partition("-")[0].upper()
        child = self.child(component, **{f"STREAMS_{section}__PORT": str(port)}, **more)
        self.started.append(child.start())
        for kind in ("startup", "readiness", "liveness"):
            path = self.container(component)[f"{kind}Probe"]["httpGet"]["path"]
            child.wait_ready(partial(url_answers, f"http://127.0.0.1:{port}{path}"))
        return child
