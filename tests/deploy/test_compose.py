"""The compose file: its schema, its settings, and that all it names is there.

Docker itself is not run: what can be wrong without it is looked for here.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from streams.config import Settings, load_settings
from streams.embedded import Child, free_port, port_answers
from streams.embedded.redis import find_redis_server

FILE = Path(__file__).resolve().parents[2] / "deploy" / "compose" / "compose.yaml"
COMPOSE: dict[str, Any] = yaml.safe_load(FILE.read_text(encoding="utf-8"))
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = ("check", "worker", "exporter", "ingest", "tools")


def settings_of(service: str, folder: Path) -> Settings:
    """As the program in the container would read them; `folder` stands for the mounted keys."""
    (folder / "author-key").write_text("0123456789abcdef")
    environ = {
        name: value.replace("/keys/", f"{folder}/")
        for name, value in SERVICES[service]["environment"].items()
    }
    return load_settings(environ=environ)


def mounts() -> Iterator[tuple[str, str]]:
    """Service and source of every mount."""
    for name, service in SERVICES.items():
        for volume in service.get("volumes", ()):
            yield name, volume.split(":")[0]


def test_fits_the_schema() -> None:
    checker = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec"]
    done = subprocess.run([*checker, FILE], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_everything_mounted_is_there() -> None:
    for service, source in mounts():
        if source.startswith("."):
            assert (FILE.parent / source).exists(), f"{service}: {source}"
        else:
            assert source in COMPOSE["volumes"], f"{service}: {source}"
    build = COMPOSE["x-streams"]["build"]
    assert (FILE.parent / build["context"] / build["dockerfile"]).is_file()


@pytest.mark.parametrize("service", OURS)
def test_every_variable_is_a_setting(service: str, tmp_path: Path) -> None:
    settings = settings_of(service, tmp_path)
    broker, _, port = settings.kafka.brokers[0].partition(":")
    assert broker in SERVICES
    assert (
        f"INTERNAL://{broker}:{port}"
        in SERVICES[broker]["environment"]["KAFKA_ADVERTISED_LISTENERS"]
    )
    assert settings.redis.url.startswith("redis://redis:6379/")


def test_ports_are_those_that_are_asked(tmp_path: Path) -> None:
    settings = settings_of("worker", tmp_path)
    asked = {name: getattr(settings, name).port for name in ("worker", "exporter", "ingest")}
    for service, port in asked.items():
        assert SERVICES[service]["healthcheck"]["test"][-1] == f"http://127.0.0.1:{port}/readyz"
    scraped = yaml.safe_load((FILE.parent / "../prometheus/prometheus.yml").read_text())
    found = {
        (name, entry["port"])
        for job in scraped["scrape_configs"]
        for entry in job["dns_sd_configs"]
        for name in entry["names"]
    }
    assert found == set(asked.items())
    assert f"127.0.0.1:{asked['exporter']}:{asked['exporter']}" in SERVICES["exporter"]["ports"]
    (manager,) = scraped["alerting"]["alertmanagers"][0]["static_configs"][0]["targets"]
    assert manager == "alertmanager:9093"
    assert SERVICES["grafana"]["environment"]["PROMETHEUS_URL"] == "http://prometheus:9090"


def test_ports_are_open_to_this_machine_only() -> None:
    ports = [port for service in SERVICES.values() for port in service.get("ports", ())]
    assert ports
    assert all(port.startswith("127.0.0.1:") for port in ports)


def test_commands_are_commands() -> None:
    for service in OURS:
        given = [word for word in SERVICES[service].get("command", ()) if "$" not in word]
        command = [sys.executable, "-m", "streams", *given, "--help"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr


def test_images_are_of_one_version() -> None:
    for name, service in SERVICES.items():
        tag = service["image"].rpartition(":")[2]
        assert tag[0].isdigit() or tag.startswith("v") or name in (*OURS, "author-key"), name


def test_ours_have_no_rights() -> None:
    for service in OURS:
        assert SERVICES[service]["read_only"]
        assert SERVICES[service]["cap_drop"] == ["ALL"]


def test_the_author_key_is_made_once(tmp_path: Path) -> None:
    python, option, program = SERVICES["author-key"]["entrypoint"]
    assert (python, option) == ("python", "-c")
    program = program.replace("/keys/", f"{tmp_path}/")
    keys = []
    for _ in range(2):
        subprocess.run([sys.executable, option, program], check=True)
        keys.append((tmp_path / "author-key").read_text())
    assert keys[0] == keys[1]
    assert len(keys[0]) == 32


def test_redis_takes_its_options(tmp_path: Path) -> None:
    program, *options = SERVICES["redis"]["command"]
    assert program == "redis-server"
    port = free_port()
    own = ["--port", str(port), "--dir", str(tmp_path)]
    with Child("redis", [find_redis_server(), *options, *own], log=tmp_path / "log") as server:
        server.wait_ready(lambda: port_answers(port))
