"""Opens a page in the user's browser."""

from __future__ import annotations

import subprocess
import sys

from ...system.paths import which

OPENER_SECONDS = 2.0


def open_in_browser(url: str) -> bool:
    """Give the URL to the desktop's opener; False if there is none, or if it fails. What it prints is not shown."""
    opener = which("open" if sys.platform == "darwin" else "xdg-open")
    if opener is None:
        return False
    nothing = subprocess.DEVNULL
    process = subprocess.Popen([opener, url], stdin=nothing, stdout=nothing, stderr=nothing, start_new_session=True)
    try:
        return process.wait(OPENER_SECONDS) == 0
    except subprocess.TimeoutExpired:  # the browser itself: it runs until it is closed
        return True
