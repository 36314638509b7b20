"""The workflow sandbox as tests need it: it imports a workflow's module again; what it cannot import passes through."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from importlib.machinery import ModuleSpec
from pathlib import Path

from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner, SandboxRestrictions

# A test's own module is imported again in the sandbox, and with it what it imports; these have nothing to do there.
PASSED_THROUGH = ("pytest", "_pytest", "pluggy", "temporaltest", "devserver", "pytest_asyncio", "anyio")


def runner(workflows: Iterable[type], passthrough: Sequence[str] = ()) -> SandboxedWorkflowRunner:
    """The SDK's sandbox; `passthrough` names modules that it takes as they are."""
    through = {*PASSED_THROUGH, *passthrough}
    through |= {kind.__module__ for kind in workflows if not _importable(kind.__module__)}
    return SandboxedWorkflowRunner(restrictions=SandboxRestrictions.default.with_passthrough_modules(*through))


def _importable(module: str) -> bool:
    """Whether an import of that name would read the file that the loaded module came from.

    With `--import-mode=importlib` it reads nothing, and where two folders have a `conftest.py` it may read the other.
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
