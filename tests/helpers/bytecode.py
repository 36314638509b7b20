"""Bytecode for the processes that tests start, made once, where the environment keeps Python from writing any.

Images for CI often set PYTHONDONTWRITEBYTECODE. Then each of a few thousand processes would compile this project anew,
and each pytest among them would rewrite the asserts of every plugin.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[2]
UNSET = "PYTHONDONTWRITEBYTECODE"
SECONDS = 120


def prepare() -> None:
    """Compile this project, and let one empty run of pytest leave what it rewrites; what is up to date stays."""
    if not sys.dont_write_bytecode:
        return
    environ = {name: value for name, value in os.environ.items() if name != UNSET}
    compiling = [
        sys.executable,
        "-m",
        "compileall",
        "-q",
        "-j",
        "0",
        str(ROOT / "devserver"),
        str(ROOT / "temporaltest"),
    ]
    with tempfile.TemporaryDirectory() as folder:
        empty = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-n", "1", "--rootdir", folder, folder]
        for command in (compiling, empty):
            subprocess.run(command, cwd=folder, env=environ, capture_output=True, timeout=SECONDS, check=False)
