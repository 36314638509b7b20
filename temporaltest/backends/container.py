"""Servers in containers, by testcontainers: one for xdist's workers and for runs that ask for the same."""

from __future__ import annotations

import contextlib
import hashlib
import importlib.util
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from filelock import FileLock

from devserver import HttpApi, Lease, NotAnswering, ServerOptions, dynamic_config, holders

from ..errors import NotSupported, SetupError
from . import container_record
from .endpoint import NAMESPACES, OUTAGES, PRIVATE_SERVERS, TIME_SKIPPING, ServerEndpoint, why_no_skipping

if TYPE_CHECKING:
    from ..config import PluginConfig
    from ..requirements import Requirements

KEEPER = "temporaltest.backends.container_supervisor"
END_SECONDS = 15.0
NO_OUTAGES = "the server runs in a container; use the managed backend for this test"
_KEEPERS: list[subprocess.Popen[str]] = []  # those we started: each is waited for when it has ended


@dataclass(frozen=True)
class Hold:
    """Our hold on one container."""

    folder: Path
    lease: Lease
    private: bool


class ContainerBackend:
    """See `Backend`. A keeper process has the container (see `keeper`); we hold a lease of it."""

    def __init__(self, config: PluginConfig) -> None:
        if importlib.util.find_spec("testcontainers") is None:
            raise SetupError("the container backend needs testcontainers: pip install 'temporal-devserver[container]'")
        self._config = config

    def shared(self) -> ServerEndpoint:
        """Join the container that runs with the same settings, or start it."""
        return self._get(self._name(), {}, private=False)

    def private(self, requirements: Requirements, *, outages: bool = False) -> ServerEndpoint:
        """A container of the test's own, gone at its end."""
        if outages:
            raise NotSupported(f"no {OUTAGES} here: {NO_OUTAGES}")
        if requirements.version is not None:
            raise NotSupported("no other versions here: the image is what it is; choose one with --temporal-image")
        own = {key: json.dumps(value) for key, value in requirements.dynamic_config.items()}
        return self._get(f"own-{os.getpid()}-{os.urandom(4).hex()}", own, private=True)

    def release(self, endpoint: ServerEndpoint) -> None:
        """Give up the hold; the last one ends the container, and waits until it has gone."""
        hold: Hold = endpoint.resource
        hold.lease.release()
        record = container_record.read(hold.folder)
        goes = hold.private or not (self._config.keep or self._config.linger or holders(hold.folder))
        if goes and record is not None and record["keeper"] is not None:
            _wait_gone(record["keeper"])
            _reap()
        if record is not None and record["keeper"] is not None and not container_record.lives(record["keeper"]):
            _remove_orphans(hold.folder)
        if hold.private:
            shutil.rmtree(hold.folder, ignore_errors=True)
            container_record.lock_path(hold.folder).unlink(missing_ok=True)

    def kept(self) -> str | None:
        """Where the container is that a run with `--temporal-keep` has left up."""
        record = container_record.read(container_record.folder_of(self._name()))
        if record is None or not _runs(record):
            return None
        return f"{record['ui']} (gRPC {record['address']}); stop it with: docker rm -f {record['container'][:12]}"

    def _name(self) -> str:
        key = json.dumps([self._spec({}, private=False) | {"linger": None}, os.environ.get("DOCKER_HOST")])
        return hashlib.sha256(key.encode()).hexdigest()[:10]

    def _spec(self, own: Mapping[str, str], *, private: bool) -> dict[str, Any]:
        shown = self._config.ui or self._config.keep
        return {
            "image": self._config.image,
            "command": _command(self._dynamic_config(own), ui=shown),
            "ui": shown,
            "keep": self._config.keep and not private,
            "linger": 0 if private else self._config.linger,
        }

    def _dynamic_config(self, own: Mapping[str, str]) -> dict[str, str]:
        return dynamic_config(ServerOptions(tuning=self._config.tuning or "fast")) | dict(own)

    def _get(self, name: str, own: Mapping[str, str], *, private: bool) -> ServerEndpoint:
        folder = container_record.folder_of(name)
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with FileLock(container_record.lock_path(folder)):
            lease = Lease.take(folder)
            try:
                record = container_record.read(folder)
                if record is None or not _runs(record):
                    record = _start(folder, self._spec(own, private=private))
            except BaseException:
                lease.release()
                raise
        return self._endpoint(record, Hold(folder, lease, private), own)

    def _endpoint(self, record: dict[str, Any], hold: Hold, own: Mapping[str, str]) -> ServerEndpoint:
        why = why_no_skipping(record["version"], self._dynamic_config(own))
        return ServerEndpoint(
            address=record["address"],
            can=frozenset({NAMESPACES, PRIVATE_SERVERS}) | frozenset({TIME_SKIPPING} if why is None else ()),
            why_not={OUTAGES: NO_OUTAGES, TIME_SKIPPING: why or ""},
            ui_url=record["ui"],
            resource=hold,
            alive=lambda: _still(hold.folder, record),
        )


def _remove_orphans(folder: Path) -> None:
    """Do what a keeper would have done that was killed."""
    from . import engine

    with contextlib.suppress(engine.ContainerUnavailable):
        engine.remove_orphans(engine.engine(), folder)


def _command(configured: Mapping[str, str], *, ui: bool) -> list[str]:
    command = ["server", "start-dev", "--ip", "0.0.0.0", "--log-level", "warn"]  # noqa: S104 - in the container
    command += ["--port", str(container_record.GRPC), "--http-port", str(container_record.HTTP)]
    command += ["--ui-port", str(container_record.UI)] if ui else ["--headless"]
    # A file in memory: quicker than the server's own in-memory database, which loses tables.
    command += ["--db-filename", "/temporaltest/temporal.db"]
    command += ["--sqlite-pragma", "journal_mode=WAL", "--sqlite-pragma", "synchronous=OFF"]
    for key, value in configured.items():
        command += ["--dynamic-config-value", f"{key}={value}"]
    return command


def _runs(record: dict[str, Any]) -> bool:
    if record["keeper"] is not None:
        return container_record.lives(record["keeper"])
    try:
        return HttpApi(*record["http"]).serves("default")
    except NotAnswering:
        return False


def _still(folder: Path, record: dict[str, Any]) -> bool:
    """Whether that container is still there; its keeper takes the record away when it ends."""
    return container_record.read(folder) == record and (
        record["keeper"] is None or container_record.lives(record["keeper"])
    )


def _start(folder: Path, spec: dict[str, Any]) -> dict[str, Any]:
    """Start a keeper and wait for its word; it limits itself, and its pipe closes when it dies."""
    _reap()
    log = folder / "keeper.log"
    with log.open("w") as file:
        process = subprocess.Popen(
            [sys.executable, "-m", KEEPER, str(folder), json.dumps(spec)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=file,
            text=True,
            start_new_session=True,
        )
    _KEEPERS.append(process)
    assert process.stdout is not None  # noqa: S101 - a pipe
    with process.stdout as events:
        said = json.loads(events.readline() or "{}")
    if "ready" in said:
        ready: dict[str, Any] = said["ready"]
        return ready
    process.wait(END_SECONDS)
    raise SetupError(said.get("failed") or f"the keeper of the container ended:\n{log.read_text()[-2000:]}")


def _reap() -> None:
    _KEEPERS[:] = [each for each in _KEEPERS if each.poll() is None]


def _wait_gone(who: list[float]) -> None:
    import psutil

    try:
        process = psutil.Process(int(who[0]))
        if process.create_time() == who[1]:
            process.wait(END_SECONDS)
    except (psutil.NoSuchProcess, psutil.TimeoutExpired):
        return
