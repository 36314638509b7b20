"""A Docker engine for tests, and an image with the real executable in it.

A running engine of this machine is used. Otherwise, as root, one is started in a separate folder. xdist's workers and
simultaneous runs share it, and the last of them ends it with its containers, processes, mounts and network. It needs
neither systemd nor iptables.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import shutil
import signal
import socket
import struct
import subprocess
import tarfile
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import docker
import docker.errors
import psutil
import pytest
from filelock import FileLock

from devserver import Lease, Paths, holders
from devserver.system.files import private_folder
from tests.helpers.waiting import eventually

ROOT = Path(tempfile.gettempdir()) / f"temporaltest-docker-{os.getuid()}"
LOCK, STATE = ROOT / "lock", ROOT / "folder"
END_SECONDS = 60
BRIDGE = "docker0"
_STARTED: list[subprocess.Popen[bytes]] = []  # recorded, because another process may end it
CHANGES = ["ENV USER=root HOME=/"]


@dataclass(frozen=True)
class Engine:
    """A running engine: the value of `DOCKER_HOST`, and a client."""

    host: str
    client: docker.DockerClient

    @property
    def environment(self) -> dict[str, str]:
        """Variables for testcontainers without an image registry, possibly inside a container."""
        return {
            "DOCKER_HOST": self.host,
            "TESTCONTAINERS_RYUK_DISABLED": "true",
            "TESTCONTAINERS_CONNECTION_MODE": "docker_host",
            "TC_HOST": "127.0.0.1",
        }

    def containers(self) -> list[str]:
        """Return the ids of containers of this test's runs, including stopped ones."""
        ours = f"temporaltest.home={socket.gethostname()}:{Paths.default().state / 'containers'}"
        found = self.client.containers.list(all=True, filters={"label": ours}, ignore_removed=True)
        return [str(container.id) for container in found]


@contextlib.contextmanager
def engine() -> Iterator[Engine]:
    """Run an engine; skip the test with a reason if none can run."""
    there = _answering(os.environ.get("DOCKER_HOST", "unix:///var/run/docker.sock"))
    if there is not None:
        with contextlib.closing(there.client):
            yield there
        return
    if os.geteuid() != 0 or shutil.which("dockerd") is None:
        pytest.skip("NO DOCKER ENGINE: none answers, and starting one needs root and dockerd (make system)")
    private_folder(ROOT)
    with FileLock(LOCK):
        folder, found = _join() or _start()
        lease = Lease.take(folder)
    try:
        yield found
    finally:
        found.client.close()
        with FileLock(LOCK):
            lease.release()
            if not holders(folder):
                _end(folder)
        for process in _STARTED:
            process.returncode = 0  # another test process ends it: Python would warn of it at the exit of this one


def _answering(host: str) -> Engine | None:
    if not _listens(host.removeprefix("unix://")):  # checked first, because docker's client leaks a socket otherwise
        return None
    client = docker.DockerClient(base_url=host)
    try:
        client.ping()
    except docker.errors.DockerException:
        client.close()
        return None
    return Engine(host, client)


def _listens(path: str) -> bool:
    with socket.socket(socket.AF_UNIX) as attempt, contextlib.suppress(OSError):
        attempt.connect(path)
        return True
    return False


def _join() -> tuple[Path, Engine] | None:
    """Return the engine that other tests use, or that killed ones have left."""
    if not STATE.exists():
        return None
    folder = Path(STATE.read_text())
    found = _answering(_host(folder))
    if found is None:
        _end(folder)
        return None
    return folder, found


def _start() -> tuple[Path, Engine]:
    folder = Path(tempfile.mkdtemp(prefix="tt-docker-"))  # short: a socket's path has at most 107 bytes
    (folder / "bridged").write_text("yes" if _has_bridge() else "")
    STATE.write_text(str(folder))
    command = ["dockerd", "--ip", "127.0.0.1", "--host", _host(folder), "--iptables=false", "--ip6tables=false"]
    command += ["--ip-forward=false", "--ip-masq=false", "--pidfile", str(folder / "pid")]
    command += ["--data-root", str(folder / "data"), "--exec-root", str(folder / "exec")]
    log = folder / "log"
    with log.open("w") as file:
        process = subprocess.Popen(command, stdout=file, stderr=file, start_new_session=True)
    _STARTED.append(process)
    found = eventually(lambda: process.poll() is not None or _answering(_host(folder)))
    if not isinstance(found, Engine):
        last_lines = log.read_text()[-600:]
        _end(folder)
        pytest.skip(f"NO DOCKER ENGINE: dockerd ended at once: {last_lines}")
    return folder, found


def _host(folder: Path) -> str:
    return f"unix://{folder}/docker.sock"


def _end(folder: Path) -> None:
    """End the engine: its containers, dockerd, its other processes (shims are not its children), mounts and network."""
    found = _answering(_host(folder))
    if found is not None:
        with contextlib.closing(found.client) as client:
            for container in client.containers.list(all=True, ignore_removed=True):
                container.remove(force=True, v=True)
    _end_processes(folder, signal.SIGTERM)
    _end_processes(folder, signal.SIGKILL)
    bridged = (folder / "bridged").exists() and bool((folder / "bridged").read_text())
    _unmount(folder)
    shutil.rmtree(folder, ignore_errors=True)
    STATE.unlink(missing_ok=True)
    if not bridged:
        _remove_bridge()


def _end_processes(folder: Path, number: int) -> None:
    """Signal dockerd first; on the second call all that is left."""
    ours = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            if str(folder) in " ".join(process.cmdline()) and (number == signal.SIGKILL or process.name() == "dockerd"):
                process.send_signal(number)
                ours.append(process)
    psutil.wait_procs(ours, END_SECONDS)
    for started in _STARTED:
        started.poll()  # psutil has waited for it


def _unmount(folder: Path) -> None:
    mounts = [line.split()[1] for line in Path("/proc/self/mounts").read_text().splitlines()]
    for mount in sorted((mount_point for mount_point in mounts if mount_point.startswith(f"{folder}/")), reverse=True):
        subprocess.run(["umount", "--lazy", mount], check=False)


# The bridge that dockerd creates and does not remove.


def _has_bridge() -> bool:
    return Path("/sys/class/net", BRIDGE).exists()


def _remove_bridge() -> None:
    if not _has_bridge():
        return
    name = BRIDGE.encode()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        fcntl.ioctl(control, 0x8914, struct.pack("16sh14x", name, 0))  # SIOCSIFFLAGS: down
        fcntl.ioctl(control, 0x89A1, name + b"\0")  # SIOCBRDELBR


# The image


def build(found: Engine, executable: Path, name: str, *, entrypoint: str = "/temporal") -> str:
    """Build an image FROM scratch with the static executable; return its name."""
    with tempfile.TemporaryDirectory() as folder:
        layer = Path(folder, "layer.tar")
        with tarfile.open(layer, "w") as tar:
            tar.add(executable.resolve(), "temporal")
        changes = [*CHANGES, f"ENTRYPOINT {json.dumps([entrypoint])}"]
        found.client.api.import_image_from_file(str(layer), repository=name, tag="latest", changes=changes)
    return name
