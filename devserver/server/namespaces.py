"""Ensures that a namespace is there: its retention, its search attributes, and that it answers."""

from __future__ import annotations

import contextlib
import functools
import subprocess
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from ..errors import SearchAttributeRefused, StartTimeout
from ..executables.temporal_cli import run_tool
from .http_api import HttpApi, NotAnswering

DEFAULT_NAMESPACE = "default"
ADD_SECONDS = 15
POLL_SECONDS = 0.002

Until = Callable[[Callable[[], bool]], None]


@dataclass(frozen=True)
class NamespaceSettings:
    """How a namespace is to be: `retention` in seconds, search attributes as name -> type.

    `executable` and `address` are for its own operator command, since the HTTP API cannot add search attributes.
    """

    retention: int
    search_attributes: Mapping[str, str]
    executable: Path
    address: str


def ensure_namespaces(http_api: HttpApi, names: Iterable[str], settings: NamespaceSettings, until: Until) -> None:
    """Have each namespace as `settings` say, answering; `until` waits for a condition and knows the limit.

    Raises:
        NamespaceRefused, SearchAttributeRefused: Temporal refuses; with its own words.
    """
    for name in names:
        until(functools.partial(_ensured, http_api, name, settings, until))


def _ensured(http_api: HttpApi, namespace: str, settings: NamespaceSettings, until: Until) -> bool:
    ensure_namespace(http_api, namespace, settings, until)
    return True


def ensure_namespace(http_api: HttpApi, namespace: str, settings: NamespaceSettings, until: Until) -> None:
    """Have `namespace` as `settings` say, answering.

    Raises:
        NamespaceRefused, SearchAttributeRefused: Temporal refuses; with its own words.
        NotAnswering: The server is gone or frozen.
    """
    http_api.ensure_namespace(namespace, settings.retention)
    if namespace != DEFAULT_NAMESPACE:
        until(lambda: http_api.serves(namespace))
    if settings.search_attributes:
        _ensure_search_attributes(http_api, namespace, settings)
        until(lambda: http_api.knows(namespace, settings.search_attributes))


def within(seconds: float) -> Until:
    """An `Until` for a server that runs already."""
    deadline = time.monotonic() + seconds

    def until(condition: Callable[[], bool]) -> None:
        while True:
            with contextlib.suppress(NotAnswering):
                if condition():
                    return
            if time.monotonic() > deadline:
                raise StartTimeout(
                    f"the server did not do what was asked within {seconds:g} s",
                    hint="see how it is with devserver status, and what it says with devserver logs",
                )
            time.sleep(POLL_SECONDS)

    return until


def _ensure_search_attributes(http_api: HttpApi, namespace: str, settings: NamespaceSettings) -> None:
    present = http_api.search_attributes(namespace)
    for name, kind in settings.search_attributes.items():
        if present.get(name, kind) != kind:
            raise SearchAttributeRefused(
                f"the search attribute {name} of namespace {namespace} is {present[name]}, not {kind}",
                hint="a type cannot be changed: choose another name, or another namespace",
            )
    missing = {name: kind for name, kind in settings.search_attributes.items() if name not in present}
    if missing:
        _add(namespace, missing, settings)


def _add(namespace: str, missing: Mapping[str, str], settings: NamespaceSettings) -> None:
    command = ["operator", "search-attribute", "create"]
    command += ["--address", settings.address, "--namespace", namespace]
    for name, kind in missing.items():
        command += ["--name", name, "--type", kind]
    try:
        done = run_tool(settings.executable, *command, limit=ADD_SECONDS)
    except subprocess.TimeoutExpired as error:
        raise NotAnswering(str(error)) from error
    if done.returncode != 0:
        asked = ", ".join(f"{name}={kind}" for name, kind in missing.items())
        raise SearchAttributeRefused(
            f"Temporal refuses the search attributes {asked} for namespace {namespace}",
            details=done.stderr.strip().splitlines()[-3:],
            hint="a namespace has at most 10 of type Keyword and 3 of each other type",
        )
