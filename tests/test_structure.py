"""The structure of the two packages: import directions, unique class names, and modules that must load fast."""

from __future__ import annotations

import importlib
import json
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

import pytest

import devserver
from tests.helpers.checkout import ROOT
from tests.helpers.imports import PACKAGES, Source, shown

# A module imports from packages in lines above its own, from its own, and from packages in the same line.
COLUMN: tuple[tuple[str, ...], ...] = (
    ("errors",),
    ("system",),
    ("network", "webpages"),
    ("config",),
    ("database",),
    ("executables",),
    ("server",),
    ("instances",),
    ("client",),
    ("history",),
    (
        *("trace", "search", "stuck", "schedules", "deployments", "payloads"),
        *("metrics", "introspection", "otel", "worker", "replay", "cluster", "projects", "schemas", "mcp", "services"),
    ),
    ("outages",),
    ("rehearsal",),
    ("dashboard",),
    ("cli",),
    ("temporaltest",),
)

# The packages of `devserver` that the plugin may use, and others too: the names of their `__all__`.
PUBLIC_PACKAGES = (
    *("client", "history", "outages", "replay"),
    *("rehearsal", "payloads", "otel", "deployments", "introspection", "schedules"),
)

HEAVY = {"temporalio", "click", "httpx", "rich", "filelock", "asyncio", "sqlite3", "packaging", "platformdirs"}


@pytest.fixture(scope="module")
def source() -> Source:
    """The source of both packages."""
    return Source(*PACKAGES)


def loaded_by(*names: str, options: tuple[str, ...] = ()) -> set[str]:
    """The modules that a new interpreter has loaded after importing these."""
    script = f"import sys, {', '.join(names)}; print(*sys.modules)"
    words = [sys.executable, *options, "-c", script]
    return set(subprocess.run(words, capture_output=True, text=True, check=True, cwd=ROOT).stdout.split())


def package_of(module: str) -> str | None:
    """The package of COLUMN that a module belongs to; None for `devserver` itself and its `__main__`."""
    parts = module.split(".")
    if parts[0] == "temporaltest":
        return parts[0]
    return parts[1] if parts[1:] not in ([], ["__main__"]) else None


def level(package: str) -> int:
    """The place of a package in COLUMN, from 0 at the bottom."""
    for place, names in enumerate(COLUMN):
        if package in names:
            return place
    raise AssertionError(f"devserver/{package} has no place in COLUMN: add it above everything that it imports")


def in_package(package: str, module: str) -> bool:
    """Whether a module is part of a package."""
    return module == package or module.startswith(f"{package}.")


def test_no_import_circle(source: Source) -> None:
    """No module imports itself through others, including imports inside functions and under TYPE_CHECKING."""
    circles = source.circles()
    assert not circles, "import circles:\n" + "\n\n".join(map(shown, circles))


def test_an_import_circle_is_reported_with_its_imports(tmp_path: Path) -> None:
    """The circle is listed, also if it leads through a function, TYPE_CHECKING or a package's `__init__`."""
    package = tmp_path / "shop"
    package.mkdir()
    (package / "__init__.py").write_text("TYPE_CHECKING = False\nif TYPE_CHECKING:\n    from .cart import Cart\n")
    (package / "cart.py").write_text("def pay():\n    from . import bank\n")
    (package / "bank.py").write_text("from shop import Cart\n")
    (package / "stock.py").write_text("from shop import Cart, bank\n")
    (circle,) = Source("shop", root=tmp_path).circles()
    assert shown(circle) == (
        "  shop.bank (line 1) imports Cart from shop.cart\n  shop.cart (line 2) imports bank from shop.bank"
    )


def test_nothing_imports_upward(source: Source) -> None:
    """A module imports only from its own package and from packages below it in COLUMN."""
    upward = set()
    for imported in source.imports:
        importer, module = package_of(imported.importer), package_of(imported.module)
        if importer and module and level(importer) < level(module):
            upward.add((imported.importer, imported.module))
    assert upward == set()


def test_public_class_names_are_unique(source: Source) -> None:
    """`grep "class Run"` finds one file."""
    homes = defaultdict(list)
    for module in source.modules.values():
        for name in module.classes:
            homes[name].append(module.name)
    duplicates = {name: modules for name, modules in homes.items() if len(modules) > 1}
    assert not duplicates, "one class name in several modules: name each class after what it is there"


