"""Stopping a named instance, and erasing what is kept of it."""

from __future__ import annotations

import contextlib
import shutil

from ..errors import FolderNotWritable, InstanceNotRunning, InstanceRunning, StopFailed
from .folder import InstanceFolder
from .record import CRASHED, STOPPED, Record, down_command, up_command
from .supervisor_process import end_orphans, end_supervisor


def settled_record(folder: InstanceFolder) -> Record:
    """The record of an instance, once no other process is starting or stopping it.

    Raises:
        InstanceUnknown: No instance has that name.
    """
    with folder.lock():
        return folder.require_record()


def stop(folder: InstanceFolder, *, keep: bool = False) -> Record:
    """Stop the instance and wait until its processes have ended.

    Args:
        folder: The instance.
        keep: Keep the state of an ephemeral or held instance for `start_again`.

    Returns:
        The record as it was while the instance was running.

    Raises:
        InstanceUnknown, InstanceNotRunning: There is nothing to stop.
        StopFailed: A process did not end.
    """
    with folder.lock():
        return _stop(folder, keep)


def stop_if_unheld(folder: InstanceFolder) -> None:
    """Stop the instance unless a process holds a lease.

    Raises:
        InstanceUnknown, InstanceNotRunning: There is nothing to stop.
        StopFailed: A process did not end.
    """
    with folder.lock():
        if not folder.holders():
            _stop(folder, keep=False)


def _stop(folder: InstanceFolder, keep: bool) -> Record:
    record = folder.require_record()
    if record.elsewhere():
        raise StopFailed(
            f"the instance {folder.name} runs elsewhere: in a container or on a machine that shares {folder.path}",
            hint=f"stop it there: {down_command(folder.name)}",
        )
    ephemeral = record.options.ephemeral
    supervised = record.supervised()
    if not supervised and record.state in (STOPPED, CRASHED) and not keep:
        folder.keep_state(False)  # state that was kept for a start which never came
        folder.remove_state(record.database, ephemeral=ephemeral)
        raise InstanceNotRunning(
            f"the instance {folder.name} is not running ({record.state})",
            hint=f"start it with: {up_command(folder.name)}",
        )
    folder.keep_state(keep)
    if supervised:
        end_supervisor(record)
    end_orphans(record)
    # A supervisor does the following itself, unless it was killed.
    folder.remove_state(record.database, ephemeral=ephemeral)
    last = folder.read_record()
    if last is not None and last.state not in (STOPPED, CRASHED):
        with contextlib.suppress(FolderNotWritable):  # a full disk; the processes have ended all the same
            folder.write_record(last.changed(state=STOPPED, server=None))
    return record


def erase(folder: InstanceFolder) -> None:
    """Delete the database of a stopped instance, with the files that SQLite and we keep beside it.

    Raises:
        InstanceRunning: The instance is running.
        InstanceUnknown: No instance has that name.
    """
    with folder.lock():
        record = _stopped(folder)
        for suffix in ("", "-wal", "-shm", "-journal", ".stamp.json"):
            record.database.with_name(record.database.name + suffix).unlink(missing_ok=True)


def forget(folder: InstanceFolder) -> None:
    """Delete all that is kept of a stopped instance: record, log, database, snapshots and backups.

    A database outside our own folders stays.

    Raises:
        InstanceRunning: The instance is running.
        InstanceUnknown: No instance has that name.
    """
    with folder.lock():
        _stopped(folder)
        shutil.rmtree(folder.paths.data / folder.name, ignore_errors=True)
        shutil.rmtree(folder.path, ignore_errors=True)


def _stopped(folder: InstanceFolder) -> Record:
    """The record of an instance that is not running; call it with the lock held."""
    record = folder.require_record()
    if record.running():
        raise InstanceRunning(
            f"the instance {folder.name} is running", hint=f"stop it first: {down_command(folder.name)}"
        )
    return record
