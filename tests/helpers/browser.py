"""A real headless Chromium, controlled through a pipe: pages of any size, in print and in dark mode."""

from __future__ import annotations

import base64
import contextlib
import itertools
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

from tests.helpers.waiting import eventually

CHROMIUM = shutil.which("chromium")
OPTIONS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-quic",
    "--disable-sync",
    "--no-first-run",
    "--disable-extensions",
    "--disable-background-networking",
    "--disable-component-update",
    "--hide-scrollbars",
)

NUMBERS = itertools.count(1)  # of commands to browsers

KEYS = {
    "Tab": 9,
    "Enter": 13,
    "Escape": 27,
    "Space": 32,
    "End": 35,
    "Home": 36,
    "ArrowLeft": 37,
    "ArrowUp": 38,
    "ArrowRight": 39,
    "ArrowDown": 40,
}

# The contrast of each text with its background, by the formula of WCAG; the lowest first.
CONTRASTS = """
(() => {
  const rgb = text => (text.match(/[\\d.]+/g) || []).map(Number);
  const light = ([r, g, b]) => [r, g, b].map(v => v / 255)
    .map(v => v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
    .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  const behind = element => {
    for (let each = element; each; each = each.parentElement) {
      const colour = rgb(getComputedStyle(each).backgroundColor);
      if (colour.length === 3 || colour[3] > 0.99) return colour;
    }
    return [255, 255, 255];
  };
  const found = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement;
    if (!walker.currentNode.data.trim() || element.closest("title, defs, style")) continue;
    const style = getComputedStyle(element);
    const colour = element.closest("svg") ? style.fill : style.color;
    const [a, b] = [light(rgb(colour)), light(behind(element))].sort((a, b) => b - a);
    found.push([(a + 0.05) / (b + 0.05), walker.currentNode.data.trim().slice(0, 40)]);
  }
  return JSON.stringify(found.sort((a, b) => a[0] - b[0]).slice(0, 5));
})()
"""
# Elements that overflow the right edge of the page or of the image.
TOO_WIDE = """
JSON.stringify([...document.querySelectorAll("body *")]
  .filter(e => !e.closest(".signs") && !e.closest("details:not([open])") && e.tagName !== "title")
  .filter(e => !e.closest("table.stacked thead"))
  .filter(e => e.getBoundingClientRect().right > document.documentElement.clientWidth + 0.5)
  .map(e => e.tagName + "." + (e.getAttribute("class") || "") + " " + e.textContent.slice(0, 30)))
"""


