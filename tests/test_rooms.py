"""Imports go one way: cli -> app/exporter -> store -> domain."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[1] / "streams"
#: Pure: knows no Kafka, no Redis, no clock, and no module outside of this list.
DOMAIN = (
    "aggregate", "campaigns", "classify", "errors", "events", "increments", "inheritance",
    "inspect", "kept", "keys", "murmur2", "posts", "reading", "retention", "spread", "stance",
    "text", "windows",
)  # fmt: skip
FORBIDDEN_IN_DOMAIN = ("aiokafka", "faust", "mode", "redis", "time", "asyncio")
STORE = ("store", "redis_client", "config", "kafka")


def imports(path: Path) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {name.name for name in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module} | {f"{node.module}.{name.name}" for name in node.names}
    return found


def files(*rooms: str) -> list[Path]:
    found: list[Path] = []
    for room in rooms:
        folder = PACKAGE / room
        found += sorted(folder.rglob("*.py")) if folder.is_dir() else [folder.with_suffix(".py")]
    return found


@pytest.mark.parametrize("path", files(*DOMAIN), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_domain_code_is_pure(path: Path) -> None:
    for name in imports(path):
        assert name.partition(".")[0] not in FORBIDDEN_IN_DOMAIN
        if name.startswith("streams."):
            assert name.split(".")[1] in (*DOMAIN, "__version__")


@pytest.mark.parametrize("path", files(*STORE), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_the_store_knows_no_service_and_no_command(path: Path) -> None:
    rooms = {name.split(".")[1] for name in imports(path) if name.startswith("streams.")}
    assert rooms <= {*DOMAIN, *STORE, "__version__"}
