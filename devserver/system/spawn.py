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
    """A process that we started and must wait for; `returncode` is a signal's number, negated, where one ended it."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self.returncode: int | None = None

    def poll(self) -> int | None:
        """Its return code if it has ended."""
        return self._wait(os.WNOHANG)

    def wait(self) -> int:
        """Its return code, once it has ended."""
        code = self._wait(0)
        assert code is not None  # noqa: S101 - without WNOHANG there is one
        return code

    def kill(self) -> None:
        """End it at once, if it has not ended."""
        if self.poll() is None:
            os.kill(self.pid, SIGKILL)

    def _wait(self, options: int) -> int | None:
        if self.returncode is None:
            pid, status = os.waitpid(self.pid, options)
            if pid:
                self.returncode = os.waitstatus_to_exitcode(status)
        return self.returncode


def spawn_bound(command: Sequence[str], *, log: str | os.PathLike[str], environ: Mapping[str, str]) -> Child:
    """Start a child that ends with this process, even when this process is killed (Linux).

    Its output goes to `log`, its files are private, and it has a process group of its own: Ctrl-C is ours to handle.
    Call from the main thread of a single-threaded process: Linux ends the child with the thread that started it.

    Raises:
        OSError: The system will not run it.
    """
    output = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    failed_read, failed_write = os.pipe()  # closed by a successful exec
    bind = _binder()
    pid = os.fork()
    if pid == 0:
        try:
            bind()
            _become(command, output, environ)
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
    """What the child does first; made before the fork, because a child should load nothing."""
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


def _become(command: Sequence[str], output: int, environ: Mapping[str, str]) -> None:
    os.umask(0o077)  # its database is nobody else's business
    signal = sys.modules.get("signal")
    if signal is not None:  # else nothing has been set
        for number in (signal.SIGPIPE, signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGCHLD):
            signal.signal(number, signal.SIG_DFL)
        signal.set_wakeup_fd(-1)
    nothing = os.open(os.devnull, os.O_RDONLY)
    for source, target in ((nothing, 0), (output, 1), (output, 2)):
        os.dup2(source, target)
    os.execve(command[0], list(command), dict(environ))  # noqa: S606 - no shell is meant


def client_free_environment(base: Mapping[str, str]) -> dict[str, str]:
    """What the executable sees: `base` without `TEMPORAL_*` and client profiles, which are meant for clients."""
    kept = {key: value for key, value in base.items() if not key.startswith("TEMPORAL_")}
    kept["TEMPORAL_CONFIG_FILE"] = os.devnull
    return kept
