"""The process of the fork server: it has imported what is slow to import, and forks once per command.

Its arguments are the path of a socket and names of modules to import; `NAME.*` means a package with all its modules.
It ends when its standard input does, or its parent. A request on the socket is one JSON object and three file
descriptors; the answers are the child's pid, and its status once it has ended.
"""

from __future__ import annotations

import atexit
import contextlib
import gc
import importlib
import importlib.metadata
import json
import os
import pkgutil
import runpy
import selectors
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
import types
from collections.abc import Callable, Iterator, Sequence
from typing import IO, Any

NUMBER = struct.Struct("!q")
PARENT_SECONDS = 5.0
BASE_PATH = sys.path[1:]


def main(path: str, *modules: str) -> None:
    """Serve until the tests end; returns in each forked child, once that has run its command."""
    importlib.import_module("forked_children")  # of this script's folder
    with _pytest_rewrites():
        for module in _all(modules):
            with contextlib.suppress(ImportError):  # a module of an extra, or one that needs it
                importlib.import_module(module)
    importlib.import_module("quick_pytest").prepare()
    _hash_modules()
    _read_metadata()
    _forget_other_folders()
    gc.collect()
    gc.freeze()
    importlib.import_module("huge_pages").use()
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(path)
        listener.listen(64)
        os.write(1, b"ready\n")
        request = serve(listener)
    if request is not None:
        _exit(run, *request)


def _exit(call: Callable[..., None], *args: Any) -> None:
    """Run a command and exit as Python does, except that modules are not taken apart: that would touch, and so copy,
    all the memory which the fork shares.
    """
    code: Any = 0
    try:
        call(*args)
    except SystemExit as error:
        code = error.code
    except BaseException:  # noqa: BLE001 - it is printed, as Python does
        sys.excepthook(*sys.exc_info())
        code = 1
    with contextlib.suppress(BaseException):
        threading._shutdown()  # type: ignore[attr-defined]  # waits for threads that are no daemons
        atexit._run_exitfuncs()
    if code is not None and not isinstance(code, int):
        print(code, file=sys.stderr)  # noqa: T201 - as sys.exit does
        code = 1
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(BaseException):
            stream.flush()
    os._exit((code or 0) & 0xFF)


@contextlib.contextmanager
def _pytest_rewrites() -> Iterator[None]:
    """Import plugins of pytest as pytest does, which rewrites their asserts."""
    from _pytest.assertion import install_importhook
    from _pytest.config import get_config

    config = get_config()
    hook = install_importhook(config)
    config._mark_plugins_for_rewrite(hook, disable_autoload=False)
    yield
    sys.meta_path.remove(hook)


def _all(modules: Sequence[str]) -> Iterator[str]:
    for module in modules:
        name, every, _ = module.partition(".*")
        yield name
        if every:
            found = pkgutil.walk_packages(importlib.import_module(name).__path__, f"{name}.")
            yield from (info.name for info in found if not info.name.endswith("__main__"))


def _hash_modules() -> None:
    """Have the SDK's default build id ready: the first worker of a process hashes the code of all loaded modules."""
    from temporalio.worker import _worker

    _worker.load_default_build_id()


def _read_metadata() -> None:
    """Read what pytest asks of every installed distribution, several times in a run; others are read when asked for."""
    kind = importlib.metadata.PathDistribution
    for name in ("entry_points", "files", "metadata"):
        setattr(kind, name, _remembered(getattr(kind, name).fget))
    for distribution in importlib.metadata.distributions():
        if any(point.group == "pytest11" for point in distribution.entry_points):
            _ = distribution.files, distribution.metadata


def _forget_other_folders() -> None:
    """Have importers only of the folders that each command looks in. To free them in a fork would copy the pages of all
    names of files in them.
    """
    for path in list(sys.path_importer_cache):
        if not path.startswith(tuple(filter(None, BASE_PATH))):
            del sys.path_importer_cache[path]


def _remembered(read: Callable[[Any], Any]) -> property:
    known: dict[Any, Any] = {}

    def of(distribution: Any) -> Any:
        path = distribution._path
        if path not in known:
            known[path] = read(distribution)
        return known[path]

    return property(of)


