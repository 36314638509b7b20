"""The state folder of a named instance: its record, lock, leases and logs."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ..config.option_values import check_name
from ..errors import DevServerError, InstanceUnknown, StartFailed
from ..server.log import LOG
from ..system.filelocks import LockedFile
from ..system.files import private_folder, refuse_unsafe, unreadable, write_private
from ..system.paths import Paths
from ..system.progress import Reporter
from . import ephemeral_database, leases
from .leases import Lease
from .record import ANONYMOUS, Record, up_command

RECORD = "record.json"
SPEC = "spec.json"
SUPERVISOR_LOG = "supervisor.log"
SUPERVISOR_LOCK = "supervisor.lock"
KEEP = "keep"
TLS = "tls"
LOCK_SECONDS = 120.0


@dataclass(frozen=True)
class InstanceFolder:
    """The state folder of the instance `name`, which may not exist yet."""

    paths: Paths
    name: str

    @classmethod
    def all(cls, paths: Paths) -> list[InstanceFolder]:
        """The folders of all instances that have a record, by name.

        Raises:
            UnsafeFolder, FolderNotWritable: The folder of all instances cannot be used.
        """
        _refuse_unsafe(paths)
        try:
            found = [entry.name for entry in paths.instances.iterdir() if (entry / RECORD).is_file()]
        except (FileNotFoundError, NotADirectoryError):
            return []
        except OSError as error:
            raise unreadable(paths.instances, error) from error
        return [cls(paths, name) for name in sorted(found)]

    @property
    def path(self) -> Path:
        """The folder."""
        return self.paths.instance(self.name)

    @property
    def spec_file(self) -> Path:
        """The file from which the supervisor reads its spec."""
        return self.path / SPEC

    @property
    def log(self) -> Path:
        """The log of the server."""
        return self.path / LOG

    @property
    def supervisor_log(self) -> Path:
        """The log of the supervisor: its uncaught errors."""
        return self.path / SUPERVISOR_LOG

    @property
    def tls(self) -> Path:
        """The folder of the instance's certificates and of its API key."""
        return self.path / TLS

    @property
    def anonymous(self) -> bool:
        """Whether the instance has no name of its own: it belongs to one process and is removed when it ends."""
        return self.name.startswith(ANONYMOUS)

    def create(self) -> None:
        """Create the folder, private to this user.

        Raises:
            UnsafeFolder, FolderNotWritable: It cannot be used.
        """
        private_folder(self.path)

    # Lock: who starts or stops the instance holds it

    @property
    def lock_file(self) -> Path:
        """The lock's file; beside the folder, so that it outlives it."""
        return self.path.with_name(f"{self.name}.lock")

    @property
    def supervisor_lock(self) -> Path:
        """The file that the supervisor keeps locked while it lives."""
        return self.path / SUPERVISOR_LOCK

    @contextlib.contextmanager
    def lock(self, reporter: Reporter | None = None) -> Iterator[None]:
        """Keep other processes from starting or stopping the instance.

        Raises:
            StartFailed: Another process has had the lock for two minutes.
        """
        check_name(self.name)
        private_folder(self.paths.state)
        private_folder(self.paths.instances)
        lock = self._attempt_lock()
        if lock is None:
            if reporter is not None:
                reporter.note(f"waiting for another process that is starting or stopping the instance {self.name} ...")
            lock = LockedFile.acquire(self.lock_file, str(os.getpid()), limit=LOCK_SECONDS)
        if lock is None:
            raise StartFailed(
                f"another process has been starting or stopping the instance {self.name} for {LOCK_SECONDS:g} s",
                details=[f"its pid: {self.lock_file.read_text()}"],
                hint="end that process if it hangs",
            )
        try:
            yield
        finally:
            lock.release(remove=not self.path.exists())

    @contextlib.contextmanager
    def try_lock(self) -> Iterator[bool]:
        """Like `lock`, without waiting; yields whether this process has the lock."""
        lock = self._attempt_lock()
        try:
            yield lock is not None
        finally:
            if lock is not None:
                lock.release(remove=not self.path.exists())

    def _attempt_lock(self) -> LockedFile | None:
        return LockedFile.attempt(self.lock_file, str(os.getpid()))

    # Record

    def read_record(self) -> Record | None:
        """The instance's record; None if there is none.

        Raises:
            UnsafeFolder: Other users may write to the folder.
            DevServerError: The record is damaged, or another version wrote it.
        """
        path = self.path / RECORD
        # A record says which executable to run and which process to end: nobody else may write one.
        _refuse_unsafe(self.paths, self.path)
        try:
            return Record.from_json(json.loads(path.read_text())).changed(supervisor_lock=self.supervisor_lock)
        except (FileNotFoundError, NotADirectoryError):
            return None
        except (ValueError, TypeError, KeyError, OSError, DevServerError) as error:
            raise DevServerError(
                f"cannot read the record of the instance {self.name}: {path}",
                details=[f"{type(error).__name__}: {error}"],
                hint=f"remove {path} and run {up_command(self.name)} again; the database is not changed",
            ) from error

    def require_record(self) -> Record:
        """The instance's record.

        Raises:
            InstanceUnknown: There is none; the hint names the instances that exist.
            DevServerError: As for `read_record`.
        """
        check_name(self.name)
        record = self.read_record()
        if record is not None:
            return record
        names = [folder.name for folder in InstanceFolder.all(self.paths) if not folder.anonymous]
        existing = f"existing instances: {', '.join(names)}; " if names else ""
        raise InstanceUnknown(
            f"there is no instance {self.name}",
            hint=f"{existing}start {self.name if names else 'it'} with: {up_command(self.name)}",
        )

    def write_record(self, record: Record) -> None:
        """Replace the instance's record.

        Raises:
            FolderNotWritable: The disk is full or the folder cannot be written.
        """
        write_private(self.path / RECORD, json.dumps(record.to_json(), indent=2))

    # Leases

    def take_lease(self) -> Lease:
        """Hold the instance until the lease is released or this process ends. Call it with the lock held."""
        return Lease.take(self.path)

    def holders(self) -> list[int]:
        """The pids of the living processes that hold a lease."""
        return leases.holders(self.path)

    # What the next start takes over

    def keep_state(self, keep: bool) -> None:
        """Set whether the next start takes over the state of an ephemeral or anonymous instance."""
        if keep:
            write_private(self.path / KEEP, "")
        else:
            (self.path / KEEP).unlink(missing_ok=True)

    def remove_state(self, database: Path, *, ephemeral: bool) -> None:
        """Remove the database of an ended ephemeral instance and the folder of an anonymous one, unless they are kept.

        What cannot be removed stays, without an error.
        """
        if (self.path / KEEP).exists():
            return
        if ephemeral:
            ephemeral_database.remove(database)
        if self.anonymous:
            shutil.rmtree(self.path, ignore_errors=True)


def _refuse_unsafe(paths: Paths, *folders: Path) -> None:
    for folder in (paths.state, paths.instances, *folders):
        refuse_unsafe(folder)
