from __future__ import annotations

import asyncio
import json

import pytest
from rich.console import Console

from streams.config import RedisSettings, Settings
from streams.errors import UsageError, UserError
from streams.top import run_top, screen, sparkline
from tests.filled import Filled

T = 1_508_158_800


@pytest.fixture
def filled(redis_url: str, unique: str) -> Filled:
    return Filled(redis_url, f"{unique}:")


@pytest.fixture
def configured(redis_url: str, filled: Filled) -> Settings:
    prefix = filled.layout.prefix
    return Settings(redis=RedisSettings(url=redis_url, prefix=prefix), exporter={"clock": "replay"})


def fill(filled: Filled) -> None:
    filled.partition(0, watermark=T)
    filled.partition(1, watermark=T - 3)
    filled.outcome(0, "counted", 9)
    filled.outcome(0, "duplicate", 2)
    filled.campaign(0, T - 30, 3)
    filled.campaign(1, T - 3000, 2)
    filled.campaign(1, T - 30, 1, name="other")
    filled.tag(0, "metoo", T - 30, 4)
    filled.tag(1, "أنا_كمان", T - 3000, 6)
    filled.tag(1, "[red]" + "x" * 60, T - 30, 1)


async def once(
    capsys: pytest.CaptureFixture[str], settings: Settings, window: str, *, as_json: bool
) -> str:
    assert await run_top(settings, window, interval=2, once=True, as_json=as_json) == 0
    return capsys.readouterr().out


async def test_json_is_a_document_with_exact_counts(
    capsys: pytest.CaptureFixture[str], configured: Settings, filled: Filled
) -> None:
    fill(filled)
    text = await once(capsys, configured, "1h", as_json=True)
    [line] = text.splitlines()
    document = json.loads(line)
    assert document["until"] == T * 1000
    assert document["records"]["duplicates"] == 2
    assert [row["campaign"] for row in document["campaigns"]] == ["metoo", "other"]
    metoo = document["campaigns"][0]
    assert (metoo["total"], metoo["posts"], sum(metoo["points"])) == (5, 5, 5)
    assert metoo["velocity"] == pytest.approx(5 / 3600)
    assert document["step"] * len(metoo["points"]) == 3600
    assert (metoo["points"][-1], metoo["points"][3]) == (3, 2)
    assert [row["posts"] for row in document["hashtags"]] == [6, 4, 1]
    minute = json.loads(await once(capsys, configured, "1m", as_json=True))
    assert minute["hashtags"][0]["hashtag"] == "metoo"
    assert len(minute["campaigns"][0]["points"]) == 6


@pytest.mark.parametrize("window", ["1m", "5m", "15m", "1h", "24h"])
async def test_a_plain_table_of_eighty_columns(
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    configured: Settings,
    filled: Filled,
    window: str,
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    fill(filled)
    text = await once(capsys, configured, window, as_json=False)
    assert "\x1b" not in text
    assert max(map(len, text.splitlines())) <= 80
    assert "#metoo" in text
    assert "#[red]xxx" in text or window == "24h"  # a hashtag is no markup
    assert "2 duplicates" in text


async def test_before_the_first_post(
    capsys: pytest.CaptureFixture[str], configured: Settings
) -> None:
    assert "no posts yet" in await once(capsys, configured, "1h", as_json=False)
    document = json.loads(await once(capsys, configured, "1h", as_json=True))
    assert document["campaigns"][0]["campaign"] == "metoo"
    assert document["campaigns"][0]["velocity"] is None


async def test_looks_again_until_ended(
    capsys: pytest.CaptureFixture[str], configured: Settings, filled: Filled
) -> None:
    fill(filled)
    task = asyncio.create_task(run_top(configured, "1h", interval=0.05, once=False, as_json=True))
    lines: list[str] = []
    while len(lines) < 3:
        await asyncio.sleep(0.05)
        assert not task.done()
        lines += capsys.readouterr().out.splitlines()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert {json.loads(line)["window"] for line in lines} == {"1h"}


async def test_errors_are_one_line(configured: Settings) -> None:
    with pytest.raises(UsageError, match="7m"):
        await run_top(configured, "7m", interval=1, once=True, as_json=False)
    gone = Settings(redis=RedisSettings(url="redis://127.0.0.1:1"))
    with pytest.raises(UserError, match=r"127\.0\.0\.1:1"):
        await run_top(gone, "1h", interval=1, once=True, as_json=False)


def test_sparkline() -> None:
    assert sparkline([0, 1, 4, 8]) == " ▁▄█"
    assert sparkline([0, 0]) == "  "
    assert sparkline([]) == ""
    assert sparkline([1_000_000, 1]) == "█▁"
    assert sparkline([0, 8], ascii_only=True) == " #"


def test_a_terminal_gets_colour() -> None:
    console = Console(force_terminal=True, width=80, record=True, file=None)
    row = {"campaign": "metoo", "total": 1, "posts": 1, "velocity": 0.5, "points": [1]}
    document = {
        "window": "1h", "until": T * 1000, "step": 60, "lag": 0, "paused": ["p"],
        "records": {"posts": 1, "duplicates": 0, "dead": 0},
        "campaigns": [row], "hashtags": [],
    }  # fmt: skip
    with console.capture() as captured:
        console.print(screen(document))
    assert "\x1b[" in captured.get()
    assert "1 paused" in captured.get()