def serve(listener: socket.socket) -> tuple[dict[str, Any], list[int]] | None:
    """Fork for each request. Returns the request in the child, and None in the server when the tests have ended."""
    children: dict[int, socket.socket] = {}
    parent = os.getppid()  # a process that outlives killed tests may still have the other end of our input
    with _child_signals() as ended, selectors.DefaultSelector() as selector:
        for source in (listener.fileno(), 0, ended):
            selector.register(source, selectors.EVENT_READ)
        while True:
            ready = {key.fd for key, _ in selector.select(PARENT_SECONDS)}
            if os.getppid() != parent or (0 in ready and not os.read(0, 1)):
                return None
            if ended in ready:
                os.read(ended, 4096)
            _report_ended(children)
            if listener.fileno() in ready:
                connection, _ = listener.accept()
                request, fds = _read(connection)
                pid = os.fork()
                if pid == 0:
                    for other in (connection, *children.values()):
                        other.close()
                    if request["session"]:
                        os.setsid()
                    return request, fds
                for fd in fds:
                    os.close(fd)
                children[pid] = connection
                _tell(connection, pid)


@contextlib.contextmanager
def _child_signals() -> Iterator[int]:
    """A file descriptor that can be read when a child has ended."""
    ended, wake = os.pipe()
    os.set_blocking(wake, False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
    yield ended
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    for end in (ended, wake):
        os.close(end)


def _read(connection: socket.socket) -> tuple[dict[str, Any], list[int]]:
    """Return a request and its file descriptors. Raises EOFError if the other side has ended."""
    head, fds, _, _ = socket.recv_fds(connection, NUMBER.size, 3)
    if not head:
        raise EOFError
    (size,) = NUMBER.unpack(head)
    with connection.makefile("rb") as file:
        return json.loads(file.read(size)), fds


def _tell(connection: socket.socket, number: int) -> None:
    with contextlib.suppress(OSError):  # the test waits no more
        connection.sendall(NUMBER.pack(number))


def _report_ended(children: dict[int, socket.socket]) -> None:
    for pid in list(children):
        ended, status = os.waitpid(pid, os.WNOHANG)
        if ended:
            with children.pop(pid) as connection:
                _tell(connection, os.waitstatus_to_exitcode(status))


def run(request: dict[str, Any], fds: list[int]) -> None:
    """Run `python -m MODULE …` or `python -c CODE` with the environment, folder and streams of the request."""
    for number, fd in enumerate(fds):
        os.dup2(fd, number)
        os.close(fd)
    os.chdir(request["cwd"])
    os.environ.clear()
    os.environ.update(request["env"])
    time.tzset()
    sys.modules["forked_children"].show_as([sys.executable, *request["args"]], request["env"])
    _set_encoding(request["env"].get("PYTHONIOENCODING", ""))
    option, what, *args = request["args"]
    spares: list[SpareWorker] = []
    if request["session"]:
        for _ in range(int(args[args.index("-n") + 1]) if "-n" in args else 0):
            spares.append(SpareWorker())
            if spares[-1].pid == 0:
                spares[-1].work()
                return
    more = filter(None, request["env"].get("PYTHONPATH", "").split(os.pathsep))
    sys.path[:] = [request["cwd"] if option == "-m" else "", *more, *BASE_PATH]
    sys.modules["__main__"] = types.ModuleType("__main__")
    _let_xdist_fork(request["socket"], spares if request["session"] else None)
    sys.modules["forked_children"].install(_exit)
    if option == "-m":
        sys.argv[:] = ["-m", *args]
        runpy._run_module_as_main(what)  # type: ignore[attr-defined]
    else:
        sys.argv[:] = ["-c", *args]
        exec(compile(what, "<string>", "exec"), sys.modules["__main__"].__dict__)  # what -c does


def _set_encoding(wanted: str) -> None:
    """Do for what is printed what the interpreter does with PYTHONIOENCODING."""
    if wanted:
        encoding, _, errors = wanted.partition(":")
        sys.stdout = open(1, "w", encoding=encoding or None, errors=errors or None, closefd=False)  # noqa: SIM115
        sys.stderr = open(2, "w", encoding=encoding or None, errors="backslashreplace", closefd=False)  # noqa: SIM115


class SpareWorker:
    """A process for a worker of xdist: a child in the session of its controller, as for a terminal, forked before that
    has begun; it waits for its command. The worker has pid 0.
    """

    def __init__(self) -> None:
        self._controller, self._worker = socket.socketpair()
        self.pid = os.fork()
        (self._controller if self.pid == 0 else self._worker).close()

    def work(self) -> None:
        """Run the command that comes; end without one if the controller does, or on Ctrl-C."""
        with contextlib.suppress(EOFError, KeyboardInterrupt), self._worker:
            request = _read(self._worker)
        if "request" in locals():
            run(*request)

    def start(self, args: list[str], *fds: int, env: dict[str, str]) -> None:
        """Have it run `python ARGS…`."""
        with self._controller:
            _send(self._controller, {"args": args, "env": env}, list(fds))

    def wait(self) -> int:
        """Its exit code, negative for a signal, once it has ended."""
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])

    def kill(self) -> None:
        """Send SIGKILL."""
        os.kill(self.pid, signal.SIGKILL)


