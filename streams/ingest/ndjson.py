"""Lines of NDJSON files, as they are: what is in them is the decoder's business."""

from __future__ import annotations

import asyncio
import gzip
import sys
import zlib
from collections.abc import AsyncIterator, Iterator
from io import BufferedReader
from pathlib import Path
from typing import Final, cast

from streams.errors import UsageError

STDIN: Final = "-"
_READ: Final = 1 << 18  # bytes


def read_chunks(name: str) -> Iterator[list[bytes]]:
    """Lines of a file (plain, `.gz`, `.zst`, or `-` for stdin), as many as one read brings.

    Line ends (LF, CRLF) are taken off; a last line needs none.  A pipe's lines come when they are
    written, without waiting for more.  Raises `UsageError` where the file cannot be read or its
    compression is broken or cut off.
    """
    rest = b""
    for chunk in _bytes(name):
        lines = (rest + chunk if rest else chunk).split(b"\n")
        rest = lines.pop()
        if lines:
            yield [line.removesuffix(b"\r") for line in lines]
    if rest:
        yield [rest.removesuffix(b"\r")]


def read_lines(*names: str) -> Iterator[bytes]:
    """Lines of one file after the other."""
    for name in names:
        for chunk in read_chunks(name):
            yield from chunk


async def stream_lines(*names: str) -> AsyncIterator[bytes]:
    """The same, read in a thread: a slow pipe holds up nothing else."""
    for name in names:
        chunks = read_chunks(name)
        while (chunk := await asyncio.to_thread(next, chunks, None)) is not None:
            for line in chunk:
                yield line


def _bytes(name: str) -> Iterator[bytes]:
    try:
        if name == STDIN:
            stdin = cast("BufferedReader", sys.stdin.buffer)
            while chunk := stdin.read1(_READ):
                yield chunk
        elif name.endswith(".gz"):
            with gzip.open(name, "rb") as file:
                while chunk := file.read1(_READ):
                    yield chunk
        elif name.endswith(".zst"):
            yield from _zstd(Path(name))
        else:
            with Path(name).open("rb") as plain:
                while chunk := plain.read1(_READ):
                    yield chunk
    except (OSError, EOFError, zlib.error) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise UsageError(f"cannot read {name}: {reason}") from error


def _zstd(path: Path) -> Iterator[bytes]:
    """Frame by frame: the library's stream reader takes a file that is cut off for a whole one."""
    import zstandard

    decompressor = zstandard.ZstdDecompressor()
    frame = None
    with path.open("rb") as file:
        while data := file.read(_READ):
            while data:
                frame = frame or decompressor.decompressobj()
                try:
                    chunk = frame.decompress(data)
                except zstandard.ZstdError as error:
                    raise OSError(str(error)) from error
                if chunk:
                    yield chunk
                data = b""
                if frame.eof:
                    data, frame = frame.unused_data, None
    if frame is not None:
        raise EOFError("the compressed file ends in the middle")
