"""The bill of materials: what of Python the image contains, as CycloneDX JSON.

Made by cyclonedx-bom from the installed packages, which know their licences; what the image's lock
does not name (tests, tools) is left out.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).resolve().parents[2]
LOCK: Final = ROOT / "deploy" / "docker" / "requirements.lock"


def normal(name: str) -> str:
    """A package's name as PyPI compares it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def locked() -> dict[str, str]:
    """Versions by name of what the image's lock installs on Linux with this Python."""
    found = {}
    for line in LOCK.read_text(encoding="utf-8").splitlines():
        entry = re.match(r"([A-Za-z0-9._-]+)==([^\s;]+) *(;[^\\]*)?", line)
        if entry and "win32" not in (entry[3] or "") and "3.14" not in (entry[3] or ""):
            found[normal(entry[1])] = entry[2]
    return found


def make(out: Path) -> dict[str, Any]:
    """Write the bill; the document.  Raises `RuntimeError` where packages are not as locked."""
    out.parent.mkdir(parents=True, exist_ok=True)
    subprocess.run(  # noqa: S603 - a fixed command
        [
            *(sys.executable, "-m", "cyclonedx_py", "environment", "--output-reproducible"),
            *("--pyproject", str(ROOT / "pyproject.toml"), "--of", "JSON", "-o", str(out)),
            sys.executable,
        ],
        check=True,
        capture_output=True,
    )
    bill: dict[str, Any] = json.loads(out.read_text(encoding="utf-8"))
    wanted = locked()
    parts = [part for part in bill["components"] if normal(part["name"]) in wanted]
    installed = {normal(part["name"]): part["version"] for part in parts}
    if installed != wanted:
        names = sorted(name for name in wanted if installed.get(name) != wanted[name])
        raise RuntimeError(f"not installed as locked: {', '.join(names)}: run `make install`")
    known = {part["bom-ref"] for part in parts} | {bill["metadata"]["component"]["bom-ref"]}
    bill["components"] = parts
    bill["dependencies"] = [
        {**entry, "dependsOn": [ref for ref in entry.get("dependsOn", ()) if ref in known]}
        for entry in bill["dependencies"]
        if entry["ref"] in known
    ]
    out.write_text(json.dumps(bill, indent=2, sort_keys=True) + "\n", encoding="utf-8")
    return bill
