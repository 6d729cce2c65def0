"""Files of lines: plain, compressed, with any line end."""

from __future__ import annotations

import gzip
import io
from pathlib import Path

import pytest
import zstandard

from streams.errors import UsageError
from streams.ingest.ndjson import read_chunks, read_lines, stream_lines

CONTENT = b'{"a":1}\r\n\n{"b":"\xff"}\nlast'
LINES = [b'{"a":1}', b"", b'{"b":"\xff"}', b"last"]


@pytest.fixture
def files(tmp_path: Path) -> list[str]:
    contents = {
        "plain.ndjson": CONTENT,
        "posts.ndjson.gz": gzip.compress(CONTENT),
        "posts.ndjson.zst": zstandard.compress(CONTENT),
    }
    for name, content in contents.items():
        (tmp_path / name).write_bytes(content)
    return [str(tmp_path / name) for name in contents]


def test_each_kind_of_file(files: list[str]) -> None:
    for name in files:
        assert list(read_lines(name)) == LINES


def test_one_after_the_other(files: list[str]) -> None:
    assert list(read_lines(*files)) == LINES * 3


async def test_streaming_gives_the_same(files: list[str]) -> None:
    assert [line async for line in stream_lines(*files)] == LINES * 3


def test_several_zstd_frames(tmp_path: Path) -> None:
    path = tmp_path / "frames.zst"
    path.write_bytes(zstandard.compress(b"one\ntw") + zstandard.compress(b"o\n"))
    assert list(read_lines(str(path))) == [b"one", b"two"]


def test_lines_longer_than_a_chunk(tmp_path: Path) -> None:
    path = tmp_path / "long.ndjson"
    path.write_bytes(b"x" * 1_000_000 + b"\ny\n")
    assert [len(line) for line in read_lines(str(path))] == [1_000_000, 1]


def test_stdin(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(CONTENT)))
    assert [line for chunk in read_chunks("-") for line in chunk] == LINES


@pytest.mark.parametrize("name", ["missing.ndjson", "missing.gz", "missing.zst"])
def test_a_file_that_is_not_there(tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageError, match="No such file"):
        list(read_lines(str(tmp_path / name)))


@pytest.mark.parametrize("name", ["broken.gz", "broken.zst"])
@pytest.mark.parametrize("whole", [True, False])
def test_broken_compression(tmp_path: Path, name: str, whole: bool) -> None:
    compress = gzip.compress if name.endswith("gz") else zstandard.compress
    content = b"not compressed" if whole else compress(CONTENT * 50)[:30]
    (tmp_path / name).write_bytes(content)
    with pytest.raises(UsageError, match="cannot read"):
        list(read_lines(str(tmp_path / name)))
