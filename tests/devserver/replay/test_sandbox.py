"""The workflow sandbox checks a module once for each worker."""

from __future__ import annotations

import asyncio
import importlib
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest
from temporalio import workflow
from temporalio.worker.workflow_sandbox import SandboxRestrictions

from devserver.replay import WorkflowSandbox

MODULE = """
import imported
from temporalio import workflow

imported.times.append(workflow.unsafe.in_sandbox())
if workflow.unsafe.in_sandbox() and imported.fails:
    raise ValueError("no such database")


@workflow.defn
class Order:
    @workflow.run
    async def run(self) -> None: ...


@workflow.defn
class Refund:
    @workflow.run
    async def run(self) -> None: ...


@workflow.defn
class Passing:
    @workflow.run
    async def run(self) -> None: ...


Gone = Passing
del Passing
"""


@pytest.fixture
def orders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    """A module with workflows; `imported.times` has whether each import of it was in the sandbox."""
    (tmp_path / "imported.py").write_text("times = []\nfails = False\n")
    (tmp_path / "orders.py").write_text(MODULE)
    monkeypatch.syspath_prepend(tmp_path)
    names = ("orders", "imported")
    for name in names:
        monkeypatch.delitem(sys.modules, name, raising=False)
    yield importlib.import_module("orders")
    for name in names:
        del sys.modules[name]


def check(*workflows: type, sandbox: WorkflowSandbox | None = None) -> None:
    """Do what the SDK's worker does when it is made."""
    if sandbox is None:
        sandbox = WorkflowSandbox(restrictions=SandboxRestrictions.default.with_passthrough_modules("imported"))

    async def in_loop() -> None:
        for kind in workflows:
            sandbox.prepare_workflow(workflow._Definition.must_from_class(kind))

    asyncio.run(in_loop())


def test_a_worker_imports_a_module_once(orders: ModuleType) -> None:
    """Two workflows of one module take one import in the sandbox; the next worker checks it again."""
    check(orders.Order, orders.Refund)
    assert orders.imported.times == [False, True]
    check(orders.Refund)
    assert orders.imported.times == [False, True, True]


def test_a_class_that_the_sandbox_cannot_find_is_refused(orders: ModuleType) -> None:
    """Its module was checked with another class, but it is not in there."""
    with pytest.raises(ImportError, match="Passing"):
        check(orders.Order, orders.Gone)


def test_a_module_that_fails_in_the_sandbox_is_refused_each_time(orders: ModuleType) -> None:
    """What failed does not count as checked."""
    orders.imported.fails = True
    sandbox = WorkflowSandbox(restrictions=SandboxRestrictions.default.with_passthrough_modules("imported"))
    for kind in (orders.Order, orders.Refund):
        with pytest.raises(ValueError, match="no such database"):
            check(kind, sandbox=sandbox)
