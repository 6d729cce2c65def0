"""What the sections of the settings share: value types, secrets from files, strictness."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Any, Final

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

_TOPIC: Final = r"^[A-Za-z0-9._-]{1,249}$"
_HOST_PORT: Final = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[^\s:/,]+):(\d{1,5})")


def _split(value: object) -> object:
    """Lists may be written `a,b,c`, as they have to be in an environment variable."""
    if isinstance(value, str):
        return tuple(part.strip() for part in value.split(",") if part.strip())
    return value


def _host_port(value: str) -> str:
    found = _HOST_PORT.fullmatch(value)
    if found is None or not 0 < int(found[2]) < 65_536:
        raise ValueError(f"{value!r} is not host:port")
    return value


def not_empty(value: tuple[str, ...]) -> tuple[str, ...]:
    if not value:
        raise ValueError("needs at least one entry")
    return value


Names = Annotated[tuple[str, ...], BeforeValidator(_split)]
HostPort = Annotated[str, BeforeValidator(lambda v: _host_port(str(v)))]
HostPorts = Annotated[tuple[HostPort, ...], BeforeValidator(_split)]
Port = Annotated[int, Field(ge=0, le=65_535)]
Topic = Annotated[str, Field(pattern=_TOPIC)]


def read_secret(data: Any, key: str) -> Any:
    """`data` with the text of the file `<key>_file` as `<key>`; ValueError if unreadable."""
    if not isinstance(data, dict) or not data.get(f"{key}_file"):
        return data
    if data.get(key):
        raise ValueError(f"set {key} or {key}_file, not both")
    path = Path(str(data[f"{key}_file"]))
    try:
        secret = path.read_text(encoding="utf-8").rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "not UTF-8 text"
        raise ValueError(f"{key}_file: cannot read {path}: {reason}") from error
    if not secret:
        raise ValueError(f"{key}_file: {path} is empty")
    return {**data, key: secret}


class Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, validate_default=True)
