"""Writes a Temporal client profile, the file that the SDKs and the CLI read their connection from.

The executable's own `config set` writes it, so what else is in the file stays as it is. The format and the place:
https://docs.temporal.io/develop/environment-configuration
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import DevServerError
from ..executables.temporal_cli import run_temporal
from ..system.files import private_folder
from ..system.paths import whole

if TYPE_CHECKING:
    from ..instances.dev_server import DevServer

SET_SECONDS = 15


def write_profile(server: DevServer, profile: str) -> Path:
    """Have `profile` point at `server`; the file that holds it.

    Raises:
        DevServerError: The file cannot be read or written; with the executable's words.
    """
    path = profile_file()
    if not path.parent.is_dir():
        private_folder(path.parent)
    for key, value in (("address", server.address), ("namespace", server.namespace)):
        _set(server.executable, path, profile, key, value)
    return path


def profile_file() -> Path:
    """The user's client profiles: `TEMPORAL_CONFIG_FILE`, else the place that all of Temporal's tools take."""
    named = os.environ.get("TEMPORAL_CONFIG_FILE")
    if named:
        return whole(Path(named))
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Application Support" / "temporalio" / "temporal.toml"
    root = os.environ.get("XDG_CONFIG_HOME")
    return (Path(root) if root else Path.home() / ".config") / "temporalio" / "temporal.toml"


def _set(executable: Path, path: Path, profile: str, key: str, value: str) -> None:
    command = ["config", "set", "--config-file", str(path), "--profile", profile]
    done = run_temporal(executable, *command, "--prop", key, "--value", value, limit=SET_SECONDS)
    if done.returncode != 0:
        raise DevServerError(
            f"cannot write the client profile {profile} to {path}",
            details=done.stderr.strip().splitlines()[-3:],
            hint="see that the file is valid TOML and that you may write it",
        )
