"""The folder of a cluster: its record, its control socket, logs, configuration and data."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..config.option_values import check_name
from ..errors import DevServerError
from ..system.filelocks import LockedFile
from ..system.files import private_folder, refuse_unsafe, write_private
from ..system.paths import Paths
from .errors import ClusterRunning, ClusterUnknown

RECORD = "cluster.json"
LOCK_SECONDS = 120.0
SUPERVISOR_SECONDS = 3.0  # in which one that ends gives its lock back


@dataclass(frozen=True)
class ClusterFolder:
    """The folder of the cluster `name`, which may not exist yet."""

    paths: Paths
    name: str

    @classmethod
    def all(cls, paths: Paths) -> list[ClusterFolder]:
        """The folders of all clusters, by name."""
        root = paths.data / "_clusters"
        with contextlib.suppress(OSError):
            return [cls(paths, entry.name) for entry in sorted(root.iterdir()) if (entry / RECORD).is_file()]
        return []

    @property
    def path(self) -> Path:
        """The folder. No instance has the name of its parent: `_` cannot begin one."""
        return self.paths.data / "_clusters" / check_name(self.name)

    @property
    def socket(self) -> Path:
        """The control socket of the process that supervises the cluster."""
        return self.path / "control.sock"

    @property
    def supervisor_lock(self) -> Path:
        """The file that the supervising process keeps locked while it lives."""
        return self.path / "supervisor.lock"

    @property
    def database(self) -> Path:
        """The data of the database."""
        return self.path / "postgres"

    def log(self, member: str) -> Path:
        """The log of a member, or of the `supervisor`."""
        return self.path / f"{member}.log"

    def config(self, member: str) -> Path:
        """The configuration of a member."""
        return self.path / f"{member}.yaml"

    @property
    def dynamic_config(self) -> Path:
        """The dynamic configuration, which all members read every five seconds."""
        return self.path / "dynamic.yaml"

    def create(self) -> None:
        """Create the folder, private to this user.

        Raises:
            UnsafeFolder, FolderNotWritable: It cannot be used.
        """
        private_folder(self.path)

    def supervise(self) -> LockedFile:
        """The lock of the supervising process, for this one.

        Raises:
            ClusterRunning: Another process has it.
        """
        lock = LockedFile.acquire(self.supervisor_lock, str(os.getpid()), limit=SUPERVISOR_SECONDS)
        if lock is None:
            raise self.in_use()
        return lock

    def in_use(self) -> ClusterRunning:
        """The error of a start while the cluster runs."""
        return ClusterRunning(
            f"the cluster {self.name} is running already", hint=f"see it with: {command('status', self.name)}"
        )

    def running(self) -> bool:
        """Whether a process supervises the cluster."""
        return LockedFile.is_held(self.supervisor_lock)

    def read(self) -> dict[str, Any]:
        """What was written when the cluster started: `declaration`, `ports`, `executable`, `password`.

        Raises:
            ClusterUnknown: There is no cluster of this name.
            DevServerError: The record is damaged.
        """
        refuse_unsafe(self.path)
        try:
            record: dict[str, Any] = json.loads((self.path / RECORD).read_text())
        except FileNotFoundError:
            names = [folder.name for folder in ClusterFolder.all(self.paths)]
            raise ClusterUnknown(
                f"there is no cluster {self.name}",
                hint=(f"existing clusters: {', '.join(names)}; " if names else "")
                + f"start it with: {command('up', self.name)}",
            ) from None
        except (OSError, ValueError) as error:
            raise DevServerError(
                f"cannot read the record of the cluster {self.name}: {self.path / RECORD}",
                details=[f"{type(error).__name__}: {error}"],
                hint=f"remove the cluster with: {command('delete', self.name)}",
            ) from error
        return record

    def write(self, record: dict[str, Any]) -> None:
        """Replace the record."""
        write_private(self.path / RECORD, json.dumps(record, indent=2))

    @contextlib.contextmanager
    def lock(self) -> Iterator[None]:
        """Keep other processes from starting or deleting this cluster.

        Raises:
            DevServerError: Another process has had the lock for two minutes.
        """
        lock = LockedFile.acquire(private_folder(self.path.parent) / f"{self.name}.lock", limit=LOCK_SECONDS)
        if lock is None:
            raise DevServerError(
                f"another process has been starting or deleting the cluster {self.name} for {LOCK_SECONDS:g} s",
                hint="end that process if it hangs",
            )
        try:
            yield
        finally:
            lock.release(remove=not self.path.exists())


def command(verb: str, name: str) -> str:
    """The command line of `devserver cluster VERB` for this cluster."""
    return f"devserver cluster {verb}" + ("" if name == "default" else f" --cluster {name}")
