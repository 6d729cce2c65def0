"""Free ports, and whether something answers on a port or at a URL."""

from __future__ import annotations

import http.client
import random
import socket
import threading
import urllib.request
from contextlib import suppress
from typing import Final

from streams.errors import UserError

LOCALHOST: Final = "127.0.0.1"
_PORTS: Final = range(20_000, 32_000)
_given: Final[set[int]] = set()
_lock: Final = threading.Lock()


def free_port(bus: int = 0) -> int:
    """A TCP port of 127.0.0.1 that nobody listens on now, and that this process did not give out.

    `bus`: the port so much higher is free, too (a Redis Cluster's nodes talk to each other there).
    Below the ports that systems take for outgoing connections (Linux: from 32768): one of those
    could be taken by a client between the choice and the server's start.
    """
    ports = range(_PORTS.start, _PORTS.stop - bus)
    for port in random.sample(ports, 1000):
        wanted = {port, port + bus}
        with _lock:
            if wanted.isdisjoint(_given) and all(map(_is_free, wanted)):
                _given.update(wanted)
                return port
    raise UserError("no free TCP port between 20000 and 32000: end what listens there")


def _is_free(port: int) -> bool:
    with socket.socket() as listener:
        # As servers do: a port whose old connections linger (TIME_WAIT) is free.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        with suppress(OSError):
            listener.bind((LOCALHOST, port))
            return True
    return False


def port_answers(port: int, host: str = LOCALHOST) -> bool:
    """Whether something accepts connections there."""
    try:
        with socket.create_connection((host, port), timeout=1):
            return True
    except OSError:
        return False


def require_free(port: int, name: str) -> None:
    """UserError where something listens there already: it would be taken for the new server."""
    if port_answers(port):
        raise UserError(f"{name} cannot start: something listens on port {port}; end it, or wait")


def url_answers(url: str) -> bool:
    """Whether an HTTP GET of `url` is answered with a 2xx status."""
    if not url.startswith(("http://", "https://")):
        raise ValueError(f"not an HTTP URL: {url}")
    try:
        with urllib.request.urlopen(url, timeout=2) as response:  # noqa: S310 - checked above
            status: int = response.status
            return 200 <= status < 300
    except (OSError, http.client.HTTPException):
        return False
