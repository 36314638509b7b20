"""Looks at everything a server needs and says what is wrong; changes nothing."""

from __future__ import annotations

import os
import platform
import shutil
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from .. import executables
from ..config.server_options import DEFAULT_NAME, DEFAULT_PORT
from ..config.settings import PREFIX, Settings, variable
from ..config.settings_parsing import READERS
from ..database import DatabaseProblem, check
from ..errors import DevServerError
from ..executables.advisories import advisories_for
from ..executables.models import BinaryRequest
from ..server.log import log_tail
from ..system.files import refuse_unsafe
from ..system.paths import HOME_VARIABLE, Paths
from ..system.ports import holder
from .ephemeral_database import SHARED_MEMORY
from .record import CRASHED, READY, Record, names, read_record
from .status import status

ENOUGH_SPACE = 1_000_000_000
CLIENT_VARIABLES = ("TEMPORAL_ADDRESS", "TEMPORAL_NAMESPACE", "TEMPORAL_PROFILE", "TEMPORAL_CONFIG_FILE")
VARIABLES = frozenset({HOME_VARIABLE, f"{PREFIX}NAME", *map(variable, READERS)})
PROXY_VARIABLES = ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy", "SSL_CERT_FILE", "SSL_CERT_DIR")


def examine(
    paths: Paths, *, only: str | None = None, environ: Mapping[str, str] | None = None
) -> Iterator[DatabaseProblem]:
    """Everything that can be told; with `only`, of that instance alone. Never raises for what is wrong."""
    variables = os.environ if environ is None else environ
    if only is None:
        yield _machine()
        yield from _folders(paths)
        yield from _settings()
        yield from _variables(variables)
        yield from _executables(paths)
        yield from _leftovers(paths)
        yield from _usual_port(paths)
    for name in _names(paths) if only is None else [only]:
        yield from _instance(paths, name)


def _names(paths: Paths) -> list[str]:
    try:
        return names(paths)
    except DevServerError:  # `_folders` tells what is wrong with them
        return []


def _machine() -> DatabaseProblem:
    text = f"Python {platform.python_version()} on {platform.system()} {platform.machine()}"
    if sys.platform == "win32":
        return DatabaseProblem("error", "machine", text, "servers run on Linux and macOS; use WSL")
    return DatabaseProblem("ok", "machine", text)


def _folders(paths: Paths) -> Iterator[DatabaseProblem]:
    for what, path in (("cache", paths.store), ("state", paths.instances), ("data", paths.data)):
        try:
            refuse_unsafe(path)
        except DevServerError as error:
            yield DatabaseProblem("error", what, error.message, error.hint)
            continue
        if not path.exists():
            yield DatabaseProblem("ok", what, f"{path} is not there yet", "it is made when it is needed")
            continue
        free = shutil.disk_usage(path).free
        text = f"{path}, {free / 1e9:.1f} GB free"
        if not os.access(path, os.W_OK):
            yield DatabaseProblem(
                "error", what, f"{path} cannot be written", "set DEVSERVER_HOME to a folder you can write to"
            )
        elif free < ENOUGH_SPACE:
            yield DatabaseProblem("warning", what, text, "a server fails when the disk is full; free some space")
        else:
            yield DatabaseProblem("ok", what, text)


def _settings() -> Iterator[DatabaseProblem]:
    try:
        settings = Settings.load()
    except DevServerError as error:
        yield DatabaseProblem("error", "settings", error.message, error.hint)
        return
    text = f"[tool.devserver] in {settings.file}" if settings.file else "no [tool.devserver] in a pyproject.toml here"
    yield DatabaseProblem("ok", "settings", text)


def _variables(environ: Mapping[str, str]) -> Iterator[DatabaseProblem]:
    for name in sorted(environ):
        if name in VARIABLES:
            yield DatabaseProblem("ok", "environment", f"{name} is set")
        elif name.startswith(PREFIX):
            known = f"known are {', '.join(sorted(VARIABLES))}"
            yield DatabaseProblem("warning", "environment", f"{name} is set and means nothing", known)
    for name in CLIENT_VARIABLES:
        if name in environ:
            text = f"{name}={environ[name]} decides where clients connect"
            yield DatabaseProblem(
                "warning", "environment", text, "devserver env prints what this server's clients need"
            )
    for name in PROXY_VARIABLES:
        if name in environ:
            yield DatabaseProblem("ok", "environment", f"{name} is set and honoured by downloads")


