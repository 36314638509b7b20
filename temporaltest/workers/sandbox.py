"""The workflow sandbox for tests. It imports a workflow's module again; modules it cannot import pass through."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from importlib.machinery import ModuleSpec
from pathlib import Path

from temporalio.worker.workflow_sandbox import SandboxRestrictions

from devserver.replay import WorkflowSandbox

from ..errors import SetupError

# The sandbox imports a test's module again, with everything that it imports; these are not needed there.
PASSED_THROUGH = (
    *("pytest", "_pytest", "pluggy", "temporaltest", "devserver", "pytest_asyncio"),
    *("anyio", "trio", "trio_asyncio"),
)


def runner(workflows: Iterable[type], passthrough: Sequence[str] = ()) -> WorkflowSandbox:
    """The SDK's sandbox; `passthrough` has modules that it does not import again.

    Raises:
        SetupError: Another module with the same name hides the module of a workflow.
    """
    modules = {*PASSED_THROUGH, *passthrough}
    for workflow in workflows:
        _refuse_shadowed(workflow)
        if not _importable(workflow.__module__):
            modules.add(workflow.__module__)
    return WorkflowSandbox(restrictions=SandboxRestrictions.default.with_passthrough_modules(*modules))


def plain_runner() -> WorkflowSandbox:
    """The SDK's sandbox, which only does not import the tools of tests again for each workflow."""
    return WorkflowSandbox(restrictions=SandboxRestrictions.default.with_passthrough_modules(*PASSED_THROUGH))


def _refuse_shadowed(workflow: type) -> None:
    module = sys.modules.get(workflow.__module__)
    found = getattr(module, workflow.__name__, workflow)
    if found is not workflow:
        raise SetupError(
            f"the class {workflow.__name__} is not the one in the module {workflow.__module__!r}, which is "
            f"{getattr(module, '__file__', module)}\n"
            "two test modules have the same name: add an __init__.py to each folder, or use --import-mode=importlib"
        )


def _importable(module: str) -> bool:
    """Whether importing this name reads the file of the loaded module.

    With `--import-mode=importlib` it does not, and a module created in code has no file.
    """
    spec = _find(module)
    if spec is None or spec.origin is None:
        return False
    loaded = getattr(sys.modules.get(module), "__file__", None)
    return loaded is None or Path(spec.origin).resolve() == Path(loaded).resolve()


def _find(module: str) -> ModuleSpec | None:
    """The spec of a module as `importlib.util.find_spec` finds it if the module is not loaded."""
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
