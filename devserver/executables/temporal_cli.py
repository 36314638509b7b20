"""Runs the executable as what it also is, the Temporal CLI, without the user's client settings."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from ..system.spawn import client_free_environment


def run_tool(executable: Path, *arguments: str, limit: float) -> subprocess.CompletedProcess[str]:
    """What a command of the executable's own printed and how it ended.

    Raises:
        subprocess.TimeoutExpired: It took longer than `limit` seconds, and was ended.
    """
    return subprocess.run(
        [str(executable), *arguments],
        env=client_free_environment(os.environ),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=limit,
        check=False,
    )
