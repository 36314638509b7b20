"""Opens a page in the user's browser."""

from __future__ import annotations

import subprocess
import sys

import click

from ...system.paths import which

OPENER_SECONDS = 2.0


def open_in_browser(url: str, more: str = "") -> bool:
    """Give the URL to the desktop's opener. If there is none or it fails, print a hint with `more` and return False.

    What the opener prints is not shown.
    """
    opened = _opened(url)
    if not opened:
        click.echo(f"hint: no browser could be opened here; open the URL yourself{more}", err=True)
    return opened


def _opened(url: str) -> bool:
    opener = which("open" if sys.platform == "darwin" else "xdg-open")
    if opener is None:
        return False
    nothing = subprocess.DEVNULL
    process = subprocess.Popen([opener, url], stdin=nothing, stdout=nothing, stderr=nothing, start_new_session=True)
    try:
        return process.wait(OPENER_SECONDS) == 0
    except subprocess.TimeoutExpired:  # the browser itself: it runs until it is closed
        return True