def _executables(paths: Paths) -> Iterator[DatabaseProblem]:
    try:
        found = executables.verify(paths)
    except DevServerError as error:
        yield DatabaseProblem("error", "executable", error.message, error.hint)
        return
    for verified in found:
        executable = verified.executable
        text = f"{executable.version} (server {executable.server_version}), from {executable.source}"
        if not verified.intact:
            what = "cannot be read" if verified.found is None else "is not what was installed"
            hint = f"run: rm -r {executable.path.parent}; devserver install {executable.version}"
            yield DatabaseProblem("error", "executable", f"{text}: it {what}", hint)
        elif advisories_for(executable.server_version):
            known = ", ".join(advisory.id for advisory in advisories_for(executable.server_version))
            yield DatabaseProblem("warning", "executable", f"{text}: {known} apply", "use a newer version")
        else:
            yield DatabaseProblem("ok", "executable", f"{text}, intact" + ("" if executable.pinned else ", not pinned"))
    yield from _wanted(paths)


def _wanted(paths: Paths) -> Iterator[DatabaseProblem]:
    try:
        executable = executables.at_hand(BinaryRequest.of(Settings.load()), paths=paths)
    except DevServerError as error:
        yield DatabaseProblem("warning", "executable", f"devserver up would fail: {error.message}", error.hint)
        return
    if executable is None:
        yield DatabaseProblem("ok", "executable", "devserver up would get one first", "devserver install gets it now")
    else:
        yield DatabaseProblem("ok", "executable", f"devserver up would run {executable.path}")


def _leftovers(paths: Paths) -> Iterator[DatabaseProblem]:
    """Folders in memory whose instance is gone."""
    for folder in SHARED_MEMORY.glob("temporal-devserver-*"):
        owner = _text(folder / "owner")
        if owner is None or not owner.startswith(str(paths.instances)) or Path(owner).is_dir():
            continue
        yield DatabaseProblem("warning", "leftover", f"{folder} belongs to no instance", f"rm -r {folder}")


def _text(path: Path) -> str | None:
    try:
        return path.read_text()
    except OSError:
        return None


def _usual_port(paths: Paths) -> Iterator[DatabaseProblem]:
    """The port that `devserver up` would take, where someone else has it."""
    try:
        record = read_record(paths, DEFAULT_NAME)
        wanted = Settings.load().port
    except DevServerError:
        return
    port = DEFAULT_PORT if wanted is None else wanted
    if port == 0 or (record is not None and record.running()):
        return
    who = holder(port)
    if who is not None:
        hint = "devserver up needs another one: --port 0 takes any free one"
        yield DatabaseProblem("warning", "port", f"{port} is held by {who}", hint)


def _instance(paths: Paths, name: str) -> Iterator[DatabaseProblem]:
    topic = f"instance {name}"
    try:
        record = read_record(paths, name)
    except DevServerError as error:
        yield DatabaseProblem("error", topic, error.message, error.hint)
        return
    if record is None:
        yield DatabaseProblem("error", topic, "there is none of that name", "devserver list names them")
        return
    yield _state(paths, record, topic)
    if not record.options.ephemeral or record.running():
        for found in check(record.database):
            yield DatabaseProblem(found.level, f"{topic}: {found.topic}", found.text, found.hint)


def _state(paths: Paths, record: Record, topic: str) -> DatabaseProblem:
    found = status(paths, record)
    state = found["state"]
    text = f"{state}, {record.address}, server {record.server_version}"
    if state == "unresponsive":
        hint = f"its process {found['pid']} is frozen or overloaded: see devserver logs --name {record.name}"
        return DatabaseProblem("error", topic, text, hint)
    if state == CRASHED:
        last = log_tail(Path(found["log"]), 1)
        text += f" ({record.exit or 'its processes were killed'})" + (f"; last said: {last[0][:200]}" if last else "")
        return DatabaseProblem(
            "warning", topic, text, f"devserver up --name {record.name} starts it with what it had kept"
        )
    if state == READY and not record.executable.exists():
        return DatabaseProblem(
            "warning", topic, f"{text}; its executable is gone", "a restart will need devserver install"
        )
    return DatabaseProblem("ok", topic, text)
