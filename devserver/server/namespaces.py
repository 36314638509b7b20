"""Namespaces of a running server: create or update them, with retention and search attributes."""

from __future__ import annotations

import functools
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from ..config.durations import format_duration
from ..errors import SearchAttributeRefused, StartTimeout
from .http_api import HttpApi, NotAnswering

DEFAULT_NAMESPACE = "default"
ADD_SECONDS = 15
POLL_SECONDS = 0.002

Warn = Callable[[str], None]


class Until(Protocol):
    """Waits for a condition; `goal` says what the server does then, such as `serve the namespace a`."""

    def __call__(self, condition: Callable[[], bool], goal: str) -> None:
        """Return once the condition is true."""


@dataclass(frozen=True)
class NamespaceSettings:
    """The settings of a namespace.

    Attributes:
        retention: Seconds for which closed workflows are kept.
        search_attributes: Name -> type, such as `Keyword`.
        executable: The Temporal CLI, whose operator command adds search attributes: the HTTP API cannot.
        address: `host:port` of the server, for that command.
    """

    retention: int
    search_attributes: Mapping[str, str]
    executable: Path
    address: str


def ensure_namespaces(
    http_api: HttpApi,
    names: Iterable[str],
    settings: NamespaceSettings,
    until: Until,
    warn: Warn = lambda _: None,
) -> None:
    """Create or update namespaces, and wait until the server serves them.

    Args:
        http_api: The server.
        names: The namespaces.
        settings: Their settings.
        until: Waits for a condition, up to its own limit.
        warn: Receives what a setting takes away from an existing namespace.

    Raises:
        NamespaceRefused, SearchAttributeRefused: Temporal rejects a setting; the message has its reason.
    """
    for name in names:
        until(functools.partial(_ensured, http_api, name, settings, until, warn), f"set up the namespace {name}")


def _ensured(http_api: HttpApi, namespace: str, settings: NamespaceSettings, until: Until, warn: Warn) -> bool:
    ensure_namespace(http_api, namespace, settings, until, warn)
    return True


def ensure_namespace(
    http_api: HttpApi, namespace: str, settings: NamespaceSettings, until: Until, warn: Warn = lambda _: None
) -> None:
    """Create or update one namespace, and wait until the server serves it.

    Raises:
        NamespaceRefused, SearchAttributeRefused: Temporal rejects a setting; the message has its reason.
        NotAnswering: The server has ended or is frozen.
    """
    before = http_api.ensure_namespace(namespace, settings.retention)
    if before is not None and settings.retention < before:
        warn(
            f"the namespace {namespace} now keeps closed workflows for {format_duration(settings.retention)}, not "
            f"{format_duration(before)} as before; --retention sets it"
        )
    if namespace != DEFAULT_NAMESPACE:
        until(lambda: http_api.serves(namespace), f"serve the namespace {namespace}")
    if settings.search_attributes:
        _ensure_search_attributes(http_api, namespace, settings)
        names = ", ".join(settings.search_attributes)
        until(
            lambda: http_api.knows(namespace, settings.search_attributes),
            f"find workflows of {namespace} by the search attributes {names}",
        )


def within(seconds: float) -> Until:
    """Wait for conditions of a running server, up to `seconds` in all."""
    deadline = time.monotonic() + seconds

    def until(condition: Callable[[], bool], goal: str) -> None:
        while True:
            found = []
            try:
                if condition():
                    return
            except NotAnswering as error:
                found = [str(error)]
            if time.monotonic() > deadline:
                raise StartTimeout(
                    f"the server did not {goal} within {seconds:g} s",
                    details=found,
                    hint="devserver status and devserver logs show how it is; --timeout allows more time",
                )
            time.sleep(POLL_SECONDS)

    return until


def _ensure_search_attributes(http_api: HttpApi, namespace: str, settings: NamespaceSettings) -> None:
    present = http_api.search_attributes(namespace)
    for name, kind in settings.search_attributes.items():
        if present.get(name, kind) != kind:
            raise SearchAttributeRefused(
                f"the search attribute {name} of namespace {namespace} is {present[name]}, not {kind}",
                hint="the type cannot be changed: choose another name, or another namespace",
            )
    missing = {name: kind for name, kind in settings.search_attributes.items() if name not in present}
    if missing:
        _add(namespace, missing, settings)


def _add(namespace: str, missing: Mapping[str, str], settings: NamespaceSettings) -> None:
    import subprocess  # slow to import, and most servers have no search attributes

    from ..executables.temporal_cli import run_temporal

    command = ["operator", "search-attribute", "create"]
    command += ["--address", settings.address, "--namespace", namespace]
    for name, kind in missing.items():
        command += ["--name", name, "--type", kind]
    try:
        done = run_temporal(settings.executable, *command, limit=ADD_SECONDS)
    except subprocess.TimeoutExpired as error:
        raise NotAnswering(str(error)) from error
    if done.returncode != 0:
        rejected = ", ".join(f"{name}={kind}" for name, kind in missing.items())
        raise SearchAttributeRefused(
            f"Temporal rejects the search attributes {rejected} for namespace {namespace}",
            details=done.stderr.strip().splitlines()[-3:],
            hint=search_attribute_hint(done.stderr),
        )


def search_attribute_hint(message: str) -> str | None:
    """What to do where Temporal rejects search attributes with this message."""
    if "reserved by system" in message:
        return "Temporal uses this name itself, as it does every name that begins with Temporal: choose another"
    if "cannot have more than" in message:
        return "a namespace has at most 10 of type Keyword and 3 of each other type"
    return None
