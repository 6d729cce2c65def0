"""Durations and sizes as people write them: `25h`, `1h30m`, `500ms`, `1MiB`, or plain numbers."""

from __future__ import annotations

import math
import re
from typing import Annotated, Final

from pydantic import BeforeValidator

_SECONDS: Final = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86_400.0}
_BYTES: Final = {"": 1, "b": 1, "kib": 2**10, "mib": 2**20, "gib": 2**30, "kb": 10**3, "mb": 10**6}
_DURATION_PART: Final = re.compile(r"(\d+(?:\.\d+)?)\s*(ms|s|m|h|d)", re.ASCII)
_DURATION: Final = re.compile(rf"(?:\s*{_DURATION_PART.pattern})+\s*", re.ASCII)
_NUMBER: Final = re.compile(r"\s*\d+(?:\.\d+)?\s*", re.ASCII)
_SIZE: Final = re.compile(r"\s*(\d+)\s*([a-z]*)\s*", re.ASCII)


def parse_duration(value: object) -> float:
    """Seconds in `value`: a number of seconds, or text such as `90s`, `25h`, `1h30m`, `500ms`.

    Raises ValueError for anything else, for infinities and for negative durations.
    """
    if isinstance(value, str):
        text = value.lower()
        if _NUMBER.fullmatch(text):
            return float(text)
        if _DURATION.fullmatch(text):
            return sum(float(n) * _SECONDS[unit] for n, unit in _DURATION_PART.findall(text))
    elif isinstance(value, int | float) and not isinstance(value, bool):
        number = float(value)
        if math.isfinite(number) and number >= 0:
            return number
    raise ValueError(f"{value!r} is not a duration: write seconds, or e.g. 90s, 30m, 25h, 1h30m")


def parse_size(value: object) -> int:
    """Bytes in `value`: a whole number, or text such as `64KiB`, `1MiB`.

    Raises ValueError for anything else.
    """
    if isinstance(value, str):
        found = _SIZE.fullmatch(value.lower())
        if found and found[2] in _BYTES:
            return int(found[1]) * _BYTES[found[2]]
    elif isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return value
    raise ValueError(f"{value!r} is not a size: write bytes, or e.g. 64KiB, 1MiB")


Seconds = Annotated[float, BeforeValidator(parse_duration)]
Bytes = Annotated[int, BeforeValidator(parse_size)]
