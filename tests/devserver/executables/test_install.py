"""Many at once, killed in the middle, waiting for one another."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from devserver import executables
from devserver.errors import DownloadFailed
from devserver.executables import BinaryRequest, Executable, install_lock
from devserver.executables.resolve import ensure
from devserver.system.paths import Paths
from devserver.system.platforms import current
from tests.helpers.download_service import VERSION, DownloadService, hold, status, tar_gz
from tests.helpers.fork_server import Forked, ForkServer
from tests.helpers.recorder import Recorder

CROWD = 200
LIMIT = 180
Start = Callable[..., Forked]

KEY = f"{VERSION}-{current().key}"


@pytest.fixture
def start(service: DownloadService, forks: ForkServer) -> Start:
    """Start a process that asks for version 9.9.9, and prints notes if `notes` is set."""

    def run(*, notes: bool = False) -> Forked:
        words = ["-m", "tests.helpers.asking", VERSION, service.url, "notes" if notes else "silent"]
        return forks.popen(words, env=os.environ)

    return run


def line(process: Forked) -> str:
    """The next line it prints."""
    assert process.stdout is not None
    return process.stdout.readline().strip()


@pytest.fixture
def held(service: DownloadService) -> Iterator[tuple[threading.Event, threading.Event]]:
    """The next download stops in the middle: (it is there, let it go on)."""
    half_sent, go_on = threading.Event(), threading.Event()
    service.faults["archive"].append(hold(half_sent, go_on))
    yield half_sent, go_on
    go_on.set()


def request(service: DownloadService, wait: float = 900) -> BinaryRequest:
    """A request for version 9.9.9."""
    return BinaryRequest(version=VERSION, source="release", base_url=service.url, wait=wait)


@pytest.mark.slow
def test_two_hundred_processes_at_once_make_one_download(
    paths: Paths, service: DownloadService, held: tuple[threading.Event, threading.Event], start: Start
) -> None:
    """All of them ask while the first one downloads, and all get the same executable."""
    with ExitStack() as stack:
        crowd = [stack.enter_context(start()) for _ in range(CROWD)]
        assert {line(process) for process in crowd} == {"asking"}
        assert held[0].wait(LIMIT)
        held[1].set()
        hashes = {line(process) for process in crowd}
        codes = {process.wait(LIMIT) for process in crowd}
    assert len(hashes) == 1
    assert codes == {0}
    assert (len(service.asked), service.archives) == (1, 1)
    assert {p.name for p in paths.store.iterdir() if p.is_dir()} == hashes


def test_a_killed_download_leaves_nothing_half_installed(
    paths: Paths, service: DownloadService, held: tuple[threading.Event, threading.Event], start: Start
) -> None:
    """After kill -9 in the middle nothing is installed; the next one installs and sweeps."""
    with start() as process:
        assert held[0].wait(LIMIT)
        process.send_signal(signal.SIGKILL)
    held[1].set()
    assert executables.installed(paths) == []
    assert list(paths.store.glob(".tmp-*"))
    assert ensure(request(service), paths=paths).version == VERSION
    assert not list(paths.store.glob(".tmp-*"))


def test_a_waiter_takes_over_when_the_one_it_waits_for_is_killed(
    service: DownloadService, held: tuple[threading.Event, threading.Event], start: Start
) -> None:
    """The lock falls with its holder."""
    with start() as first:
        assert held[0].wait(LIMIT)
        with start() as second:
            assert line(second) == "asking"
            first.kill()
            assert len(line(second)) == 64
            assert second.wait(LIMIT) == 0
    assert service.archives == 2


def test_who_waits_for_a_failure_gets_it_without_repeating_it(
    service: DownloadService, held: tuple[threading.Event, threading.Event], start: Start
) -> None:
    """One wrong archive is downloaded once for all who wait; whoever asks later tries again."""
    service.archive = tar_gz(("temporal", b"#!/bin/sh\necho no\n" + b"#" * 10_000))
    with ExitStack() as stack:
        first = stack.enter_context(start())
        assert held[0].wait(LIMIT)
        others = [stack.enter_context(start(notes=True)) for _ in range(5)]
        assert {line(process) for process in others} == {"asking"}
        assert all(line(process).startswith("waiting for") for process in others)
        held[1].set()
        assert {process.wait(LIMIT) for process in (first, *others)} == {1}
    assert service.archives == 1
    with start() as later:
        assert later.wait(LIMIT) == 1
    assert service.archives == 2


def test_who_waits_is_told_for_whom(
    paths: Paths,
    service: DownloadService,
    recorder: Recorder,
    held: tuple[threading.Event, threading.Event],
    start: Start,
) -> None:
    """The note names the pid, and comes once."""
    with start() as process:
        assert held[0].wait(LIMIT)
        found: list[Executable] = []
        told = threading.Event()
        recorder.notes = _Telling(told)
        waiter = threading.Thread(target=lambda: found.append(ensure(request(service), paths=paths, reporter=recorder)))
        waiter.start()
        assert told.wait(LIMIT)
        held[1].set()
        waiter.join(LIMIT)
        assert process.wait(LIMIT) == 0
    assert recorder.notes == [
        f"waiting for another process (pid {process.pid}) to finish installing temporal {VERSION}"
    ]
    assert found
    assert service.archives == 1


class _Telling(list[str]):
    """A list that tells when something was added."""

    def __init__(self, told: threading.Event) -> None:
        super().__init__()
        self._told = told

    def append(self, item: str) -> None:
        """Add and tell."""
        super().append(item)
        self._told.set()


def test_waiting_has_a_limit(
    paths: Paths, service: DownloadService, held: tuple[threading.Event, threading.Event], start: Start
) -> None:
    """The error names the process that does not come to an end."""
    with start() as process:
        assert held[0].wait(LIMIT)
        with pytest.raises(DownloadFailed, match=f"pid {process.pid}"):
            ensure(request(service, wait=0.1), paths=paths)
        held[1].set()


def test_threads_of_one_process_make_one_download_too(paths: Paths, service: DownloadService, start: Start) -> None:
    """The lock holds between threads."""
    found: list[Executable] = []
    threads = [threading.Thread(target=lambda: found.append(ensure(request(service), paths=paths))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(LIMIT)
    assert len(found) == 8
    assert service.archives == 1


def test_the_temporary_folder_of_a_living_installer_is_left_alone(
    paths: Paths, service: DownloadService, held: tuple[threading.Event, threading.Event], start: Start
) -> None:
    """Sweeping removes only what nobody works in."""
    with start() as process:
        assert held[0].wait(LIMIT)
        dead = paths.store / ".tmp-1.2.3-linux-amd64-abc"
        dead.mkdir()
        (dead / "archive").write_bytes(b"half")
        install_lock.sweep(paths.store)
        assert [p.name.startswith(f".tmp-{KEY}") for p in paths.store.glob(".tmp-*")] == [True]
        held[1].set()
        assert process.wait(LIMIT) == 0


def test_a_failure_is_kept_without_the_password_of_the_mirror(paths: Paths, service: DownloadService) -> None:
    """What the others who wait are told lies in a file, and the address is not in it."""
    service.faults["metadata"].append(status(403))
    mirror = service.url.replace("://", "://user:secret@")
    with pytest.raises(DownloadFailed):
        ensure(BinaryRequest(version=VERSION, source="release", base_url=mirror), paths=paths)
    kept = (paths.store / f".{KEY}.failed").read_text()
    assert "403" in kept
    assert "secret" not in kept


def test_ctrl_c_in_a_download_leaves_nothing(
    paths: Paths, service: DownloadService, held: tuple[threading.Event, threading.Event], start: Start
) -> None:
    """An interrupted installer cleans up and gives the lock back."""
    with start() as process:
        assert held[0].wait(LIMIT)
        process.send_signal(signal.SIGINT)
        assert process.wait(LIMIT) != 0
    assert not list(paths.store.glob(".tmp-*"))
    held[1].set()
    assert ensure(request(service), paths=paths).version == VERSION


def test_files_of_the_store_are_private(paths: Paths, service: DownloadService) -> None:
    """Locks, owners and receipts are 0600, the executable 0700."""
    found = ensure(request(service), paths=paths)
    modes = {p: p.stat().st_mode & 0o777 for p in paths.store.rglob("*") if p.is_file()}
    assert modes.pop(Path(found.path)) == 0o700
    assert set(modes.values()) == {0o600}, {os.fspath(p): oct(m) for p, m in modes.items()}
