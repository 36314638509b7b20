"""Start a child process that ends with this process, with as few imports as possible."""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence


PARENT_DEATH_SIGNAL = 1  # PR_SET_PDEATHSIG of prctl(2)


SIGKILL = 9  # the module signal takes as long to import as all of this file to run


class Child:
    """A child process; `returncode` is its exit code, or the negated number of the signal that ended it."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self.returncode: int | None = None

    def poll(self) -> int | None:
        """The return code; None while it is running."""
        return self._wait(os.WNOHANG)

    def wait(self) -> int:
        """Wait until it has ended; its return code."""
        code = self._wait(0)
        assert code is not None  # noqa: S101 - without WNOHANG there is one
        return code

    def kill(self) -> None:
        """Kill it if it is running."""
        if self.poll() is None:
            os.kill(self.pid, SIGKILL)

    def _wait(self, options: int) -> int | None:
        if self.returncode is None:
            pid, status = os.waitpid(self.pid, options)
            if pid:
                self.returncode = os.waitstatus_to_exitcode(status)
        return self.returncode


def spawn_bound(command: Sequence[str], *, log: str | os.PathLike[str], environ: Mapping[str, str]) -> Child:
    """Start a child that ends with this process, even if this process is killed (Linux).

    Its output goes to `log` and its files are private. It has a process group of its own, so Ctrl-C does not reach it.
    Call this from the main thread: Linux ends the child with the thread that started it.

    Raises:
        OSError: The operating system refuses to run it.
    """
    output = above_streams(os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600))
    failed_read, failed_write = (above_streams(end) for end in os.pipe())  # closed by a successful exec
    bind = _binder()
    pid = os.fork()
    if pid == 0:
        try:
            bind()
            _become(command, output, environ, failed_write)
        except OSError as error:
            os.write(failed_write, str(error.errno).encode())
        finally:
            os._exit(126)
    os.close(output)
    os.close(failed_write)
    with os.fdopen(failed_read) as failure:
        number = failure.read()
    child = Child(pid)
    if number:
        child.wait()
        raise OSError(int(number), os.strerror(int(number)), command[0])
    return child


def _binder() -> Callable[[], None]:
    """The first step of the child, prepared before the fork: a forked child should import nothing."""
    parent = os.getpid()
    prctl = None
    if sys.platform == "linux":
        import ctypes

        prctl = ctypes.CDLL(None).prctl

    def bind() -> None:
        os.setpgid(0, 0)
        if prctl is not None:
            prctl(PARENT_DEATH_SIGNAL, SIGKILL)
            if os.getppid() != parent:
                os._exit(126)

    return bind


def above_streams(descriptor: int) -> int:
    """The descriptor, or a copy above those of the standard streams, where the caller has closed one of these."""
    if descriptor > 2:
        return descriptor
    import fcntl

    copy = fcntl.fcntl(descriptor, fcntl.F_DUPFD_CLOEXEC, 3)
    os.close(descriptor)
    return copy


def close_others(*kept: int) -> None:
    """Close every descriptor but the standard streams and these: what the caller left open is not for the server."""
    for name in os.listdir("/dev/fd"):  # noqa: PTH208 - pathlib is slow to import
        if int(name) > 2 and int(name) not in kept:
            try:  # noqa: SIM105 - contextlib is slow to import
                os.close(int(name))
            except OSError:  # that of the listing
                pass


def _become(command: Sequence[str], output: int, environ: Mapping[str, str], failed: int) -> None:
    os.umask(0o077)  # its database is private
    signal = sys.modules.get("signal")
    if signal is not None:  # else no handler was ever set
        for number in (signal.SIGPIPE, signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGCHLD):
            signal.signal(number, signal.SIG_DFL)
        signal.set_wakeup_fd(-1)
    nothing = os.open(os.devnull, os.O_RDONLY)
    for source, target in ((nothing, 0), (output, 1), (output, 2)):
        os.dup2(source, target)
    close_others(failed)
    os.execve(command[0], list(command), dict(environ))  # noqa: S606 - no shell is meant


def client_free_environment(base: Mapping[str, str]) -> dict[str, str]:
    """The environment of the server: `base` without `TEMPORAL_*` and client profiles, which are for clients.

    The server's own check for new versions is off: it would ask version-info.temporal.io at each start.

    A user without an entry in /etc/passwd (`docker run -u 12345`, OpenShift) gets a name and a home: the server (1.9.1)
    does not start without them.
    """
    kept = {key: value for key, value in base.items() if not key.startswith("TEMPORAL_")}
    kept["TEMPORAL_CONFIG_FILE"] = os.devnull
    kept["TEMPORAL_VERSION_CHECK_DISABLED"] = "1"
    if hasattr(os, "getuid"):
        kept["USER"] = kept.get("USER") or str(os.getuid())
        kept["HOME"] = kept.get("HOME") or "/"
    return kept


def collecting_late(base: Mapping[str, str]) -> dict[str, str]:
    """The environment of a server that lives for a test run: its garbage collector runs a third as often.

    A test with a namespace of its own takes a fifth less CPU time of the server (1.32) so, and half a megabyte more.
    A user's own GOGC counts.
    """
    return {"GOGC": "300", **base}
