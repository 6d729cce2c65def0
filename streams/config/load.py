"""Reads `streams.toml` and the environment; says by name what is wrong, one line each."""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from pydantic import ValidationError
from pydantic_core import ErrorDetails
from pydantic_settings import BaseSettings, EnvSettingsSource

from streams.config.sections import Settings
from streams.errors import UsageError

PREFIX: Final = "STREAMS_"
CONFIG_VARIABLE: Final = "STREAMS_CONFIG"
_DEFAULT_FILE: Final = Path("streams.toml")

# Kubernetes gives every pod variables of the services around it: a Service `streams` or
# `streams-exporter` would look like a setting.
_SERVICE_LINK: Final = re.compile(
    r"_SERVICE_HOST|_SERVICE_PORT(_\w+)?|_PORT(_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)?"
)
_NAMES_KEY: Final = re.compile(r"[a-z_]+: ")
_SECRET: Final = re.compile(
    r"password|author_key|token|secret|redis.+url"
)  # values that are never repeated


class ConfigError(UsageError):
    """The file or the environment holds an unknown key or a bad value; one line for each."""


class _Environment(EnvSettingsSource):
    """pydantic-settings' reading of `STREAMS_<SECTION>__<KEY>`, from a mapping."""

    def __init__(self, settings: type[BaseSettings], environ: Mapping[str, str]) -> None:
        self._environ = {name.lower(): value for name, value in environ.items()}
        super().__init__(settings)

    def _load_env_vars(self) -> Mapping[str, str | None]:
        return {name: value for name, value in self._environ.items() if value}


def load_settings(path: Path | None = None, environ: Mapping[str, str] | None = None) -> Settings:
    """Settings from the file and the environment, which wins.

    The file is `path`, else the one that STREAMS_CONFIG names, else `streams.toml` of the working
    directory where there is one.  Raises `ConfigError`.
    """
    environ = os.environ if environ is None else environ
    file = path
    if file is None and environ.get(CONFIG_VARIABLE):
        file = Path(environ[CONFIG_VARIABLE])
    if file is None and _DEFAULT_FILE.is_file():
        file = _DEFAULT_FILE
    from_file = {} if file is None else _read(file)
    from_environ = _Environment(Settings, environ)()
    problems = _unknown_variables(environ)
    try:
        settings = Settings(**_merge(from_file, from_environ))
    except ValidationError as error:
        problems += [_describe(e, file, from_environ) for e in error.errors(include_url=False)]
    if problems:
        raise ConfigError("\n".join(dict.fromkeys(problems)))
    return settings


def _read(file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"{file}: cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"{file}: is not UTF-8 text") from error
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{file}: is not TOML: {error}") from error


def _merge(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    # A secret is set once: `password_file` from above replaces `password` from below.
    twins = {key.removesuffix("_file") if key.endswith("_file") else f"{key}_file" for key in over}
    merged = {key: value for key, value in base.items() if key not in twins}
    for key, value in over.items():
        below = merged.get(key)
        if isinstance(below, Mapping) and isinstance(value, Mapping):
            merged[key] = _merge(below, value)
        else:
            merged[key] = value
    return merged


def _unknown_variables(environ: Mapping[str, str]) -> list[str]:
    """Variables that name no section; an unknown key of a section is refused by its model."""
    known = {f"{PREFIX}{name}".upper() for name in Settings.model_fields} | {CONFIG_VARIABLE}
    return [
        f"{name}: unknown setting"
        for name in sorted(environ)
        if (upper := name.upper()).startswith(PREFIX)
        and upper.partition("__")[0] not in known
        and not _SERVICE_LINK.search(upper.removeprefix(PREFIX.rstrip("_")))
    ]


def _describe(error: ErrorDetails, file: Path | None, from_environ: Mapping[str, Any]) -> str:
    """`source: key: what is wrong`, with the variable's name where it came from the environment."""
    keys = [part for part in error["loc"] if isinstance(part, str)]
    value: Any = from_environ
    for key in keys:
        value = value.get(key) if isinstance(value, Mapping) else None
    where = f"{file}: {'.'.join(keys)}" if file else ".".join(keys)
    if value is not None and not isinstance(value, Mapping):
        where = PREFIX + "__".join(keys).upper()
    if error["type"] == "extra_forbidden":
        return f"{where}: unknown setting"
    message = error["msg"].removeprefix("Value error, ")
    if error["type"] == "value_error":
        # A section's own checks begin with the key that they are about.
        return f"{where}.{message}" if _NAMES_KEY.match(message) else f"{where}: {message}"
    if not isinstance(error["input"], str | int | float | bool) or _SECRET.search(where.lower()):
        return f"{where}: {message}"
    return f"{where}: {message} (is {error['input']!r})"
