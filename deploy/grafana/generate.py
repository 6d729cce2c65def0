"""Writes the dashboards: `python -m deploy.grafana.generate`, from the root of the repository.

With `--check` nothing is written; the status is 1 where a file is not what would be.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final

from deploy.grafana.pipeline import pipeline
from deploy.grafana.sdk import JSONEncoder, dashboard
from deploy.grafana.spread import spread

FOLDER: Final = Path(__file__).parent / "dashboards"
DASHBOARDS: Final[Mapping[str, Callable[[], dashboard.Dashboard]]] = {
    "pipeline.json": pipeline,
    "spread.json": spread,
}


def render(made: dashboard.Dashboard) -> str:
    """The file of a dashboard: the same for the same dashboard, and its changes are readable."""
    document = json.loads(json.dumps(made.build(), cls=JSONEncoder))
    # The SDK hides links and annotations in a menu and has no way to say otherwise.
    for shown in (*document["links"], *document["annotations"]["list"]):
        del shown["placement"]
    return json.dumps(document, indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def outdated(folder: Path = FOLDER) -> list[Path]:
    """Files of `folder` that are absent or not what would be written."""
    files = {folder / name: render(make()) for name, make in DASHBOARDS.items()}
    return [
        path
        for path, text in files.items()
        if not path.is_file() or path.read_text(encoding="utf-8") != text
    ]


def main(arguments: Sequence[str]) -> int:
    """Returns the exit status: 0, 1 not current, 2 bad usage."""
    if arguments == ["--check"]:
        stale = ", ".join(path.name for path in outdated())
        if stale:
            sys.stderr.write(
                f"not current: {stale}; run: .venv/bin/python -m deploy.grafana.generate\n"
            )
        return 1 if stale else 0
    if arguments:
        sys.stderr.write("usage: python -m deploy.grafana.generate [--check]\n")
        return 2
    FOLDER.mkdir(exist_ok=True)
    for name, make in DASHBOARDS.items():
        (FOLDER / name).write_text(render(make()), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
