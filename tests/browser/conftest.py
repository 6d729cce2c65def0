"""A real Chromium, and an exporter whose counters are set by hand or by a replay."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser, BrowserContext, Page, async_playwright

from streams.config import Settings
from streams.embedded import Child, free_port, url_answers
from tests.filled import Filled

#: Kept as CI's output.
SHOTS = Path(os.environ.get("SCREENSHOTS", ".streams/screenshots"))


def find_chromium() -> str | None:
    """Path of the browser: Debian's, or a Chrome of another name."""
    names = ("chromium", "chromium-browser", "google-chrome")
    return next((found for name in names if (found := shutil.which(name))), None)


@pytest.fixture(scope="session")
def chromium() -> str:
    """Path of the browser; skips where there is none."""
    return find_chromium() or pytest.skip("needs chromium on the PATH")


@pytest.fixture
async def browser(chromium: str) -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        # A sandbox of Chromium's own is not to be had for root, nor in most containers.
        launched = await playwright.chromium.launch(
            executable_path=chromium, args=["--no-sandbox", "--disable-dev-shm-usage"]
        )
        yield launched
        await launched.close()


class Visit:
    """A page, and what went wrong on it."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.errors: list[str] = []
        page.on("console", self._said)
        page.on("pageerror", lambda error: self.errors.append(str(error)))

    def _said(self, message: Any) -> None:
        if message.type in ("error", "warning"):
            self.errors.append(f"{message.text} {message.location.get('url', '')}")

    async def open(self, url: str) -> None:
        await self.page.goto(url)
        await self.page.wait_for_selector("#link[data-state=live]")
        await self.page.wait_for_function("document.getElementById('velocity').textContent !== '–'")

    async def text(self, selector: str) -> str:
        return (await self.page.inner_text(selector)).strip()

    async def says(self, selector: str, text: str, seconds: float = 30) -> None:
        """Wait until an element has that text."""
        await self.page.wait_for_function(
            "([selector, text]) => document.querySelector(selector)?.textContent.includes(text)",
            arg=[selector, text],
            timeout=seconds * 1000,
        )

    async def shares(self, dimension: str) -> dict[str, int]:
        """Posts by value, as a card has them; its row `others` has the value ''."""
        return dict(
            await self.page.evaluate(
                """(dimension) => [...document.querySelectorAll(
                    `table[aria-labelledby=share-${dimension}] tr[data-value]`)].map((row) => [
                        row.dataset.value,
                        Number(row.querySelector(".number").title.replaceAll(",", ""))])""",
                dimension,
            )
        )

    async def shot(self, name: str) -> None:
        await self.page.screenshot(path=SHOTS / f"{name}.png", full_page=True)


@pytest.fixture
async def visit(browser: Browser) -> AsyncIterator[Callable[..., Any]]:
    """Opens pages: `await visit(url, width=…, dark=…)`."""
    contexts: list[BrowserContext] = []

    async def visit(url: str | None = None, *, width: int = 1440, dark: bool = False) -> Visit:
        context = await browser.new_context(
            viewport={"width": width, "height": 900 if width > 600 else 812},
            color_scheme="dark" if dark else "light",
            reduced_motion="reduce",
        )
        contexts.append(context)
        opened = Visit(await context.new_page())
        if url is not None:
            await opened.open(url)
        return opened

    yield visit
    for context in contexts:
        await context.close()


class Exporter:
    """An exporter process that can be stopped and started again on its port."""

    def __init__(self, settings: Settings, folder: Path, **environ: str) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}/"
        self._log = folder / "exporter.log"
        self._environ = {
            **{name: text for name, text in os.environ.items() if name[:8] != "STREAMS_"},
            "STREAMS_REDIS__URL": settings.redis.url,
            "STREAMS_REDIS__PREFIX": settings.redis.prefix,
            "STREAMS_EXPORTER__HOST": "127.0.0.1",
            "STREAMS_EXPORTER__PORT": str(self.port),
            "STREAMS_EXPORTER__CLOCK": "replay",
            **environ,
        }
        self._child: Child | None = None

    def start(self) -> Exporter:
        child = Child(
            "exporter",
            [sys.executable, "-m", "streams", "exporter"],
            log=self._log,
            env=self._environ,
        )
        self._child = child.start()
        child.wait_ready(lambda: url_answers(f"{self.url}readyz"), 60)
        return self

    def stop(self) -> None:
        if self._child is not None:
            self._child.signal(15)
            with suppress(Exception):
                self._child.stop()
            self._child = None


@pytest.fixture
def exporter(redis_url: str, unique: str, tmp_path: Path) -> Iterator[Callable[..., Exporter]]:
    """Starts an exporter: `exporter()`, or with more environment, `exporter(NAME=value)`."""
    started: list[Exporter] = []

    def start(**environ: str) -> Exporter:
        settings = Settings(redis={"url": redis_url, "prefix": f"{unique}:"})
        started.append(Exporter(settings, tmp_path, **environ).start())
        return started[-1]

    yield start
    for each in started:
        each.stop()


@pytest.fixture
def filled(redis_url: str, unique: str) -> Filled:
    return Filled(redis_url, f"{unique}:")
