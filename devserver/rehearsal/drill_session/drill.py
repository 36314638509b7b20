"""Runs a drill session on a user's workflow, and collects the evidence."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from ...errors import DevServerError
from ...instances import stopping
from ...instances.cleanup import tidy
from ...instances.folder import InstanceFolder
from ...system.paths import Paths
from ...system.process import has_ended
from ..drills.handover import hand_over
from ..drills.stop import stop
from ..environment.worker_forkserver import WorkerForkServer
from ..errors import ScenarioInvalid
from ..expect.outcome import completes, status
from ..run.legacy_script import LegacyScript
from ..run.runner import RehearsalSettings, rehearse
from ..scenario.plan import PlanStep
from ..scenario.result import Result
from ..scenario.scenario import Expectation, Scenario
from .actions import GuidedHandOver, GuidedPause, GuidedStop
from .detection import failing_plan
from .guide import FirstActivity, Guide

Question = Literal["pause", "stop", "detect", "handover"]
PREFIX = "drill-"
LIMIT = 900.0
EVENTS = {
    "pause": ("WorkflowExecutionPaused", "WorkflowExecutionUnpaused"),
    "stop": ("WorkflowExecutionCancelRequested",),
    "detect": ("WorkflowTaskFailed",),
    "handover": ("WorkflowExecutionCancelRequested",),
}
ALWAYS = ("WorkflowExecution", "ActivityTask")
MOST_EVENTS = 20


@dataclass(frozen=True)
class DrillRequest:
    """A drill.

    Attributes:
        question: Which one.
        module: The module of the workflow.
        folder: The folder that the module is imported from.
        workflow: The workflow's type.
        arguments: Its arguments.
        script: The words of the command that does the rest, for a handover.
        named: Whether the server has a name and a Web UI, so that a person can use both.
    """

    question: Question
    module: str
    folder: Path
    workflow: str
    arguments: Sequence[Any]
    script: Sequence[str] = ()
    named: bool = True


def scenario_of(request: DrillRequest, guide: Guide) -> Scenario:
    """The scenario of a drill.

    Raises:
        ScenarioInvalid: A handover has no script.
    """
    plan, expect = _plan(request, guide)
    return Scenario(
        name=f"{request.question}: {request.workflow}",
        runbook=request.module,
        workflow=request.workflow,
        args=list(request.arguments),
        plan=plan,
        expect=expect,
        limit=LIMIT,
        file=request.folder / f"drill_{request.question}.py",
    )


def _plan(request: DrillRequest, guide: Guide) -> tuple[list[PlanStep], list[Expectation]]:
    if request.question == "pause":
        return [FirstActivity().do(GuidedPause(guide))], [completes()]
    if request.question == "stop":
        return [FirstActivity().do(GuidedStop(guide, stop()))], [status("canceled")]
    if request.question == "detect":
        return failing_plan(guide), [completes()]
    if not request.script:
        raise ScenarioInvalid(
            "a handover needs the script that does the rest by hand", hint='add --script "python by_hand.py"'
        )
    script = hand_over(LegacyScript(list(request.script)))
    return [FirstActivity("completes").do(GuidedHandOver(guide, script))], [status("canceled")]


async def run_drill(request: DrillRequest, guide: Guide, fork_server: WorkerForkServer) -> Result:
    """Run a drill to its end.

    Raises:
        ScenarioInvalid: The workflow cannot run so; nothing was started.
        DevServerError: The server or the worker does not start; says why.
    """
    scenario = scenario_of(request, guide)
    with drill_server(named=request.named) as server:
        return await rehearse(scenario, RehearsalSettings(fork_server=fork_server, server=server))


def server_name() -> str:
    """The name of the server of this process's drill."""
    return f"{PREFIX}{os.getpid()}"


@contextlib.contextmanager
def drill_server(*, named: bool) -> Iterator[dict[str, Any]]:
    """The options of the drill's server; at the end of the block, nothing is left of it."""
    if not named:
        yield {}
        return
    paths = Paths.default()
    for folder in InstanceFolder.all(paths):  # of drills that were killed
        if folder.name.startswith(PREFIX) and has_ended(folder.name.removeprefix(PREFIX)):
            _forget(folder)
    try:
        yield {"name": server_name(), "ui": True, "ephemeral": True, "port": 0}
    finally:
        _forget(InstanceFolder(paths, server_name()))


def _forget(folder: InstanceFolder) -> None:
    with contextlib.suppress(DevServerError):
        tidy(folder.paths)
    with contextlib.suppress(DevServerError):
        stopping.forget(folder)


def evidence(result: Result, question: Question) -> list[tuple[float, str]]:
    """The events of the history that answer the question: when, and what."""
    run = result.run
    if run is None:
        return []
    wanted = (*EVENTS[question], *ALWAYS)
    found = [(mark.at, mark.what) for mark in run.marks if mark.lane == "event" and mark.what.startswith(wanted)]
    return found if len(found) <= MOST_EVENTS else [*found[: MOST_EVENTS // 2], *found[-MOST_EVENTS // 2 :]]