def _let_xdist_fork(path: str, spares: list[SpareWorker] | None) -> None:
    """Have the server fork the workers of xdist too, or use spare ones; execnet starts each as `python -u -c CODE`."""
    gateway_io = sys.modules.get("execnet.gateway_io")
    if gateway_io is None:
        return
    start_new = gateway_io.Popen2IOMaster.__init__

    def start_worker(self: Any, args: list[str], execmodel: Any) -> None:
        if spares is not None and not spares:  # instead of one that has crashed
            start_new(self, args, execmodel)
            return
        worker_input, to_worker = os.pipe()
        from_worker, worker_output = os.pipe()
        words, environment = args[args.index("-c") :], dict(os.environ)
        if spares is None:
            self.popen = start(path, words, worker_input, worker_output, 2, env=environment)
        else:
            self.popen = spares.pop()
            self.popen.start(words, worker_input, worker_output, 2, env=environment)
        for end in (worker_input, worker_output):
            os.close(end)
        files = os.fdopen(to_worker, "wb"), os.fdopen(from_worker, "rb")
        super(gateway_io.Popen2IOMaster, self).__init__(*files, execmodel=execmodel)

    gateway_io.Popen2IOMaster.__init__ = start_worker


class Forked:
    """A command that runs in a fork; waits and is killed like `subprocess.Popen`."""

    stdin = None

    def __init__(self, connection: socket.socket, stdout: IO[str] | None = None) -> None:
        self._connection = connection
        self.stdout = stdout
        self.returncode: int | None = None
        self.pid = self._number()

    def _number(self) -> int:
        data = self._connection.recv(NUMBER.size, socket.MSG_WAITALL)
        assert len(data) == NUMBER.size, "the fork server has ended"
        number: int = NUMBER.unpack(data)[0]
        return number

    def __enter__(self) -> Forked:
        return self

    def __exit__(self, *_: object) -> None:
        if self.stdout is not None:
            self.stdout.close()
        self.wait()

    def wait(self, timeout: float | None = None) -> int:
        """Its exit code, negative for a signal, once it has ended."""
        if self.returncode is None:
            self._connection.settimeout(timeout)
            try:
                self.returncode = self._number()
            except TimeoutError:
                raise subprocess.TimeoutExpired("a forked command", timeout or 0) from None
            self._connection.close()
        return self.returncode

    def poll(self) -> int | None:
        """Its exit code if it has ended."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            return self.wait(0.001)
        return None

    def communicate(self, timeout: float) -> tuple[str, None]:
        """What it has written to `stdout`, once it has ended and no process has that open."""
        texts: list[str] = []
        assert self.stdout is not None
        reader = threading.Thread(target=lambda file: texts.append(file.read()), args=[self.stdout], daemon=True)
        reader.start()
        reader.join(timeout)
        if not texts:
            raise subprocess.TimeoutExpired("a forked command, or one that has its output open", timeout)
        self.wait(timeout)
        return texts[0], None

    def send_signal(self, number: int) -> None:
        """Send a signal if it runs."""
        if self.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def terminate(self) -> None:
        """Send SIGTERM if it runs."""
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """Send SIGKILL if it runs."""
        self.send_signal(signal.SIGKILL)


def start(path: str, args: list[str], *fds: int, env: dict[str, str], session: bool = False) -> Forked:
    """Have the server at that socket run `python ARGS…` in this folder, with these file descriptors; with `session`, in
    a session of its own.
    """
    connection = socket.socket(socket.AF_UNIX)
    connection.connect(path)
    _send(connection, {"args": args, "env": env, "socket": path, "session": session}, list(fds))
    return Forked(connection)


def _send(connection: socket.socket, request: dict[str, Any], fds: list[int]) -> None:
    data = json.dumps({"socket": "", "session": False, **request, "cwd": os.getcwd()}).encode()  # noqa: PTH109
    socket.send_fds(connection, [NUMBER.pack(len(data))], fds)
    connection.sendall(data)


if __name__ == "__main__":
    main(*sys.argv[1:])
