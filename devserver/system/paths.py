"""Where our files are: the folders for cache, state and data.

`DEVSERVER_HOME` puts all three below one folder; the default is the user's cache, state and data folders (XDG on Linux,
Library on macOS).
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from ..errors import OptionError

APP = "temporal-devserver"
HOME_VARIABLE = "DEVSERVER_HOME"


class Paths(NamedTuple):
    """The paths of our files and folders. Nothing is created: see `files.private_folder`."""

    cache: Path
    state: Path
    data: Path

    @classmethod
    def default(cls, environ: Mapping[str, str] | None = None) -> Paths:
        """The folders of this user, or those below `DEVSERVER_HOME`.

        Raises:
            OptionError: `DEVSERVER_HOME` is not an absolute path, or without it this user has no home folder.
        """
        home = (os.environ if environ is None else environ).get(HOME_VARIABLE)
        if home:
            root = _absolute(home)
            return cls(cache=root / "cache", state=root / "state", data=root / "data")
        import platformdirs

        try:
            return cls(
                cache=platformdirs.user_cache_path(APP),
                state=platformdirs.user_state_path(APP),
                data=platformdirs.user_data_path(APP),
            )
        except RuntimeError:
            raise OptionError(
                "there is no home folder: HOME is not set, and this user has no entry in /etc/passwd",
                hint="set DEVSERVER_HOME to a folder you can write to",
            ) from None

    @property
    def store(self) -> Path:
        """Verified executables, a folder per version."""
        return self.cache / "bin"

    @property
    def instances(self) -> Path:
        """Records, leases and logs, a folder per instance."""
        return self.state / "instances"

    @property
    def schemas(self) -> Path:
        """The database schema of each server version."""
        return self.cache / "schemas"

    @property
    def histories(self) -> Path:
        """The index of the histories of closed workflows, for all servers."""
        return self.cache / "histories"

    def snapshots(self, name: str) -> Path:
        """The snapshots of the instance `name`."""
        return self.data / name / "snapshots"

    def backups(self, name: str) -> Path:
        """Databases saved before an upgrade or a restore of the instance `name`."""
        return self.data / name / "backups"

    @property
    def bug_reports(self) -> Path:
        """Reports of unexpected errors in this program."""
        return self.state / "bugs"

    @property
    def payloads(self) -> Path:
        """Large payloads, a folder per server. No instance has this name: `_` cannot begin one."""
        return self.data / "_payloads"

    @property
    def rehearsals(self) -> Path:
        """Running rehearsals, a journal and a folder for each."""
        return self.state / "rehearsals"

    @property
    def gamedays(self) -> Path:
        """Running game days, a folder for each."""
        return self.state / "gamedays"

    @property
    def debriefs(self) -> Path:
        """The debriefs of game days, a folder for each."""
        return self.data / "_debriefs"

    @property
    def past_rehearsals(self) -> Path:
        """Reports of past rehearsals; the last ones are kept."""
        return self.state / "past-rehearsals"

    def instance(self, name: str) -> Path:
        """The state folder of the instance `name`."""
        return self.instances / name

    def database(self, name: str) -> Path:
        """The database file of the instance `name`."""
        return self.data / name / "temporal.db"


def _absolute(home: str) -> Path:
    """The folder of `DEVSERVER_HOME`. A relative one would be another in each checkout, and run what is in it."""
    path = whole(Path(home))
    if not os.path.isabs(home) and not home.startswith("~"):  # noqa: PTH117
        raise OptionError(
            f"{HOME_VARIABLE} is a relative path: {home}",
            hint="give the full path of a folder of your own, not of one in a checkout that others wrote",
        )
    return path


def which(name: str) -> str | None:
    """The program of that name on PATH, without entries of the current folder, which may be anyone's checkout."""
    import shutil

    folders = [folder for folder in os.environ.get("PATH", "").split(os.pathsep) if os.path.isabs(folder)]  # noqa: PTH117
    return shutil.which(name, path=os.pathsep.join(folders)) if folders else None


def whole(path: Path) -> Path:
    """The absolute path for a path as a user writes it, with `~` expanded.

    Raises:
        OptionError: It has an unknown home folder or a zero byte, or the current folder was removed.
    """
    if "\0" in str(path):
        raise OptionError(f"{str(path)!r} is not a path", hint="a path cannot contain a zero byte")
    try:
        return path.expanduser().absolute()
    except RuntimeError:
        raise OptionError(f"{path}: there is no home folder {path.parts[0]}", hint="write the full path") from None
    except FileNotFoundError:
        raise OptionError("the current folder was removed", hint="change to an existing folder: cd") from None
