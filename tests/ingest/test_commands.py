"""`simulate` and `inspect` as commands: bytes on stdout, errors that say what to do."""

from __future__ import annotations

from pathlib import Path

import orjson
import pytest

from streams.errors import UserError
from streams.ingest.commands import inspect_file, write_simulation
from streams.ingest.simulate import load_scenario, simulate


def test_simulate_writes_the_day_and_its_truth(
    tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    write_simulation("metoo-day", 2000, 5, tmp_path / "truth.json")
    lines = capfdbinary.readouterr().out.split(b"\n")
    day = simulate(load_scenario("metoo-day"), posts=2000, seed=5)
    assert lines == [*day, b""]
    truth = orjson.loads((tmp_path / "truth.json").read_bytes())
    assert truth == day.truth.document()


def test_simulate_without_truth(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    write_simulation("metoo-day", 1, 5, None)
    assert capfdbinary.readouterr().out.count(b"\n") == 1


def test_truth_that_cannot_be_written(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"cannot write .*: No such file"):
        write_simulation("metoo-day", 10, 1, tmp_path / "missing" / "truth.json")


def test_no_such_scenario() -> None:
    with pytest.raises(UserError, match=r"there are: .*metoo-day") as error:
        write_simulation("no-such-day", 10, 1, None)
    assert error.value.exit_code == 2


def test_inspect_writes_a_line_for_a_line(
    tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    feed = list(simulate(load_scenario("metoo-day"), posts=1200, seed=5))
    feed += [b"", b"last"]
    path = tmp_path / "feed.ndjson"
    path.write_bytes(b"\n".join(feed))
    inspect_file(str(path), ["metoo"])
    found = capfdbinary.readouterr().out.splitlines()
    assert len(found) == len(feed)
    assert all(isinstance(orjson.loads(line), dict) for line in found)
    assert all(b"error" in line for line in found[-2:])
