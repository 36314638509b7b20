"""A worker keeps the code of the user's modules as it was loaded."""

from __future__ import annotations

import subprocess
import sys

SCRIPT = """
import sysconfig
from devserver.worker import import_snapshot
import_snapshot.install()
sysconfig.get_path = None  # from Python 3.13 on it cannot be asked again by the imports of its own first answer
import colorsys
print(colorsys.__name__)
"""


def test_modules_are_found_without_sysconfig() -> None:
    """A worker starts on Python 3.13, whose sysconfig fails if it is called during its own imports."""
    done = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, timeout=180, check=False)
    assert done.stdout == "colorsys\n", done.stderr
