"""Checks of everything that a server needs: machine, folders, settings, executables, port and instances. Read-only."""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterator, Mapping

from .. import executables
from ..config.option_values import DEFAULT_NAME
from ..config.server_options import DEFAULT_PORT
from ..config.settings import Settings
from ..config.settings_keys import PREFIX, known_variables, nearest_variable
from ..database import CheckResult, Level, check, kept_copies
from ..errors import DevServerError
from ..executables.advisories import advisories_for
from ..executables.models import BinaryRequest
from ..server.log import log_tail
from ..server.spec import unsupported
from ..system.paths import Paths
from ..system.ports import listener
from . import doctor_machine, ephemeral_database
from .database_room import room
from .folder import InstanceFolder
from .record import CRASHED, READY, Record
from .status import status, way_out

CLIENT_VARIABLES = ("TEMPORAL_ADDRESS", "TEMPORAL_NAMESPACE", "TEMPORAL_PROFILE", "TEMPORAL_CONFIG_FILE")
PROXY_VARIABLES = ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy", "SSL_CERT_FILE", "SSL_CERT_DIR")


def examine(
    paths: Paths, *, only: str | None = None, environ: Mapping[str, str] | None = None
) -> Iterator[CheckResult]:
    """Check everything, and report problems as results instead of errors.

    Args:
        paths: Where the instances are.
        only: Check only the instance of this name.
        environ: The environment variables to check; by default those of this process.
    """
    variables = os.environ if environ is None else environ
    if only is None:
        yield doctor_machine.machine()
        yield from doctor_machine.package()
        if unsupported():
            return  # the rest is about servers
        yield from doctor_machine.folders(paths)
        settings = _read_settings()
        yield from _settings(settings)
        yield from _variables(variables)
        yield from _executables(paths, settings)
        yield from _leftovers(paths)
        yield from _usual_port(paths, settings)
    for folder in _instances(paths) if only is None else [InstanceFolder(paths, only)]:
        yield from _instance(folder)


def _instances(paths: Paths) -> list[InstanceFolder]:
    try:
        return InstanceFolder.all(paths)
    except DevServerError:  # `folders` reports it
        return []


def _read_settings() -> Settings | DevServerError:
    """The settings, or why they cannot be read."""
    try:
        return Settings.load()
    except DevServerError as error:
        return error


def _settings(settings: Settings | DevServerError) -> Iterator[CheckResult]:
    if isinstance(settings, DevServerError):
        hint = "; ".join(filter(None, (settings.hint, *settings.details)))
        yield CheckResult("error", "settings", settings.message, hint)
        return
    text = str(settings.file) if settings.file else "no settings in a pyproject.toml or temporal-devserver.toml here"
    if settings.untrusted:
        keys = ", ".join(settings.untrusted)
        hint = f"read them, then: devserver trust {shlex.quote(str(settings.file and settings.file.parent))}"
        yield CheckResult("warning", "settings", f"{text}: {keys} do not count, because you do not trust it", hint)
        return
    yield CheckResult("ok", "settings", text)


def _variables(environ: Mapping[str, str]) -> Iterator[CheckResult]:
    known = known_variables()
    for name in sorted(environ):
        if name in known:
            yield CheckResult("ok", "environment", f"{name} is set")
        elif name.startswith(PREFIX):
            near = nearest_variable(name)
            hint = f"did you mean {near}?" if near else "devserver config show lists the variables"
            yield CheckResult("warning", "environment", f"{name} is set, but no such setting exists", hint)
    for name in CLIENT_VARIABLES:
        if name in environ:
            text = f"{name}={environ[name]} decides where clients connect"
            yield CheckResult(
                "warning", "environment", text, "devserver env prints the variables for clients of this server"
            )
    for name in PROXY_VARIABLES:
        if name in environ:
            yield CheckResult("ok", "environment", f"{name} is set and used for downloads")


def _executables(paths: Paths, settings: Settings | DevServerError) -> Iterator[CheckResult]:
    try:
        found = executables.verify(paths)
    except DevServerError as error:
        yield CheckResult("error", "executable", error.message, error.hint)
        return
    for verified in found:
        executable = verified.executable
        text = f"{executable.version} (server {executable.server_version}), from {executable.source}"
        if not verified.intact:
            what = "cannot be read" if verified.found is None else "has changed since it was installed"
            hint = f"run: rm -r {executable.path.parent}; devserver install {executable.version}"
            yield CheckResult("error", "executable", f"{text}: it {what}", hint)
        elif advisories_for(executable.server_version):
            known = ", ".join(advisory.id for advisory in advisories_for(executable.server_version))
            yield CheckResult("warning", "executable", f"{text}: {known} apply", "use a newer version")
        else:
            yield CheckResult("ok", "executable", f"{text}, intact" + ("" if executable.pinned else ", not pinned"))
    yield from _next_executable(paths, settings)


