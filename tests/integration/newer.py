"""`python -m tests.integration.newer …`: this program as its next version, with another layout.

STREAMS_TEST_LAYOUT is the layout's number (1: as now).
"""

from __future__ import annotations

import os

import streams
from streams import keys

streams.__version__ = "99.0.0"
keys.LAYOUT_VERSION = int(os.environ.pop("STREAMS_TEST_LAYOUT", "1"))  # type: ignore[misc]

if __name__ == "__main__":
    from streams.cli import main

    main()
