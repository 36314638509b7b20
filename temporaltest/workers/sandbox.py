"""The workflow sandbox as tests need it: it imports a workflow's module again; what it cannot import passes through."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from importlib.machinery import ModuleSpec
from pathlib import Path

from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner, SandboxRestrictions

from ..errors import SetupError

# A test's own module is imported again in the sandbox, and with it what it imports; these have nothing to do there.
PASSED_THROUGH = ("pytest", "_pytest", "pluggy", "temporaltest", "devserver", "pytest_asyncio", "anyio")


def runner(workflows: Iterable[type], passthrough: Sequence[str] = ()) -> SandboxedWorkflowRunner:
    """The SDK's sandbox; `passthrough` names modules that it takes as they are.

    Raises:
        SetupError: An import of a workflow by its module's name finds another class.
    """
    through = {*PASSED_THROUGH, *passthrough}
    for kind in workflows:
        _refuse_shadowed(kind)
        if not _importable(kind.__module__):
            through.add(kind.__module__)
    return SandboxedWorkflowRunner(restrictions=SandboxRestrictions.default.with_passthrough_modules(*through))


def _refuse_shadowed(kind: type) -> None:
    module = sys.modules.get(kind.__module__)
    found = getattr(module, kind.__name__, kind)
    if found is not kind:
        raise SetupError(
            f"the module {kind.__module__!r} has another {kind.__name__} than the one that was given: "
            f"{getattr(module, '__file__', module)} has taken its place\n"
            "two modules of tests have one name: put an __init__.py beside each, or use --import-mode=importlib"
        )


def _importable(module: str) -> bool:
    """Whether an import of that name would read the file that the loaded module came from.

    With `--import-mode=importlib` it reads nothing, and a module made by hand has no file.
    """
    spec = _find(module)
    if spec is None or spec.origin is None:
        return False
    loaded = getattr(sys.modules.get(module), "__file__", None)
    return loaded is None or Path(spec.origin).resolve() == Path(loaded).resolve()


def _find(module: str) -> ModuleSpec | None:
    """What `importlib.util.find_spec` would answer if the module were not loaded yet."""
    path: Sequence[str] | None = None
    spec = None
    parts = module.split(".")
    for count in range(1, len(parts) + 1):
        spec = _find_one(".".join(parts[:count]), path)
        if spec is None or (count < len(parts) and spec.submodule_search_locations is None):
            return None
        path = spec.submodule_search_locations
    return spec


def _find_one(name: str, path: Sequence[str] | None) -> ModuleSpec | None:
    for finder in sys.meta_path:
        spec = finder.find_spec(name, path)
        if spec is not None:
            return spec
    return None
