"""A real Prometheus and Alertmanager with the shipped files, sped up; and a webhook to receive at.

A replayed day runs at a multiple of event time, and Prometheus knows only the wall clock: so every
duration of rules, routes and scraping is divided by that multiple, and nothing else is changed.
"""

from __future__ import annotations

import json
import re
import threading
import time
import urllib.parse
import urllib.request
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from streams.embedded import Child, free_port, url_answers

DEPLOY = Path(__file__).resolve().parents[2] / "deploy"
RULES = sorted((DEPLOY / "prometheus" / "rules").glob("*.yml"))
_DURATION = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h|d|w)")
_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86_400.0, "w": 604_800.0}


def shorter(duration: str, factor: float, least: float = 0.0) -> str:
    """A duration of Prometheus, divided; no shorter than `least` seconds unless it was 0."""
    seconds = sum(float(n) * _SECONDS[unit] for n, unit in _DURATION.findall(duration))
    return f"{round(max(least, seconds / factor) * 1000) if seconds else 0}ms"


class Notification(NamedTuple):
    """What Alertmanager sent, and when (monotonic, s)."""

    at: float
    receiver: str
    body: dict[str, Any]

    @property
    def name(self) -> str:
        return str(self.body["groupLabels"].get("alertname", ""))

    @property
    def status(self) -> str:
        return str(self.body["status"])


class Webhook:
    """Receives notifications."""

    def __init__(self) -> None:
        received: list[Notification] = []

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                receiver = self.path.strip("/")
                received.append(Notification(time.monotonic(), receiver, json.loads(body)))
                self.send_response(200)
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:
                pass

        self.received = received
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def wait_for(
        self, wanted: Callable[[Notification], bool], seconds: float, what: str
    ) -> Notification:
        end = time.monotonic() + seconds
        while True:
            for found in list(self.received):
                if wanted(found):
                    return found
            heard = [(n.name, n.status, n.receiver) for n in self.received]
            assert time.monotonic() < end, f"no notification of {what}; received: {heard}"
            time.sleep(0.05)

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()


class Monitoring:
    """Prometheus and Alertmanager on free ports."""

    def __init__(
        self,
        folder: Path,
        prometheus: str,
        alertmanager: str,
        targets: dict[str, list[str]],
        speed: float,
    ) -> None:
        """`targets`: host:port by scrape job."""
        self.webhook = Webhook()
        folder.mkdir(parents=True, exist_ok=True)
        self._alert_port, self._port = free_port(), free_port()
        self._started = 0.0
        self.url = f"http://127.0.0.1:{self._port}"
        self._parts = [
            Child(
                "alertmanager",
                [
                    alertmanager,
                    f"--config.file={self._alertmanager(folder, speed)}",
                    f"--storage.path={folder / 'alertmanager'}",
                    f"--web.listen-address=127.0.0.1:{self._alert_port}",
                    "--cluster.listen-address=",
                ],
                log=folder / "alertmanager.log",
            ),
            Child(
                "prometheus",
                [
                    prometheus,
                    f"--config.file={self._prometheus(folder, targets, speed)}",
                    f"--storage.tsdb.path={folder / 'prometheus'}",
                    f"--web.listen-address=127.0.0.1:{self._port}",
                ],
                log=folder / "prometheus.log",
            ),
        ]

    def _alertmanager(self, folder: Path, speed: float) -> Path:
        config = yaml.safe_load((DEPLOY / "alertmanager" / "alertmanager.yml").read_text())
        for receiver in config["receivers"]:
            for hook in receiver.get("webhook_configs", ()):
                hook.pop("url_file", None)
                hook.pop("http_config", None)
                hook["url"] = f"http://127.0.0.1:{self.webhook.port}/{receiver['name']}"
        routes = [config["route"]]
        for route in routes:  # grows while it is walked
            for key in ("group_wait", "group_interval", "repeat_interval"):
                if key in route:
                    # A repeat is not shortened: one notification has to stay one.
                    route[key] = shorter(route[key], 1 if key == "repeat_interval" else speed, 1.0)
            routes.extend(route.get("routes", ()))
        config["templates"] = [
            str(DEPLOY / "alertmanager" / path) for path in config.get("templates", ())
        ]
        path = folder / "alertmanager.yml"
        path.write_text(yaml.safe_dump(config))
        return path

    def _prometheus(self, folder: Path, targets: dict[str, list[str]], speed: float) -> Path:
        config = yaml.safe_load((DEPLOY / "prometheus" / "prometheus.yml").read_text())
        config["global"] |= {"scrape_interval": "1s", "scrape_timeout": "1s"}
        config["global"]["evaluation_interval"] = "1s"
        config["rule_files"] = [str(self._rules(folder, path, speed)) for path in RULES]
        config["alerting"] = {
            "alertmanagers": [{"static_configs": [{"targets": [f"127.0.0.1:{self._alert_port}"]}]}]
        }
        config["scrape_configs"] = [
            {"job_name": job, "static_configs": [{"targets": addresses}]}
            for job, addresses in targets.items()
        ]
        path = folder / "prometheus.yml"
        path.write_text(yaml.safe_dump(config))
        return path

    def _rules(self, folder: Path, path: Path, speed: float) -> Path:
        rules = yaml.safe_load(path.read_text())
        for group in rules["groups"]:
            group.pop("interval", None)
            for rule in group["rules"]:
                for key in ("for", "keep_firing_for"):
                    if key in rule:
                        rule[key] = shorter(rule[key], speed, 1.0)
        made = folder / path.name
        made.write_text(yaml.safe_dump(rules))
        return made

    def start(self) -> None:
        self._started = time.time()
        for part, port in zip(self._parts, (self._alert_port, self._port), strict=True):
            part.start()
            part.wait_ready(lambda port=port: url_answers(f"http://127.0.0.1:{port}/-/ready"))

    def query(self, expression: str) -> list[dict[str, Any]]:
        """Instant query: the series it gives."""
        query = urllib.parse.urlencode({"query": expression})
        url = f"{self.url}/api/v1/query?{query}"
        with urllib.request.urlopen(url, timeout=10) as answer:  # noqa: S310 - http, on loopback
            data = json.load(answer)["data"]
        if data["resultType"] == "scalar":
            return [{"metric": {}, "value": data["result"]}]
        return list(data["result"])

    def has_data(self, expression: str) -> bool:
        """Whether a panel over the time since the start would show anything."""
        now = time.time()
        query = urllib.parse.urlencode(
            {"query": expression, "start": self._started, "end": now, "step": "1s"}
        )
        url = f"{self.url}/api/v1/query_range?{query}"
        with urllib.request.urlopen(url, timeout=30) as answer:  # noqa: S310 - http, on loopback
            return bool(json.load(answer)["data"]["result"])

    def firing(self) -> set[str]:
        return {
            f"{found['metric']['alertname']}/{found['metric'].get('severity', '')}"
            for found in self.query('ALERTS{alertstate="firing"}')
        }

    def stop(self) -> None:
        for part in reversed(self._parts):
            part.stop()
        self.webhook.stop()