class Browser:
    """One page of a browser. JavaScript of the page is off by default; `ask` uses the debugger's."""

    def __init__(self, out: BinaryIO, answers: BinaryIO, **options: Any) -> None:
        self._out = out
        self._in = answers
        self._session: str | None = None
        self.requests: list[str] = []
        target = self._call("Target.createTarget", url="about:blank", **options)["targetId"]
        self._session = self._call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        self._call("Page.enable")
        self._call("Network.enable")
        self.scripts(on=False)

    def another(self, *, window: bool) -> Browser:
        """Another page of the same browser: in a window of its own, or in a tab that hides this one."""
        return Browser(self._out, self._in, newWindow=window)

    def to_front(self) -> None:
        """Show this page, which hides the other tabs of its window."""
        self._call("Page.bringToFront")

    def leave(self) -> None:
        """Close this page."""
        self._call("Page.close")

    def scripts(self, *, on: bool) -> None:
        """Turn scripts of the next pages on or off."""
        self._call("Emulation.setScriptExecutionDisabled", value=not on)

    def open(self, page: Path | str, *, width: int, height: int = 800, media: str = "", dark: bool = False) -> None:
        """Load a page (a file or a URL) at a size; `media` is `print` or nothing."""
        self.requests.clear()
        self.resize(width=width, height=height)
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self._call("Emulation.setEmulatedMedia", media=media, features=[scheme])
        self._call("Page.navigate", url=page if isinstance(page, str) else page.as_uri())
        self._wait("Page.loadEventFired")

    def resize(self, *, width: int, height: int = 800) -> None:
        """Give the page another size."""
        self._call(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=width < 500
        )

    def ask(self, expression: str) -> Any:
        """Return the value of a JavaScript expression on the page, also of a promise."""
        answer = self._call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")

    def click(self, selector: str) -> None:
        """Click in the middle of an element, as a person does."""
        place = f"document.querySelector({json.dumps(selector)})"
        middle = "e.scrollIntoView({block: 'center'}), (r => [r.x + r.width / 2, r.y + r.height / 2])"
        x, y = self.ask(f"(e => ({middle}(e.getBoundingClientRect())))({place})")
        for kind in ("mousePressed", "mouseReleased"):
            self._call("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", clickCount=1)

    def press(self, key: str) -> None:
        """Press and release a key: `Tab`, `Enter`, `ArrowDown`, ..."""
        text = {"text": "\r"} if key == "Enter" else {}
        named = {"key": key, "code": key, "windowsVirtualKeyCode": KEYS[key]}
        self._call("Input.dispatchKeyEvent", type="keyDown" if text else "rawKeyDown", **named, **text)
        self._call("Input.dispatchKeyEvent", type="keyUp", **named)

    def eventually(self, expression: str) -> Any:
        """Wait until an expression on the page has a true value, and return it; a page may load itself again."""
        return eventually(lambda: self._value(expression))

    def _value(self, expression: str) -> Any:
        answer = self._call("Runtime.evaluate", expression=expression, returnByValue=True)
        return answer["result"].get("value") if "exceptionDetails" not in answer else None

    def type(self, text: str) -> None:
        """Type text into the focused element."""
        self._call("Input.insertText", text=text)

    def shot(self, file: Path, *, height: int = 8000) -> None:
        """Write a screenshot of the page down to a height."""
        size = self._call("Page.getLayoutMetrics")["cssContentSize"]
        clip = {"x": 0, "y": 0, "width": size["width"], "height": min(size["height"], height), "scale": 1}
        picture = self._call("Page.captureScreenshot", format="png", captureBeyondViewport=True, clip=clip)
        file.write_bytes(base64.b64decode(picture["data"]))

    def pdf(self) -> bytes:
        """Return the printed page."""
        return base64.b64decode(self._call("Page.printToPDF", preferCSSPageSize=True)["data"])

    def close(self) -> None:
        """Close the pipe, which ends the browser."""
        self._out.close()
        self._in.close()

    def _call(self, method: str, **parameters: Any) -> dict[str, Any]:
        number = next(NUMBERS)
        message = {"id": number, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        self._out.write(json.dumps(message).encode() + b"\0")
        while True:
            answer = self._hear()
            if answer.get("id") == number:
                assert "error" not in answer, (method, answer["error"])
                result: dict[str, Any] = answer["result"]
                return result

    def _wait(self, event: str) -> None:
        while (heard := self._hear()).get("method") != event or heard.get("sessionId") != self._session:
            pass

    def _hear(self) -> dict[str, Any]:
        letters = bytearray()
        while (letter := self._in.read(1)) != b"\0":
            assert letter, "the browser has ended"
            letters += letter
        message: dict[str, Any] = json.loads(letters)
        if message.get("method") == "Network.requestWillBeSent" and message.get("sessionId") == self._session:
            self.requests.append(message["params"]["request"]["url"])
        return message


@contextlib.contextmanager
def browser(folder: Path) -> Iterator[Browser]:
    """Run a browser with its profile in `folder` until the end of the block."""
    theirs_in, ours_out = os.pipe()
    ours_in, theirs_out = os.pipe()
    pipes = "import os, sys; os.dup2({0}, 100); os.dup2({1}, 101); os.dup2(100, 3); os.dup2(101, 4); "
    starter = pipes.format(theirs_in, theirs_out) + "os.execv(sys.argv[1], sys.argv[1:])"
    process = subprocess.Popen(
        [
            sys.executable,
            "-c",
            starter,
            CHROMIUM or "",
            *OPTIONS,
            "--remote-debugging-pipe",
            f"--user-data-dir={folder / 'chromium'}",
        ],
        pass_fds=(theirs_in, theirs_out),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    os.close(theirs_in)
    os.close(theirs_out)
    driven = None
    try:
        driven = Browser(os.fdopen(ours_out, "wb", buffering=0), os.fdopen(ours_in, "rb"))
        yield driven
    finally:
        if driven is not None:
            driven.close()
        process.terminate()
        process.wait(20)


def open_readable(chromium: Browser, page: Path, *, width: int, dark: bool) -> None:
    """Load a page, and check that nothing overflows, all text has enough contrast, and no other file is loaded."""
    chromium.open(page, width=width, dark=dark)
    assert chromium.ask("document.documentElement.scrollWidth") == width
    too_wide = json.loads(chromium.ask(TOO_WIDE))
    assert too_wide == [], too_wide
    (worst, text), *_ = json.loads(chromium.ask(CONTRASTS))
    assert worst >= 4.5, text
    assert chromium.requests == [page.as_uri()], chromium.requests
