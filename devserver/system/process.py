"""Processes, identified by pid and start time: signal, freeze and end them."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import time
from dataclasses import dataclass
from pathlib import Path

POLL_SECONDS = 0.005
ZOMBIE_STATES = ("Z", "X")


@dataclass(frozen=True)
class ProcessIdentity:
    """One process. A later process that reuses the pid has another start.

    Attributes:
        pid: The pid.
        started: Opaque; on Linux the ids of the boot and the PID namespace and clock ticks since the boot, elsewhere
            psutil's creation time.
    """

    pid: int
    started: str

    @classmethod
    def of(cls, pid: int) -> ProcessIdentity | None:
        """The identity of the living process `pid`; None if there is none (a zombie counts as none)."""
        started = _linux_start(pid) if sys.platform == "linux" else _psutil_start(pid)
        return None if started is None else cls(pid, started)

    @classmethod
    def own(cls) -> ProcessIdentity:
        """The identity of this process."""
        identity = cls.of(os.getpid())
        if identity is None:  # pragma: no cover - /proc not mounted
            return cls(os.getpid(), "unknown")
        return identity

    @property
    def foreign(self) -> bool:
        """Whether it runs, or ran, in another PID namespace (a container), on another machine, or before a reboot.

        Its pid says nothing here, so `alive` is false: ask a lock that it holds.
        """
        return sys.platform == "linux" and self.started.partition(":")[0] != _linux_world()

    def alive(self) -> bool:
        """Whether this process is alive."""
        return ProcessIdentity.of(self.pid) == self

    def signal(self, number: int) -> bool:
        """Send a signal to this process; False if it has ended."""
        if not self.alive():
            return False
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, number)
            return True
        return False

    def freeze(self, limit: float = 5.0) -> bool:
        """Suspend it, and wait up to `limit` seconds until every thread is suspended; False if it has ended."""
        if not self.signal(signal.SIGSTOP):
            return False
        deadline = time.monotonic() + limit
        while self.alive() and not _stopped(self.pid) and time.monotonic() < deadline:
            time.sleep(POLL_SECONDS)
        return self.alive()

    def stopped(self) -> bool:
        """Whether a signal has stopped it, such as SIGSTOP."""
        return self.alive() and _stopped(self.pid)

    def cpu_seconds(self) -> float | None:
        """The CPU time that it has used; None if it has ended."""
        import psutil

        try:
            used = psutil.Process(self.pid).cpu_times()
        except psutil.Error:
            return None
        return float(used.user + used.system) if self.alive() else None

    def wait_gone(self, limit: float) -> bool:
        """Wait up to `limit` seconds for its end; whether it has ended."""
        deadline = time.monotonic() + limit
        while self.alive():
            if time.monotonic() >= deadline:
                return False
            time.sleep(POLL_SECONDS)
        return True

    def end(self, limit: float) -> None:
        """Send SIGTERM, and kill it after `limit` seconds. A frozen process is resumed first."""
        if self.signal(signal.SIGTERM):
            self.signal(signal.SIGCONT)
            if not self.wait_gone(limit):
                self.kill()

    def kill(self) -> None:
        """Kill it and wait up to 10 seconds for its end."""
        if self.signal(signal.SIGKILL):
            self.wait_gone(10)


def has_ended(pid: str) -> bool:
    """Whether the process whose pid is in the name of a file no longer runs; False for what is not a pid."""
    return pid.isdigit() and ProcessIdentity.of(int(pid)) is None


def _linux_start(pid: int) -> str | None:
    try:
        stat = Path(f"/proc/{pid}/stat").read_bytes()
    except (FileNotFoundError, ProcessLookupError, PermissionError):
        return None
    fields = stat.rpartition(b")")[2].split()  # the name before it may contain anything
    if fields[0].decode() in ZOMBIE_STATES and int(fields[17]) <= 1:  # with other threads, it still has files and ports
        return None
    return f"{_linux_world()}:{fields[19].decode()}"


def _linux_world() -> str:
    """The boot and the PID namespace that pids are of."""
    boot, namespace = "", 0
    with contextlib.suppress(OSError):
        boot = Path("/proc/sys/kernel/random/boot_id").read_text()[:8]
        namespace = Path("/proc/self/ns/pid").stat().st_ino
    return f"{boot}/{namespace}"


def _stopped(pid: int) -> bool:
    if sys.platform != "linux":
        import psutil

        with contextlib.suppress(psutil.Error):
            return bool(psutil.Process(pid).status() == psutil.STATUS_STOPPED)
        return False
    with contextlib.suppress(OSError):
        stats = [(task / "stat").read_bytes() for task in Path(f"/proc/{pid}/task").iterdir()]
        return all(stat.rpartition(b")")[2].split()[0] in (b"T", b"t") for stat in stats)
    return False


def _psutil_start(pid: int) -> str | None:
    import psutil

    try:
        process = psutil.Process(pid)
        if process.status() == psutil.STATUS_ZOMBIE:
            return None
        return f"{process.create_time():.2f}"
    except psutil.Error:
        return None


def resident_bytes(pid: int | None) -> int | None:
    """Resident memory of a process; None if it is gone or is not ours."""
    if pid is None:
        return None
    import psutil

    try:
        return int(psutil.Process(pid).memory_info().rss)
    except psutil.Error:
        return None
