"""Records of any platform to posts: `decode`.

A platform is a module with `PLATFORM`, `PREFIXES`, `recognises` and `decode`, and a line below.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Final, NoReturn, Protocol, TypeAlias, TypeVar

import msgspec
import orjson

from streams.posts import bluesky, facebook, mastodon, x
from streams.posts.post import AccountDeleted, Decoded, Deleted, Ignored, Post, Subject, Unreadable

__all__ = [
    "PLATFORMS",
    "AccountDeleted",
    "Decoded",
    "Deleted",
    "Ignored",
    "Post",
    "Subject",
    "Unreadable",
    "decode",
    "uid_of",
]


class Platform(Protocol):
    """What a decoder's module has."""

    @property
    def PLATFORM(self) -> str:  # noqa: N802 - a module's constant
        """Its name in uids, headers and labels."""

    @property
    def PREFIXES(self) -> Mapping[bytes, Callable[[bytes], Decoded]]:  # noqa: N802
        """Decoders by the first bytes of records that need no look at their keys."""

    @property
    def NAMES(self) -> Mapping[bytes, Callable[[bytes], str]]:  # noqa: N802
        """What reads the uid alone, by the first bytes of records where that is cheaper."""

    def recognises(self, keys: Mapping[str, msgspec.Raw]) -> bool:
        """Whether a record with these top-level keys is this platform's."""

    def decode(self, value: bytes, keys: Mapping[str, msgspec.Raw]) -> Decoded:
        """Raises `Unreadable` and what msgspec raises."""


# In the order in which they are asked whether a record is theirs; X last: a page of anybody is X's.
_MODULES: Final[tuple[Platform, ...]] = (bluesky, mastodon, facebook, x)
PLATFORMS: Final[Mapping[str, Platform]] = {module.PLATFORM: module for module in _MODULES}

_HEAD: Final = 6
_R = TypeVar("_R")
_Heads: TypeAlias = dict[str | None, dict[bytes, tuple[bytes, Callable[[bytes], _R]]]]


def _by_head(read: Callable[[Platform], Mapping[bytes, Callable[[bytes], _R]]]) -> _Heads[_R]:
    """Readers by platform of the header (None: of all) and by how a record begins.

    What begins alike is told apart by `_HEAD` bytes: one look-up a record.
    """
    modules_of = [(None, _MODULES), *((one.PLATFORM, (one,)) for one in _MODULES)]
    return {
        name: {
            prefix[:_HEAD]: (prefix, reader)
            for module in modules
            for prefix, reader in read(module).items()
        }
        for name, modules in modules_of
    }


_HEADS: Final = _by_head(lambda module: module.PREFIXES)
_NAMES: Final = _by_head(lambda module: module.NAMES)
_NOBODYS: Final[
    dict[bytes, tuple[bytes, Callable[[bytes], NoReturn]]]
] = {}  # of a platform that nobody has a decoder for
_keys: Final = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_WHERE: Final = re.compile(r" - at `(?:key in )?\$([^`]*)`$")
_TIMES: Final = ("created_at", "timestamp_ms", "created_time")


def decode(value: bytes | None, platform: str | None = None) -> Decoded:
    """What a record is.

    `platform` is the record's header of that name; without it the shape decides.  Raises
    `Unreadable`, and nothing else, whatever the bytes.
    """
    if not value:
        raise Unreadable("empty", "the record has no value")
    known = _HEADS.get(platform, _NOBODYS).get(value[:_HEAD])
    if known is not None and value.startswith(known[0]):
        try:
            # msgspec checks only what it decodes, and JSON is UTF-8 throughout.
            if not value.isascii():
                value.decode()
            return known[1](value)
        except (ValueError, Unreadable, RecursionError):
            pass  # something else that begins alike, or broken: the long way says which
    return _by_keys(value, platform)


def uid_of(value: bytes | None, platform: str | None = None) -> str | None:
    """The uid of a record that is a post or a delete, None of any other.

    The same as `decode` gives, for less where only the uid is wanted: a third of the cost for X's
    v2.  A record that `decode` refuses may have one, too.
    """
    if value:
        known = _NAMES.get(platform, _NOBODYS).get(value[:_HEAD])
        if known is not None and value.startswith(known[0]):
            try:
                return known[1](value)
            except (ValueError, Unreadable, RecursionError):
                pass  # as in `decode`
    try:
        post = decode(value, platform)
    except Unreadable:
        return None
    return post.uid if isinstance(post, Post | Deleted) else None


def _by_keys(value: bytes, platform: str | None) -> Decoded:
    if platform is not None and platform not in PLATFORMS:
        known = ", ".join(PLATFORMS)
        raise Unreadable("platform", f"no decoder for {platform[:40]!r}, only for {known}")
    if not value.strip():
        raise Unreadable("empty", "the record's value is white space")
    try:
        value.decode()
        keys = _keys(value)
        for module in _MODULES:
            if platform == module.PLATFORM or (platform is None and module.recognises(keys)):
                return module.decode(value, keys)
    except (Unreadable, MemoryError):
        raise
    except Exception as error:
        _refuse(value, error)
    names = ", ".join(sorted(keys))[:200].encode(errors="replace").decode()
    raise Unreadable("shape", f"no platform's record has the keys {names or '(none)'}")


def _refuse(value: bytes, error: Exception) -> NoReturn:
    """Say in one word and one sentence what is wrong with a record."""
    message = str(error)
    if isinstance(error, UnicodeDecodeError):
        raise Unreadable("utf8", f"byte {error.start} is no UTF-8") from None
    if isinstance(error, RecursionError):
        raise Unreadable("too_deep", "nested deeper than any post") from None
    if isinstance(error, msgspec.ValidationError):
        where = _WHERE.search(message)
        path = where.group(1).lstrip(".") if where else ""
        if not path:
            if value.lstrip()[:1] == b"[":
                raise Unreadable("shape", "an array: split it into one record each") from None
            raise Unreadable("shape", message) from None
        what = message[: where.start()] if where else message
        reason = "created_at" if path.rpartition(".")[2] in _TIMES else "field"
        raise Unreadable(reason, f"{path}: {what}") from None
    try:  # a second opinion, with line and column, and a word for half a surrogate pair
        orjson.loads(value)
    except orjson.JSONDecodeError as second:
        message = str(second)
    raise Unreadable("json", message[:200]) from None
