"""Bill of materials, licences, vulnerabilities: what is made of what the tools say."""

from __future__ import annotations

import json
from typing import Any

import pytest

from deploy.supply import audit
from deploy.supply.licences import allowed, licences, load
from deploy.supply.sbom import locked

RULES = load()


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("MIT", True),
        ("Apache-2.0 AND MIT", True),
        ("MPL-2.0 AND (Apache-2.0 OR MIT)", True),
        ("GPL-3.0-only OR MIT", True),
        ("GPL-3.0-only AND MIT", False),
        ("AGPL-3.0-only", False),
        ("Apache-2.0 WITH LLVM-exception", False),
        ("whatever the author likes", False),
        ("", False),
    ],
)
def test_an_expression_is_met_by_the_list_alone(expression: str, expected: bool) -> None:
    assert allowed(expression, RULES) is expected


def test_everything_that_a_package_says_is_needed() -> None:
    parts: list[dict[str, Any]] = [
        {"name": "One", "licenses": [{"license": {"id": "MIT"}}, {"expression": "MIT OR ISC"}]},
        {
            "name": "two_parts",
            "licenses": [{"license": {"name": "License :: OSI Approved :: BSD License"}}],
        },
        {"name": "three"},
    ]
    assert licences({"components": parts}, RULES) == {
        "one": "MIT AND (MIT OR ISC)",
        "two-parts": "BSD-3-Clause",
        "three": "",
    }


def test_the_lock_is_read_for_linux() -> None:
    versions = locked()
    assert "faust-streaming" in versions
    assert "colorama" not in versions


def test_vulnerabilities_are_named() -> None:
    output = {
        "dependencies": [
            {"name": "a", "version": "1", "vulns": [{"id": "PYSEC-1", "fix_versions": ["2"]}]},
            {"name": "b", "version": "3", "vulns": []},
            {"name": "c", "skip_reason": "Dependency not found on PyPI"},
        ]
    }
    assert audit.read(json.dumps(output), "") == audit.Audit(2, ["a 1: PYSEC-1, mended in 2"])


@pytest.mark.parametrize(
    ("output", "problem"),
    [
        ("", "ConnectionError: no route"),
        ('{"dependencies": [{"name": "a", "skip_reason": "?"}]}', "it knows none of the packages"),
    ],
)
def test_without_a_service_nothing_is_said(output: str, problem: str) -> None:
    said = audit.read(output, "trying\nConnectionError: no route\n")
    assert said == audit.Audit(0, [], problem)