def _next_executable(paths: Paths, settings: Settings | DevServerError) -> Iterator[CheckResult]:
    try:
        if isinstance(settings, DevServerError):
            raise settings
        executable = executables.find_available(BinaryRequest.of(settings), paths=paths)
    except DevServerError as error:
        yield CheckResult("warning", "executable", f"devserver up fails: {error.message}", error.hint)
        return
    if executable is None:
        yield CheckResult("ok", "executable", "devserver up downloads one first", "devserver install downloads it now")
    elif executable.pinned:
        yield CheckResult("ok", "executable", f"devserver up runs {executable.path}")
    else:
        text = f"devserver up runs {executable.path}, which is not a pinned build; SHA-256 {executable.sha256}"
        yield CheckResult("warning", "executable", text, "see that you know where it comes from")


def _leftovers(paths: Paths) -> Iterator[CheckResult]:
    """Ephemeral databases whose instance does not exist anymore."""
    for name, folders in sorted(ephemeral_database.existing_folders(paths.instances).items()):
        if not paths.instance(name).is_dir():
            for folder in folders:
                yield CheckResult("warning", "leftover", f"{folder} belongs to no instance", f"run: rm -r {folder}")


def _usual_port(paths: Paths, settings: Settings | DevServerError) -> Iterator[CheckResult]:
    """Whether another process listens on the port that `devserver up` takes."""
    if isinstance(settings, DevServerError):
        return
    try:
        record = InstanceFolder(paths, DEFAULT_NAME).read_record()
    except DevServerError:
        return
    port = DEFAULT_PORT if settings.port is None else settings.port
    if port == 0 or (record is not None and record.running()):
        return
    process = listener(port)
    if process is not None:
        hint = "devserver up needs another port: --port 0 takes any free one"
        yield CheckResult("warning", "port", f"{process} listens on port {port}", hint)


def _instance(folder: InstanceFolder) -> Iterator[CheckResult]:
    topic = f"instance {folder.name}"
    try:
        record = folder.read_record()
    except DevServerError as error:
        yield CheckResult("error", topic, error.message, error.hint)
        return
    if record is None:
        yield CheckResult("error", topic, "no instance has that name", "devserver list shows the names")
        return
    yield _state(folder, record, topic)
    found = room(record, folder.log)
    if found is not None:
        level: Level = "error" if found.full else "warning" if found.little else "ok"
        yield CheckResult(level, f"{topic}: room", str(found), None if level == "ok" else found.hint)
    count, size = kept_copies(folder.paths.snapshots(folder.name), folder.paths.backups(folder.name))
    if count:
        text = f"{count} saved before a restore or an upgrade, {size / 1e6:.1f} MB; the newest ones are kept"
        yield CheckResult("ok", f"{topic}: copies", text)
    if not record.options.ephemeral or record.running():
        for result in check(record.database, kept=not record.options.ephemeral):
            yield CheckResult(result.level, f"{topic}: {result.topic}", result.text, result.hint)


def _state(folder: InstanceFolder, record: Record, topic: str) -> CheckResult:
    found = status(folder, record)
    state = found["state"]
    text = f"{state}, {record.address}, server {record.server_version}"
    if state == "unresponsive":
        if found["room"] is not None and found["room"]["full"]:
            return CheckResult("error", topic, f"{text}; its database has no room", found["room"]["hint"])
        return CheckResult("error", topic, f"{text}: {found['problem']}", way_out(found, record))
    if state == CRASHED:
        last = log_tail(folder.log, 1)
        log = f"; last log line: {last[0][:200]}" if last else ""
        text += f" ({record.exit or 'its processes were killed'}){log}"
        return CheckResult("warning", topic, text, f"devserver up --name {record.name} starts it with its kept state")
    if state == READY and not record.executable.exists():
        text = f"{text}; its executable does not exist anymore"
        return CheckResult("warning", topic, text, "run devserver install before you restart it")
    return CheckResult("ok", topic, text)
