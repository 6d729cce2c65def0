"""Known vulnerabilities of what the image contains, by pip-audit.

Without an advisory service nothing can be said, and nothing fails: that is printed.
"""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any, Final, NamedTuple

from deploy.supply.sbom import LOCK

_SECONDS: Final = 120


class Audit(NamedTuple):
    """`asked`: packages that the service knew; `problem`: why it said nothing, if so."""

    asked: int
    found: list[str]
    problem: str | None = None


def audit() -> Audit:
    """Ask the service of PyPI about the image's lock."""
    command = [
        *(sys.executable, "-m", "pip_audit", "--requirement", str(LOCK), "--require-hashes"),
        *("--disable-pip", "--progress-spinner", "off", "--format", "json"),
    ]
    try:
        done = subprocess.run(  # noqa: S603 - a fixed command
            command, capture_output=True, text=True, check=False, timeout=_SECONDS
        )
    except subprocess.TimeoutExpired:
        return Audit(0, [], f"no answer within {_SECONDS} s")
    return read(done.stdout, done.stderr)


def read(output: str, errors: str) -> Audit:
    """What pip-audit printed.

    A mirror without advisories knows no package, which pip-audit calls a success.
    """
    try:
        packages: list[dict[str, Any]] = json.loads(output)["dependencies"]
    except (ValueError, KeyError):
        lines = [line for line in errors.splitlines() if line.strip()] or ["it printed nothing"]
        return Audit(0, [], lines[-1])
    known = [package for package in packages if "skip_reason" not in package]
    found = [
        f"{package['name']} {package['version']}: {hole['id']}"
        + (f", mended in {', '.join(hole['fix_versions'])}" if hole["fix_versions"] else "")
        for package in known
        for hole in package["vulns"]
    ]
    return Audit(len(known), found, None if known else "it knows none of the packages")
