"""Writes a Temporal client profile, the file that the SDKs and the CLI read their connection from.

The executable's own `config set` writes it, so what else is in the file stays as it is. The format and the place:
https://docs.temporal.io/develop/environment-configuration
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import DevServerError
from ..system.files import private_folder, write_whole
from ..system.paths import whole

if TYPE_CHECKING:
    from ..instances.dev_server import DevServer
    from ..instances.tls import TlsAccess

SET_SECONDS = 15
SECRETS = ("tls", "api_key")


def write_profile(server: DevServer, profile: str, tls: TlsAccess | None = None) -> Path:
    """Have `profile` point at `server`, or at its TLS port; returns the file.

    Raises:
        DevServerError: The file cannot be read or written; with the executable's words.
    """
    path = profile_file()
    if not path.parent.is_dir():
        private_folder(path.parent)
    values = {"address": server.address, **(tls.settings() if tls else {}), "namespace": server.namespace}
    if path.exists():
        for name in SECRETS:  # those of another server must not go to this one
            _delete(server.executable, path, profile, name)
    for name, value in values.items():
        (_set_secretly if name == "api_key" else _set)(server.executable, path, profile, name, value)
    return path


def _set_secretly(executable: Path, path: Path, profile: str, key: str, value: str) -> None:
    """Set a value that must not be on a command line: another one is set first, and replaced in the file.

    A file with a secret is for its user only.
    """
    import secrets

    other = f"devserver-{secrets.token_hex(16)}"
    _set(executable, path, profile, key, other)
    try:
        target = path.resolve()
        text = target.read_text(encoding="utf-8").replace(f'"{other}"', json.dumps(value))
        write_whole({target: text}, mode=0o600)
    except OSError as error:
        raise DevServerError(f"cannot write {path}: {error.strerror}", hint="see that you may write it") from error


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
    from ..executables.temporal_cli import run_temporal

    words = _words("set", path, profile)
    done = run_temporal(executable, *words, "--prop", key, "--value", value, limit=SET_SECONDS)
    if done.returncode != 0:
        raise _not_written(path, profile, done.stderr)


def _delete(executable: Path, path: Path, profile: str, key: str) -> None:
    """Delete a value of a profile, which may not exist yet."""
    from ..executables.temporal_cli import run_temporal

    done = run_temporal(executable, *_words("delete", path, profile), "--prop", key, limit=SET_SECONDS)
    if done.returncode != 0 and f'profile "{profile}" not found' not in done.stderr:
        raise _not_written(path, profile, done.stderr)


def _not_written(path: Path, profile: str, said: str) -> DevServerError:
    return DevServerError(
        f"cannot write the client profile {profile} to {path}",
        details=said.strip().splitlines()[-3:],
        hint="see that the file is valid TOML and that you may write it",
    )


def _words(verb: str, path: Path, profile: str) -> list[str]:
    return ["config", verb, "--config-file", str(path), "--profile", profile]
