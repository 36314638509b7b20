"""Processes of ours that a forked command starts: forks of it, where it would start Python and import the same again.

`subprocess` works as always in the parent: the child has its own session, streams, descriptors, folder and environment,
and `/proc` shows its command line and environment. It has what its parent had imported, and no threads.
"""

from __future__ import annotations

import asyncio
import atexit
import ctypes
import gc
import importlib
import os
import platform
import runpy
import signal
import subprocess
import sys
import types
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from devserver.system.spawn import close_others

VERSION = ("3", "11")
SUPERVISOR = "devserver.instances.supervisor_main"
# Neither starts a runtime of the SDK's before it forks: the threads of that are not in a fork.
MODULES = ("devserver.worker.worker_main", "temporaltest.backends.container_supervisor")
# Imported again: what is in this checkout counts as the user's code if a worker has it, and testcontainers reads the
# environment when it is imported.
AGAIN = {"temporaltest", "tests", "forked_children", "quick_pytest", "huge_pages", "__mp_main__", "testcontainers"}
# To free these would copy the memory that the fork shares.
FORGOTTEN: list[types.ModuleType] = []
# Where these are in /proc/self/stat, from the end of the process's name.
ARGUMENTS, ENVIRONMENT = (45, 46), (47, 48)


def install(leave: Callable[..., None]) -> None:
    """Fork from now on; `leave` runs a function and ends the process. Other versions of Python start processes: older
    ones have no such function, newer ones warn of a fork with threads.
    """
    if platform.python_version_tuple()[:2] != VERSION:
        return
    start: Any = vars(subprocess)["_fork_exec"]

    def fork_or_start(args: Sequence[Any], *how: Any) -> int:
        words = [os.fsdecode(word) for word in args]
        main = _main_of(words)
        if main is None:
            return int(start(args, *how))
        _, _, kept, folder, environment, stdin, _, _, stdout, _, stderr, _, failed, _, new_session, *_ = how
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
        pid = os.fork()
        if pid == 0:
            place = Place((stdin, stdout, stderr), [item for item in kept if item != failed], folder, new_session)
            leave(_run, main, words, environment, place)
        return pid

    vars(subprocess)["_fork_exec"] = fork_or_start


def _main_of(words: Sequence[str]) -> tuple[str, list[str]] | None:
    """The module that a command line runs, and its arguments; None for one that starts as always."""
    if words[0] != sys.executable:
        return None
    if words[1] == "-m" and words[2] in MODULES:
        return words[2], list(words[3:])
    for place, word in enumerate(words[1:4], 1):
        if word == sys.modules[SUPERVISOR].__file__:
            return SUPERVISOR, list(words[place + 1 :])
    return None


class Place(NamedTuple):
    """What `subprocess` gives a child: streams, -1 for one that it has already; other descriptors; its folder."""

    streams: tuple[int, int, int]
    kept: Sequence[int]
    folder: Any
    new_session: bool

    def enter(self) -> None:
        """Do what the kernel and `subprocess` do at the start of a program."""
        if self.new_session:
            os.setsid()
        copies = [stream if stream < 0 else os.dup(stream) for stream in self.streams]
        for number, copy in enumerate(copies):
            if copy >= 0:
                os.dup2(copy, number)
        close_others(*self.kept)
        for descriptor in self.kept:
            os.set_inheritable(descriptor, True)
        if self.folder is not None:
            os.chdir(self.folder)


def _run(main: tuple[str, list[str]], words: Sequence[str], environment: Sequence[bytes] | None, place: Place) -> None:
    place.enter()
    gc.freeze()  # what the parent had belongs to threads and descriptors that are gone
    atexit._clear()  # and to its end
    asyncio.events._set_running_loop(None)
    signal.set_wakeup_fd(-1)
    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGCHLD):
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    if environment is not None:
        os.environ.clear()
        os.environ.update(
            {name: value for name, _, value in (os.fsdecode(each).partition("=") for each in environment)}
        )
    show_as(words, os.environ)
    for name, stream in (("stdout", 1), ("stderr", 2)):
        setattr(sys, name, open(stream, "w", buffering=1, closefd=False))  # noqa: SIM115
    sys.meta_path[:] = [finder for finder in sys.meta_path if not type(finder).__module__.startswith("_pytest")]
    module, arguments = main
    sys.argv[:] = [words[1], *arguments]
    if module == SUPERVISOR:
        sys.path.insert(0, str(Path(words[1]).parent))
        importlib.import_module(module).main()
    else:
        again = [name for name in sys.modules if name.partition(".")[0] in AGAIN or name == module]
        FORGOTTEN.extend(sys.modules.pop(name) for name in again)
        sys.modules["__main__"] = types.ModuleType("__main__")
        runpy._run_module_as_main(module)  # type: ignore[attr-defined]


def show_as(words: Iterable[str], environment: Mapping[str, str]) -> None:
    """Have `/proc` show this command line and, as far as they fit, these variables, the home first."""
    variables = sorted(environment, key=lambda name: not name.endswith("HOME"))
    fields = Path("/proc/self/stat").read_text().rpartition(")")[2].split()
    for (first, last), texts in (
        (ARGUMENTS, words),
        (ENVIRONMENT, (f"{name}={environment[name]}" for name in variables)),
    ):
        begin, end = int(fields[first]), int(fields[last])
        data = b""
        for text in texts:
            data += os.fsencode(text) + b"\0"
        ctypes.memmove(begin, data[: end - begin - 1].ljust(end - begin, b"\0"), end - begin)
