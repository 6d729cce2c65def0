"""`python -m streams.probe URL…`: exit 0 if one of them answers 200, else 1 and a line for each.

For health checks of containers: the image has no shell and no curl.  Imports nothing heavy, as it
runs every few seconds.
"""

from __future__ import annotations

import http.client
import sys
from collections.abc import Sequence
from typing import Final
from urllib.parse import urlsplit

_SECONDS: Final = 3.0


def probe(url: str) -> str | None:
    """None where `url` (http) answers 200 within 3 s, else why not."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(
        parts.hostname or "", parts.port or 80, timeout=_SECONDS
    )
    try:
        connection.request("GET", parts.path or "/")
        response = connection.getresponse()
        body = response.read(2000).decode(errors="replace").strip()
    except (OSError, http.client.HTTPException) as error:
        return f"{url}: {str(error) or type(error).__name__}"
    finally:
        connection.close()
    return None if response.status == 200 else f"{url}: {response.status} {body}"


def main(urls: Sequence[str]) -> int:
    """0 if one answers 200, 1 if none does, 2 without a URL."""
    if not urls:
        sys.stderr.write("usage: python -m streams.probe URL…\n")
        return 2
    problems = []
    for url in urls:
        problem = probe(url)
        if problem is None:
            return 0
        problems.append(problem)
    sys.stderr.write("\n".join(problems) + "\n")
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
