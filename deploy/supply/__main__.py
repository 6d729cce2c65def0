"""`python -m deploy.supply [OUT]`: bill of materials, licences, known vulnerabilities.

Exit status 1 where a licence is not allowed or a vulnerability is known; OUT is the bill's file,
dist/sbom.cdx.json by default.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from deploy.supply.audit import audit
from deploy.supply.licences import RULES, allowed, licences, load
from deploy.supply.sbom import ROOT, make


def say(line: str) -> None:
    sys.stdout.write(f"{line}\n")


def main(arguments: Sequence[str]) -> int:
    out = Path(arguments[0]) if arguments else ROOT / "dist" / "sbom.cdx.json"
    bill = make(out)
    say(f"bill of materials: {len(bill['components'])} packages, CycloneDX {bill['specVersion']}")
    rules = load()
    table = licences(bill, rules)
    for name, expression in sorted(table.items()):
        say(f"  {name:24} {expression or 'unknown'}")
    refused = sorted(name for name, text in table.items() if not allowed(text, rules))
    if refused:
        say(f"licences that {RULES.relative_to(ROOT)} does not allow: {', '.join(refused)}")
    said = audit()
    if said.problem:
        say(f"vulnerabilities: NOT ASKED, the advisory service cannot be used ({said.problem})")
    else:
        say(f"vulnerabilities: {len(said.found)} known in {said.asked} packages")
    for line in said.found:
        say(f"  {line}")
    return 1 if refused or said.found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
