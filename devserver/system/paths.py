"""The only place that knows where the cache, the state and the data of this project live.

`DEVSERVER_HOME` moves all three below one folder; otherwise the user's own cache, state and data
folders are taken (XDG on Linux, Library on macOS).
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ..errors import OptionError

APP = "temporal-devserver"
HOME_VARIABLE = "DEVSERVER_HOME"


@dataclass(frozen=True)
class Paths:
    """Where things are kept. Nothing is made here: see `files.private_folder`."""

    cache: Path
    state: Path
    data: Path

    @classmethod
    def default(cls, environ: Mapping[str, str] | None = None) -> Paths:
        """The folders of this user, or those below `DEVSERVER_HOME`.

        Raises:
            OptionError: `DEVSERVER_HOME` leads nowhere.
        """
        home = (os.environ if environ is None else environ).get(HOME_VARIABLE)
        if home:
            root = whole(Path(home))
            return cls(cache=root / "cache", state=root / "state", data=root / "data")
        import platformdirs

        return cls(
            cache=platformdirs.user_cache_path(APP),
            state=platformdirs.user_state_path(APP),
            data=platformdirs.user_data_path(APP),
        )

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
        """What each server version's database looks like."""
        return self.cache / "schemas"

    @property
    def histories(self) -> Path:
        """The index of closed workflows' histories, of all servers."""
        return self.cache / "histories"

    def snapshots(self, name: str) -> Path:
        """The saved states of the instance `name`."""
        return self.data / name / "snapshots"

    def backups(self, name: str) -> Path:
        """What was saved by itself before an upgrade or a restore of the instance `name`."""
        return self.data / name / "backups"

    @property
    def bug_reports(self) -> Path:
        """Log files of our own bugs."""
        return self.state / "bugs"

    @property
    def payloads(self) -> Path:
        """Large payloads, a folder per server. No instance's folder: their names begin with a letter, digit or `~`."""
        return self.data / "_payloads"

    @property
    def rehearsals(self) -> Path:
        """Rehearsals that are being held, a journal and a folder for each."""
        return self.state / "rehearsals"

    def instance(self, name: str) -> Path:
        """The state folder of the instance `name`."""
        return self.instances / name

    def database(self, name: str) -> Path:
        """The database file of the instance `name`."""
        return self.data / name / "temporal.db"


def whole(path: Path) -> Path:
    """A path as a user writes it, absolute and without `~`.

    Raises:
        OptionError: It begins with a home that nobody has, starts from a folder that is gone, or is no path at all.
    """
    if "\0" in str(path):
        raise OptionError(f"{str(path)!r} cannot be a path", hint="a path holds no zero byte")
    try:
        return path.expanduser().absolute()
    except RuntimeError:
        raise OptionError(f"{path}: there is no home folder {path.parts[0]}", hint="write the whole path") from None
    except FileNotFoundError:
        raise OptionError("the folder you are in was removed", hint="go to one that is there: cd") from None
