"""Server-sent events out of the bytes of a response.

https://html.spec.whatwg.org/multipage/server-sent-events.html#parsing-an-event-stream, without ids
and retry times, which Mastodon does not send.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from streams.ingest.live.source import Disconnected

_LARGEST: Final = 10 << 20  # bytes of one event


class Event(NamedTuple):
    """`data` has a line feed between lines, and none at its end."""

    name: str
    data: bytes


class EventParser:
    """Feed it chunks, however they are cut; an event that is not ended is never given out."""

    def __init__(self) -> None:
        self._rest = b""
        self._name = b""
        self._data: list[bytes] = []
        self._size = 0

    def feed(self, chunk: bytes) -> list[Event]:
        """The events that the chunk ends.  Raises `Disconnected` for one that is beyond measure."""
        found = []
        # CR LF is one end, and may be cut in two: a CR at the very end waits for what follows.
        data = self._rest + chunk
        held = b"\r" if data.endswith(b"\r") else b""
        data = data[: len(data) - len(held)].replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        *lines, last = data.split(b"\n")
        self._rest = last + held
        for line in lines:
            if not line:
                if self._data:
                    found.append(Event(self._name.decode() or "message", b"\n".join(self._data)))
                self._name, self._data, self._size = b"", [], 0
                continue
            field, _, value = line.partition(b":")  # a comment has an empty field
            value = value.removeprefix(b" ")
            if field == b"data":
                self._data.append(value)
                self._size += len(value)
            elif field == b"event":
                self._name = value
        if self._size + len(self._rest) > _LARGEST:
            raise Disconnected("http", f"an event has more than {_LARGEST} bytes")
        return found
