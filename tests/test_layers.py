"""Modules import only from below, and what has to be light is light."""

from __future__ import annotations

import ast
import importlib
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import devserver
from tests.helpers.checkout import ROOT

OPEN_ROOMS = ("rehearsal", "payloads", "otel", "deployments", "introspection", "schedules")
HEAVY = {"temporalio", "click", "httpx", "rich", "filelock", "asyncio", "sqlite3", "packaging", "platformdirs"}


def modules(package: str) -> list[Path]:
    """The source files of a package."""
    return sorted((ROOT / package).rglob("*.py"))


def imports(path: Path) -> Iterator[str]:
    """What a module imports anywhere in it, absolute, as `package.module.name`."""
    here = path.relative_to(ROOT).with_suffix("").parts
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = here[: len(here) - node.level] if node.level else ()
            module = ".".join([*base, *([node.module] if node.module else [])])
            yield from (f"{module}.{alias.name}" for alias in node.names)


def loaded_by(*names: str, options: tuple[str, ...] = ()) -> set[str]:
    """The modules that are there after importing these in a new interpreter."""
    script = f"import sys, {', '.join(names)}; print(*sys.modules)"
    words = [sys.executable, *options, "-c", script]
    return set(subprocess.run(words, capture_output=True, text=True, check=True, cwd=ROOT, timeout=60).stdout.split())


@pytest.mark.parametrize("path", modules("devserver"), ids=str)
def test_the_server_knows_nothing_of_the_plugin(path: Path) -> None:
    """`devserver` never imports `temporaltest`."""
    assert not [name for name in imports(path) if name.startswith("temporaltest")]


@pytest.mark.parametrize("path", modules("temporaltest"), ids=str)
def test_the_plugin_uses_public_names_only(path: Path) -> None:
    """`temporaltest` imports what the `__all__` of `devserver` and of its open rooms name, and the errors."""
    public = {f"devserver.{name}" for name in devserver.__all__}
    for room in OPEN_ROOMS:
        if (ROOT / "devserver" / room).is_dir():
            names = importlib.import_module(f"devserver.{room}").__all__
            public |= {f"devserver.{room}.{name}" for name in names}
    used = {name for name in imports(path) if name.split(".")[0] == "devserver"}
    assert {name for name in used - public if not name.startswith("devserver.errors.")} == set()


@pytest.mark.parametrize(
    "path", [path for path in modules("devserver") if "cli" not in path.parts and path.name != "__main__.py"], ids=str
)
def test_the_library_does_not_know_its_command_line(path: Path) -> None:
    """Only the CLI prints, so nothing below imports it or click."""
    found = [name for name in imports(path) if name.startswith(("devserver.cli.", "click", "rich"))]
    assert found == []


def test_a_supervisor_is_light() -> None:
    """It lives as long as its server, once for each: nothing is loaded that it does not need."""
    loaded = {name.split(".")[0] for name in loaded_by("devserver.instances.supervisor", options=("-S", "-E"))}
    assert loaded & (HEAVY | {"psutil"}) == set()


def test_what_runs_first_imports_nearly_nothing() -> None:
    """A supervisor's entry starts the server while the rest is still being loaded."""
    loaded = loaded_by("devserver.system.spawn", options=("-S", "-E"))
    assert {name for name in loaded if name.startswith("devserver")} == {
        "devserver",
        "devserver.system",
        "devserver.system.spawn",
    }
    assert loaded & {"subprocess", "pathlib", "typing", "dataclasses", "http"} == set()


@pytest.mark.parametrize(
    "name",
    [
        "up",
        "down",
        "restart",
        "status",
        "list",
        "logs",
        "env",
        "ui",
        "temporal",
        "reset",
        "install",
        "search",
        "stuck",
        "schedule",
        "payloads",
        "describe",
        "start",
        "signal",
        "query",
        "update",
        "trace",
        "metrics",
        "observe",
        "deploy",
        "rehearse",
        "run",
    ],
)
def test_no_command_loads_the_sdk(name: str) -> None:
    """`temporalio` takes longer to import than a server to start; httpx and rich come with a download."""
    loaded = {module.split(".")[0] for module in loaded_by(f"devserver.cli.{name}")}
    assert loaded & {"temporalio", "httpx", "rich", "filelock", "asyncio", "psutil"} == set()


def test_the_public_names_are_there() -> None:
    """Each is loaded when it is first used, and what is not there is told as Python does."""
    assert loaded_by("devserver") & {"devserver.instances.dev_server", "devserver.executables"} == set()
    for name in devserver.__all__:
        assert getattr(devserver, name) is not None
    with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
        _ = devserver.nothing
