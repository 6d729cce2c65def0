"""The API against its own OpenAPI: whatever callers send, the answer is one that is promised."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

from streams.embedded import free_port
from tests.exporter.conftest import Start
from tests.exporter.test_serve import wait_for
from tests.filled import Filled

T: Final = 1_508_158_800
_TOKEN: Final = "a-token-of-the-tests"
_EXAMPLES: Final = 20  # of each endpoint, beside the edges of every parameter
_SECONDS: Final = 240  # after so many it is over, whatever is left

#: OpenAPI cannot say which steps a window has, or what a cursor looks like that was handed out: a
#: query that fits the schema may be refused.
_NOT_CHECKED: Final = "positive_data_acceptance"


@pytest.mark.slow  # more than a thousand requests
def test_answers_are_what_openapi_says(start: Start, filled: Filled, tmp_path: Path) -> None:
    filled.partition(0, watermark=T)
    filled.campaign(0, T - 30, 3)
    filled.tag(0, "metoo", T - 30, 3)
    filled.posts(0, *((f"x:{n}", T * 1000 - n) for n in range(1, 60)))
    port = free_port()
    start(port, STREAMS_EXPORTER__CLOCK="replay", STREAMS_EXPORTER__TOKEN=_TOKEN)
    url = f"http://127.0.0.1:{port}"
    wait_for(f"{url}/api/v1/campaigns/metoo", 200)
    # A stream of events has no end: the list is asked for.
    headers = ("Accept: application/json", f"Authorization: Bearer {_TOKEN}")
    asked = subprocess.run(
        [
            *(sys.executable, "-m", "schemathesis.cli", "run", f"{url}/api/openapi.json"),
            *("--phases", "examples,coverage,fuzzing", "--max-examples", str(_EXAMPLES)),
            *("--checks", "all", "--exclude-checks", _NOT_CHECKED),
            *("--seed", "1", "--request-timeout", "10", "--warnings", "off", "--no-color"),
            *(part for header in headers for part in ("--header", header)),
        ],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=_SECONDS,
        check=False,
    )
    assert asked.returncode == 0, asked.stdout[-8000:] + asked.stderr[-2000:]
