"""The licences of what the image contains, against those that it may have (licences.toml)."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from license_expression import AND, LicenseSymbol, get_spdx_licensing

from deploy.supply.sbom import normal

RULES: Final = Path(__file__).with_name("licences.toml")
_SPDX: Final = get_spdx_licensing()


def licences(bill: Mapping[str, Any], rules: Mapping[str, Any]) -> dict[str, str]:
    """SPDX expression by package, empty where nothing is known; all that a package says, it needs.

    `bill` is CycloneDX, `rules` are those of licences.toml.
    """
    found = {}
    for part in bill["components"]:
        name = normal(part["name"])
        said = [_expression(entry, rules["names"]) for entry in part.get("licenses", ())]
        said = sorted({text for text in said if text})
        found[name] = rules["packages"].get(name) or " AND ".join(
            f"({text})" if " " in text and len(said) > 1 else text for text in said
        )
    return found


def _expression(entry: Mapping[str, Any], names: Mapping[str, str]) -> str:
    if "expression" in entry:
        return str(entry["expression"])
    licence = entry["license"]
    name = licence.get("id") or licence["name"]
    return names.get(name, name)


def allowed(expression: str, rules: Mapping[str, Any]) -> bool:
    """Whether an SPDX expression can be met by licences of the list alone."""
    try:
        parsed = _SPDX.parse(expression) if expression else None
    except Exception:  # free text is no expression, and the library has several errors for it
        return False
    return parsed is not None and _met(parsed, frozenset(rules["allowed"]))


def _met(node: Any, names: frozenset[str]) -> bool:
    if isinstance(node, LicenseSymbol):
        return node.key in names
    if not getattr(node, "args", ()):
        return False
    every = all if isinstance(node, AND) else any
    return every(_met(part, names) for part in node.args)


def load() -> dict[str, Any]:
    return tomllib.loads(RULES.read_text(encoding="utf-8"))