def test_the_plugin_uses_public_names_only(source: Source) -> None:
    """`temporaltest` imports errors and the names in `__all__` of `devserver` and of its public packages."""
    public = {f"devserver.{name}" for name in devserver.__all__}
    for package in PUBLIC_PACKAGES:
        if (ROOT / "devserver" / package).is_dir():
            names = getattr(importlib.import_module(f"devserver.{package}"), "__all__", ())
            public |= {f"devserver.{package}.{name}" for name in names}
    private = [
        f"{imported.importer} (line {imported.line}) imports {imported.dotted}"
        for module in source.modules.values()
        if in_package("temporaltest", module.name)
        for imported in module.imports
        if in_package("devserver", imported.module) and imported.module != "devserver.errors"
        if imported.dotted not in public
    ]
    assert private == []


def test_the_library_does_not_print(source: Source) -> None:
    """Only the command line prints and exits: the library imports neither it nor click nor rich."""
    found = [
        f"{imported.importer} (line {imported.line}) imports {imported.dotted}"
        for module in source.modules.values()
        if package_of(module.name) not in (None, "cli", "temporaltest")
        for imported in module.imports
        if any(in_package(package, imported.dotted) for package in ("devserver.cli", "click", "rich"))
    ]
    assert found == []


# What workers and clients in production import, by the docs.
PRODUCTION = (
    "from devserver.rehearsal import ledger; ledger.effect",
    "from devserver.rehearsal.cluster import ACTIVITIES",
    "from devserver.payloads import LargePayloads",
    "from devserver.otel import HistorySpans",
    "from devserver import DevServer",
)


@pytest.mark.parametrize("line", PRODUCTION)
def test_production_code_loads_no_tool(line: str) -> None:
    """What a worker in production imports loads neither pytest nor the command line, its libraries nor templates."""
    script = f"{line}\nimport sys; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=ROOT)
    loaded = set(done.stdout.split())
    packages = {name.partition(".")[0] for name in loaded}
    assert packages & {"pytest", "_pytest", "temporaltest", "click", "rich", "jinja2"} == set()
    assert not any(in_package("devserver.cli", name) for name in loaded)


def test_the_supervisor_is_light() -> None:
    """Every running server has a supervisor, so it loads only what it needs."""
    loaded = {name.split(".")[0] for name in loaded_by("devserver.instances.supervisor", options=("-S", "-E"))}
    assert loaded & (HEAVY | {"psutil"}) == set()


def test_the_spawn_module_imports_nearly_nothing() -> None:
    """A supervisor starts the server with it, while the rest is still being imported."""
    loaded = loaded_by("devserver.system.spawn", options=("-S", "-E"))
    assert {name for name in loaded if name.startswith("devserver")} == {
        "devserver",
        "devserver.system",
        "devserver.system.lazy_names",
        "devserver.system.spawn",
    }
    assert loaded & {"subprocess", "pathlib", "typing", "dataclasses", "http"} == set()


# Imports the modules of the commands one after the other, and prints what each loads that is slow to import.
IMPORTS_COMMANDS = """
import importlib, json, pkgutil
import sys
import devserver.cli
SLOW = {"temporalio", "httpx", "rich", "filelock", "asyncio", "psutil"}
loaded = {}
for module in pkgutil.walk_packages(devserver.cli.__path__, "devserver.cli."):
    if not module.name.startswith(("devserver.cli.render.", "devserver.cli.options.")):
        importlib.import_module(module.name)
        name = module.name.removeprefix("devserver.cli.")
        loaded[name] = sorted(SLOW & set(sys.modules))
        SLOW -= set(loaded[name])
print(json.dumps(loaded))
"""


def test_no_command_module_loads_what_is_slow_to_import() -> None:
    """The help of a command imports its module: `temporalio` alone takes longer than a server to start."""
    done = subprocess.run(
        [sys.executable, "-c", IMPORTS_COMMANDS], capture_output=True, text=True, check=True, cwd=ROOT
    )
    loaded = json.loads(done.stdout)
    assert {"up", "workflow.trace", "rehearse"} <= set(loaded)
    assert {name: modules for name, modules in loaded.items() if modules} == {}


def test_public_names_are_loaded_when_first_used() -> None:
    """Importing `devserver` loads none of them, and an unknown name is an AttributeError."""
    assert loaded_by("devserver") & {"devserver.instances.dev_server", "devserver.executables"} == set()
    for name in devserver.__all__:
        assert getattr(devserver, name) is not None
    with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
        _ = devserver.nothing
