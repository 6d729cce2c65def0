"""A growing NDJSON file, a FIFO, or standard input.

A file's cursor is a byte offset, with what tells this file from another one under the same name:
its inode, and a fingerprint of its beginning (inodes are used again).  A file that is renamed, as
log rotation does, is read to its end before the new one of its name is begun.  A FIFO has no
cursor: what was read from it and is not in Kafka is lost with the process.
"""

from __future__ import annotations

import asyncio
import glob
import hashlib
import os
import stat
import sys
from collections.abc import AsyncGenerator
from io import BufferedReader
from pathlib import Path
from typing import IO, Final

from streams.errors import UserError
from streams.ingest.live.source import Cursor, Disconnected, Ended, Item, Observer
from streams.ingest.ndjson import STDIN

_READ: Final = 1 << 18  # bytes
_POLL: Final = 0.2  # s between two looks at a file that does not grow
_HEAD: Final = 256  # bytes that the fingerprint is of, at most


class FileSource:
    """NDJSON, of any platform: a line is a record, empty lines are left out.

    `largest` (bytes): a line that is longer than twice this is given up, and its rest is skipped.
    """

    platform = None

    def __init__(self, path: str, largest: int, observer: Observer) -> None:
        self.name = f"file:{path if path == STDIN else Path(path).resolve()}"
        self._path = path
        self._largest = 2 * largest
        self._observer = observer

    async def read(self, cursor: Cursor | None) -> AsyncGenerator[Item, None]:
        """As `Source.read`; a file is read from its beginning where there is no cursor."""
        if self._path == STDIN:
            pipe = os.fdopen(os.dup(sys.stdin.fileno()), "rb", buffering=0)
            if stat.S_ISREG(os.fstat(pipe.fileno()).st_mode):
                pipe.close()
                raise UserError("standard input is a file: name it instead of -")
            async for item in self._pipe(pipe):
                yield item
            raise Ended
        path = Path(self._path)
        try:
            kind = path.stat().st_mode  # noqa: ASYNC240 - a look at an inode
            if stat.S_ISFIFO(kind):
                # Also for writing: else it ends whenever a writer closes it.
                descriptor = os.open(path, os.O_RDWR | os.O_NONBLOCK)
                pipe = os.fdopen(descriptor, "rb", buffering=0)
            elif not stat.S_ISREG(kind):
                raise UserError(f"{path} is neither a file nor a FIFO")
        except FileNotFoundError as error:
            raise Disconnected("network", f"{path} is not there yet") from error
        except OSError as error:
            raise UserError(f"cannot read {path}: {error.strerror}") from error
        lines = self._pipe(pipe) if stat.S_ISFIFO(kind) else self._grow(path, cursor)
        async for item in lines:
            yield item

    async def _pipe(self, pipe: IO[bytes]) -> AsyncGenerator[Item, None]:
        loop = asyncio.get_running_loop()
        reader = asyncio.StreamReader(limit=_READ)
        transport, _ = await loop.connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(reader), pipe
        )
        self._observer.connected(True)
        lines = _Lines(self._largest, self._observer)
        try:
            while chunk := await reader.read(_READ):
                for line, _ in lines.split(chunk):
                    yield Item(line)
            if rest := lines.rest():
                yield Item(rest)
        finally:
            transport.close()

    async def _grow(self, path: Path, cursor: Cursor | None) -> AsyncGenerator[Item, None]:
        with self._open(path, cursor) as file:
            inode = os.fstat(file.fileno()).st_ino
            self._observer.connected(True)
            lines = _Lines(self._largest, self._observer, file.tell())
            head = b""
            while True:
                renamed = _inode(path) != inode  # looked at before the last read of the old one
                chunk = await asyncio.to_thread(file.read1, _READ)
                if chunk:
                    if len(head) < _HEAD:
                        head = os.pread(file.fileno(), _HEAD, 0)
                    for line, end in lines.split(chunk):
                        yield Item(line, _cursor(inode, end, head))
                elif renamed:
                    yield Item(lines.rest() or None, _cursor(0, 0, b""))
                    raise Disconnected("end", f"{path} is another file now", 0.0)
                elif os.fstat(file.fileno()).st_size < file.tell():
                    self._observer.gap(f"{path} was cut: it is read from its beginning")
                    yield Item(None, _cursor(0, 0, b""))
                    raise Disconnected("end", f"{path} was cut", 0.0)
                else:
                    await asyncio.sleep(_POLL)

    def _open(self, path: Path, cursor: Cursor | None) -> BufferedReader:
        """The file of the cursor, at its place: also where it has been renamed meanwhile; else
        the file of that name, at its beginning."""
        if cursor is not None:
            for candidate in (path, *sorted(path.parent.glob(f"{glob.escape(path.name)}?*"))):
                if file := _at_cursor(candidate, cursor):
                    return file
            self._observer.gap(f"{path} is another file than the cursor's, which is gone")
        return path.open("rb")


def _at_cursor(path: Path, cursor: Cursor) -> BufferedReader | None:
    """The file at the cursor's offset; None where it is another one."""
    if cursor["offset"] and not path.is_file():
        return None
    file = path.open("rb")
    head = file.read(cursor["head_bytes"])
    if _fingerprint(head) == cursor["head"] and cursor["offset"] <= os.fstat(file.fileno()).st_size:
        file.seek(cursor["offset"])
        return file  # the inode may be another: a file that was copied or restored
    file.close()
    return None


class _Lines:
    """Lines of chunks, each with the offset behind it."""

    def __init__(self, largest: int, observer: Observer, offset: int = 0) -> None:
        self._largest = largest
        self._observer = observer
        self._offset = offset  # behind the last whole line
        self._rest = b""
        self._skipping = False

    def split(self, chunk: bytes) -> list[tuple[bytes, int]]:
        found = []
        *whole, self._rest = (self._rest + chunk).split(b"\n")
        for line in whole:
            self._offset += len(line) + 1
            if self._skipping:
                self._skipping = False
            elif line := line.removesuffix(b"\r"):
                found.append((line, self._offset))
        if len(self._rest) > self._largest:
            if not self._skipping:
                self._observer.skipped("too_large", f"a line has more than {self._largest} bytes")
            self._skipping = True
            self._offset += len(self._rest)
            self._rest = b""
        return found

    def rest(self) -> bytes:
        """A last line without its end."""
        rest, self._rest = self._rest, b""
        return b"" if self._skipping else rest.removesuffix(b"\r")


def _cursor(inode: int, offset: int, head: bytes) -> Cursor:
    head = head[: min(len(head), offset)]
    return {
        "inode": inode,
        "offset": offset,
        "head_bytes": len(head),
        "head": _fingerprint(head),
    }


def _fingerprint(head: bytes) -> str:
    return hashlib.blake2b(head, digest_size=16).hexdigest()


def _inode(path: Path) -> int | None:
    """Of the file that has the name now; None where there is none."""
    try:
        return path.stat().st_ino
    except FileNotFoundError:
        return None
