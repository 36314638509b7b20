"""The container backend: servers in containers, one shared by xdist's workers and by equal runs."""

from __future__ import annotations

import contextlib
import hashlib
import importlib.util
import json
import os
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from filelock import FileLock

from devserver import HttpApi, Lease, NotAnswering, ServerOptions, dynamic_config, holders, start_child

from ..errors import NotSupported, SetupError
from .container_record import ContainerRecord, folder_of, lock_path, server_command
from .endpoint import NAMESPACES, OUTAGES, PRIVATE_SERVERS, TIME_SKIPPING, ServerEndpoint, why_no_skipping

if TYPE_CHECKING:
    from ..config import PluginConfig
    from ..requirements import Requirements

SUPERVISOR = "temporaltest.backends.container_supervisor"
END_SECONDS = 15.0
NO_OUTAGES = "the server runs in a container; use the managed backend for this test"
_SUPERVISORS: list[subprocess.Popen[bytes]] = []  # those that this process has started and has to reap


@dataclass(frozen=True)
class ContainerLease:
    """A lease of one container."""

    folder: Path
    lease: Lease
    private: bool


class ContainerBackend:
    """See `Backend`. A supervisor process owns the container (see `container_supervisor`); we have a lease on it."""

    def __init__(self, config: PluginConfig) -> None:
        if importlib.util.find_spec("testcontainers") is None:
            raise SetupError("the container backend needs testcontainers: pip install 'temporal-devserver[container]'")
        self._config = config

    def shared(self, *, after: ServerEndpoint | None = None) -> ServerEndpoint:
        """Join the container that runs with the same settings, or start it."""
        return self._get(self._name(), {}, private=False)

    def private(self, requirements: Requirements, *, outages: bool = False) -> ServerEndpoint:
        """A container for one test, removed at its end."""
        if outages:
            raise NotSupported(f"no {OUTAGES} here: {NO_OUTAGES}")
        if requirements.version is not None:
            raise NotSupported(
                "no other server version here: the image has one version; use --temporal-image to choose another image"
            )
        own = HttpApi.with_access(_as_json(requirements.dynamic_config))
        return self._get(f"own-{os.getpid()}-{os.urandom(4).hex()}", own, private=True)

    def release(self, endpoint: ServerEndpoint) -> None:
        """Release the lease. The last one ends the container and waits until it is removed."""
        lease: ContainerLease = endpoint.resource
        lease.lease.release()
        record = ContainerRecord.read(lease.folder)
        supervisor = record.supervisor if record is not None else None
        last = lease.private or not (self._config.keep or self._config.linger or holders(lease.folder))
        if supervisor is not None and last:
            supervisor.wait_gone(END_SECONDS)
            _reap()
        if supervisor is not None and not supervisor.alive():
            _remove_orphans(lease.folder)
        if lease.private:
            shutil.rmtree(lease.folder, ignore_errors=True)
            lock_path(lease.folder).unlink(missing_ok=True)

    def kept(self) -> str | None:
        """Where the container is that a run with `--temporal-keep` leaves running."""
        record = ContainerRecord.read(folder_of(self._name()))
        if record is None or not _runs(record):
            return None
        return f"{record.ui_url} (gRPC {record.address}); stop it with: docker rm -f {record.container[:12]}"

    def _name(self) -> str:
        key = json.dumps([self._spec({}, private=False) | {"linger": None}, os.environ.get("DOCKER_HOST")])
        return hashlib.sha256(key.encode()).hexdigest()[:10]

    def _spec(self, own: Mapping[str, str], *, private: bool) -> dict[str, Any]:
        shown = self._config.ui or self._config.keep
        return {
            "image": self._config.image,
            "command": server_command(self._dynamic_config(own), ui=shown),
            "ui": shown,
            "keep": self._config.keep and not private,
            "linger": 0 if private else self._config.linger,
        }

    def _dynamic_config(self, own: Mapping[str, str]) -> dict[str, str]:
        values = dynamic_config(ServerOptions(tuning=self._config.tuning or "fast"))
        return values | HttpApi.with_access(_as_json(self._config.dynamic_config)) | dict(own)

    def _get(self, name: str, own: Mapping[str, str], *, private: bool) -> ServerEndpoint:
        folder = folder_of(name)
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with FileLock(lock_path(folder)):
            lease = Lease.take(folder)
            try:
                record = ContainerRecord.read(folder)
                if record is None or not _runs(record):
                    record = _start(folder, self._spec(own, private=private))
            except BaseException:
                lease.release()
                raise
        return self._endpoint(record, ContainerLease(folder, lease, private), own)

    def _endpoint(self, record: ContainerRecord, lease: ContainerLease, own: Mapping[str, str]) -> ServerEndpoint:
        why = why_no_skipping(record.version, self._dynamic_config(own))
        return ServerEndpoint(
            address=record.address,
            can=frozenset({NAMESPACES, PRIVATE_SERVERS}) | frozenset({TIME_SKIPPING} if why is None else ()),
            why_not={OUTAGES: NO_OUTAGES, TIME_SKIPPING: why or ""},
            ui_url=record.ui_url,
            resource=lease,
            alive=lambda: _still(lease.folder, record),
        )


def _remove_orphans(folder: Path) -> None:
    """Remove what a killed supervisor has left."""
    from . import engine

    with contextlib.suppress(engine.ContainerUnavailable):
        engine.remove_orphans(engine.engine(), folder)


def _as_json(values: Mapping[str, Any]) -> dict[str, str]:
    return {key: json.dumps(value) for key, value in values.items()}


def _runs(record: ContainerRecord) -> bool:
    if record.supervisor is not None:
        return record.supervisor.alive()
    try:
        return HttpApi(*record.http).serves("default")
    except NotAnswering:
        return False


def _still(folder: Path, record: ContainerRecord) -> bool:
    """Whether that very container still runs; its supervisor deletes the record when it ends."""
    return ContainerRecord.read(folder) == record and (record.supervisor is None or record.supervisor.alive())


def _start(folder: Path, spec: dict[str, Any]) -> ContainerRecord:
    """Start a supervisor, and wait until its container is ready; the supervisor limits the wait itself."""
    _reap()
    log = folder / "supervisor.log"
    with log.open("wb") as file:
        process, channel = start_child(SUPERVISOR, str(folder), json.dumps(spec), stdout=file, stderr=file)
    _SUPERVISORS.append(process)
    message = channel.receive() or {"kind": "ended"}
    channel.close()
    record = ContainerRecord.read(folder)
    if message["kind"] == "ready" and record is not None:
        return record
    process.wait(END_SECONDS)
    raise SetupError(message.get("reason") or f"the container's supervisor ended:\n{log.read_text()[-2000:]}")


def _reap() -> None:
    _SUPERVISORS[:] = [process for process in _SUPERVISORS if process.poll() is None]
