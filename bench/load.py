"""Busy loops during a measurement, as on a CI runner that others use too."""

from __future__ import annotations

import contextlib
import subprocess
import sys
from collections.abc import Iterator

LOOPS = 2
# It ends with its standard input, so also if this process is killed.
LOOP = """
import os, sys, threading
threading.Thread(target=lambda: (sys.stdin.read(), os._exit(0)), daemon=True).start()
while True:
    pass
"""


@contextlib.contextmanager
def busy(*, loops: int = LOOPS) -> Iterator[None]:
    """Run busy loops for the block."""
    with contextlib.ExitStack() as stack:
        for _ in range(loops):
            process = subprocess.Popen([sys.executable, "-c", LOOP], stdin=subprocess.PIPE)
            stack.callback(process.wait)
            stack.callback(process.kill)
        yield
