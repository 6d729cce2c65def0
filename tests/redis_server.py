"""What the redis-server that tests run knows: the bundled one is an older one, without TLS."""

from __future__ import annotations

import subprocess
from functools import cache

from streams.embedded.redis import find_redis_server


@cache
def knows(directive: str) -> bool:
    """Whether it takes a line of configuration: it names the first one that it does not know."""
    config = f"{directive}\nno-such-directive\n"
    said = subprocess.run(
        [find_redis_server(), "-"], input=config, capture_output=True, text=True, check=False
    )
    return directive not in said.stderr + said.stdout
