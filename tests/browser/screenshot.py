"""The README's picture: the page at the end of the demo's day.  `make screenshot`."""

from __future__ import annotations

import asyncio
import re
import signal
import sys
from pathlib import Path
from typing import Final

from playwright.async_api import async_playwright

from tests.browser.conftest import find_chromium

TARGET: Final = Path("deploy/screenshot.png")
POSTS: Final = 60_000
WIDTH: Final = 1280
_SERVING: Final = re.compile(rb"still serving (http://\S+?/),")


async def main() -> None:
    chromium = find_chromium()
    if chromium is None:
        sys.exit("make: no chromium on the PATH: on Debian, apt-get install chromium")
    demo = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "streams", "demo", "--posts", str(POSTS)),
        stdout=asyncio.subprocess.PIPE,
    )
    assert demo.stdout is not None
    try:
        async for line in demo.stdout:
            if found := _SERVING.search(line):
                await take(chromium, found[1].decode())
                return
        sys.exit("make: the demo ended by itself; `make demo` says why")
    finally:
        if demo.returncode is None:
            demo.send_signal(signal.SIGINT)
        await demo.communicate()


async def take(chromium: str, url: str) -> None:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        page = await browser.new_page(viewport={"width": WIDTH, "height": 900})
        await page.goto(f"{url}?window=24h")
        await page.wait_for_selector("#newest li")
        # Down to the shares: with the lists below it would be twice the bytes.
        shares = await page.locator("#shares").bounding_box()
        assert shares is not None
        clip = {"x": 0, "y": 0, "width": WIDTH, "height": shares["y"] + shares["height"] + 16}
        await page.screenshot(path=TARGET, full_page=True, animations="disabled", clip=clip)
        await browser.close()
    sys.stdout.write(f"{TARGET}\n")


if __name__ == "__main__":
    asyncio.run(main())
