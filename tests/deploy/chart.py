"""The chart, rendered: what its tests look at."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, Final

import yaml

DEPLOY: Final = Path(__file__).resolve().parents[2] / "deploy"
CHART: Final = DEPLOY / "helm" / "streams"
# Examples that an operator begins with, and the sets that everything here is tried with.
VALUES: Final = {path.stem: path for path in sorted((DEPLOY / "helm" / "values").glob("*.yaml"))}

# The oldest is what the chart asks for; the newest is what kubernetes-validate knows.
OLDEST: Final = "1.27"
NEWEST: Final = "1.37"

# What every Secret holds here.
SECRET: Final = "0123456789abcdef"

Manifest = dict[str, Any]


@cache
def render(helm: str, values: str, kubernetes: str = NEWEST) -> str:
    """What `helm template` writes for the set `values`.  Raises with helm's words."""
    done = run(helm, "template", *release(values), "--kube-version", f"{kubernetes}.0")
    assert done.returncode == 0, done.stderr
    return done.stdout


def release(values: str) -> tuple[str, ...]:
    return ("try", str(CHART), "--namespace", "streams", "--values", str(VALUES[values]))


def refusal(helm: str, *settings: str) -> str:
    """Why helm refuses the smallest set of values with these settings; empty where it does not."""
    changes = [part for setting in settings for part in ("--set-json", setting)]
    done = run(helm, "template", *release("minimal"), "--kube-version", f"{NEWEST}.0", *changes)
    return done.stderr if done.returncode else ""


def run(*command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)


def manifests(text: str, *kinds: str) -> list[Manifest]:
    """The objects in `text`; of these kinds only, where some are named."""
    found = [document for document in yaml.safe_load_all(text) if document]
    return [document for document in found if not kinds or document["kind"] in kinds]


def named(text: str, kind: str, suffix: str) -> Manifest:
    """The only object of this kind whose name ends so."""
    (found,) = [m for m in manifests(text, kind) if m["metadata"]["name"].endswith(suffix)]
    return found


def pods(text: str) -> Iterator[tuple[str, Manifest]]:
    """Name of the object and spec of its pods."""
    for manifest in manifests(text, "Deployment", "Job", "Pod"):
        spec = manifest["spec"]
        yield (
            manifest["metadata"]["name"],
            spec if manifest["kind"] == "Pod" else spec["template"]["spec"],
        )


def environment(text: str, component: str, folder: Path) -> dict[str, str]:
    """Variables of a Deployment's container; `folder` stands for what is mounted, and is filled."""
    for name, content in named(text, "ConfigMap", "try-streams")["data"].items():
        (folder / name).write_text(content.replace("/etc/streams/", f"{folder}/"))
    spec = named(text, "Deployment", component)["spec"]["template"]["spec"]
    (secrets,) = [v["projected"]["sources"] for v in spec["volumes"] if v["name"] == "secrets"]
    for item in [item for source in secrets for item in source["secret"]["items"]]:
        (folder / item["path"]).write_text(SECRET)
    return {
        variable["name"]: variable["value"]
        .replace("/etc/streams/", f"{folder}/")
        .replace("/secrets/", f"{folder}/")
        for variable in spec["containers"][0]["env"]
    }
