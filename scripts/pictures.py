"""Makes the pictures of pages in docs/images, from real runs in a real browser: `python scripts/pictures.py`."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))  # as a script it sees its own folder only

from tests.helpers.browser import Browser, browser  # noqa: E402

IMAGES = ROOT / "docs" / "images"
ORDER = "order-121"
BUG = "examples/rehearsals/scale_up_bug.py"


def devserver(*words: str, ok: tuple[int, ...] = (0,)) -> None:
    """Run a command."""
    done = subprocess.run([sys.executable, "-m", "devserver", *words], cwd=ROOT, check=False, capture_output=True)
    if done.returncode not in ok:
        raise SystemExit(f"devserver {' '.join(words)}: {done.stderr.decode()}")


def make_trace(folder: Path) -> Path:
    """The page of an order that is updated, approved, charged after retries, packed and delivered."""
    devserver("up", "-d")
    worker = subprocess.Popen(
        [sys.executable, "-m", "devserver", "run", "examples/orders.py"],
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        start = ("workflow", "start", "examples/orders.py:Order")
        devserver(*start, "--name", "Ada", "--amount", "121", "--workflow-id", ORDER)
        time.sleep(1.5)  # a person who thinks
        devserver("workflow", "update", "change_city", ORDER, "--input", '"Porto"')
        time.sleep(1)
        devserver("workflow", "signal", "approve", ORDER, "--input", '"Grace"')
        devserver("workflow", "result", ORDER)
        devserver("trace", ORDER, "--html", str(folder / "trace.html"))
    finally:
        worker.terminate()
        worker.wait(30)
        devserver("down")
    return folder / "trace.html"


def make_report(folder: Path) -> Path:
    """The report of a runbook with a bug."""
    devserver("rehearse", BUG, "--seed", "7", "--report", str(folder), ok=(1,))
    return folder / "report.html"


def picture(chromium: Browser, page: Path, file: Path, *, width: int, height: int = 8000) -> None:
    """Draw the top of a page."""
    chromium.scripts(on=True)
    chromium.open(page, width=width, height=2000)  # rows outside the window are not drawn
    whole = round(chromium.ask("document.body.getBoundingClientRect().height"))
    chromium.open(page, width=width, height=whole)
    chromium.shot(file, height=height)


def main() -> None:
    """Make both, with a state folder of their own."""
    with tempfile.TemporaryDirectory() as home:
        os.environ["DEVSERVER_HOME"] = home
        folder = Path(home)
        trace, report = make_trace(folder), make_report(folder / "report")
        with browser(folder) as chromium:
            picture(chromium, trace, IMAGES / "trace.png", width=1100)
            picture(chromium, report, IMAGES / "rehearsal-report.png", width=1100, height=1080)


if __name__ == "__main__":
    main()
