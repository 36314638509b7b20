"""`temporal_versions`: several builds of the workers side by side, and moving the work from one to another."""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from temporalio import workflow
from temporalio.client import WorkflowHandle
from temporalio.common import VersioningBehavior, WorkerDeploymentVersion
from temporalio.service import RPCError, RPCStatusCode
from temporalio.worker import WorkerDeploymentConfig

from devserver import DevServerError
from devserver.client import SDK, ServiceCalls
from devserver.deployments import (
    RolloutChange,
    Routing,
    VersionTaskQueue,
    describe_deployment,
    ramp,
    rollback,
    set_current,
    watch_drainage,
    watch_registration,
)

from ..errors import SetupError
from ..workers.running_worker import RunningWorker
from ..workflows.start import TASK_QUEUE
from . import compatibility

if TYPE_CHECKING:
    from ..facade import Temporal

T = TypeVar("T")
Handle = WorkflowHandle[Any, Any]

DRAIN_SECONDS = 0.1
POLL_SECONDS = 0.02


class Versions:
    """Builds of one worker deployment in the test's namespace. Start workflows with `temporal.start`.

    A change returns when every task queue knows it. A workflow that upgrades does so with its next task: signal it.
    Every call blocks; async tests may call it too.
    """

    def __init__(self, temporal: Temporal) -> None:
        self._temporal = temporal
        self._builds: dict[str, list[RunningWorker]] = {}

    @property
    def deployment(self) -> str:
        """The name of the worker deployment."""
        return re.sub(r"[.:]", "-", f"{self._temporal.id_prefix}{TASK_QUEUE}")

    @property
    def routing(self) -> Routing:
        """The routing: the `current` build, the `ramping` one and its `percentage`."""
        return self._run(describe_deployment(self._temporal.client, self.deployment), "the deployment").routing

    def build(
        self,
        build_id: str,
        *,
        workflows: Sequence[type] = (),
        activities: Sequence[Callable[..., Any]] = (),
        behavior: VersioningBehavior | None = None,
        task_queue: str | None = None,
        mocks: Mapping[Any, Any] | None = None,
        **options: Any,
    ) -> RunningWorker:
        """Start a worker of a build, and wait until the server knows it; it gets no work before `set_current`.

        `behavior` is for workflows whose class has none. The other arguments are those of `temporal.worker`.

        Raises:
            SetupError: A workflow has no versioning behavior, or the SDK rejects it.
        """
        if behavior is None:
            _require_behavior(workflows)
        config = WorkerDeploymentConfig(
            version=WorkerDeploymentVersion(self.deployment, build_id),
            use_worker_versioning=True,
            default_versioning_behavior=behavior or VersioningBehavior.UNSPECIFIED,
        )
        running = self._temporal.worker(
            workflows=workflows,
            activities=activities,
            task_queue=task_queue,
            mocks=mocks,
            deployment_config=config,
            **options,
        )
        kinds = [("workflow", workflows), ("activity", activities)]
        queues = [VersionTaskQueue(running.task_queue, kind) for kind, registered in kinds if registered]
        known = watch_registration(self._temporal.client, self.deployment, build_id, queues)
        self._run(_exhaust(known), f"the worker of the build {build_id} to poll")
        self._builds.setdefault(build_id, []).append(running)
        return running

    def set_current(self, build_id: str | None, **forced: bool) -> RolloutChange:
        """Make a build current: new workflows start on it, and workflows that upgrade move to it. None: no build.

        `forced` are `ignore_missing_task_queues` and `allow_no_pollers`.

        Raises:
            SetupError: There is no such build, or workflows would be left without workers.
        """
        change: Any = set_current
        return self._changed(change(self._temporal.client, self.deployment, build_id, **forced))

    def ramp(self, build_id: str, percentage: float, **forced: bool) -> RolloutChange:
        """Route a share of the workflows to a build. Their ids decide which, so it is the same in each run.

        Raises:
            SetupError: As `set_current`; or the build is current, or the percentage is out of range.
        """
        change: Any = ramp
        return self._changed(change(self._temporal.client, self.deployment, build_id, percentage, **forced))

    def rollback(self) -> RolloutChange:
        """End a ramp; without one, make the build current again that was before.

        Raises:
            SetupError: It is unknown which build that was.
        """
        return self._changed(rollback(self._temporal.client, self.deployment))

    def wait_drained(self, build_id: str) -> None:
        """Wait until no open workflow is pinned to the build.

        Raises:
            SetupError: The build is current or ramping, or does not exist.
            WaitTimeout: Some stay open; the message lists them.
        """
        states = watch_drainage(self._temporal.client, self.deployment, build_id, every=DRAIN_SECONDS)
        self._run(_exhaust(states), f"the build {build_id} to drain")

    def build_of(self, handle: Handle) -> str | None:
        """The build that ran a workflow's last task, after pending tasks are done; None for a worker without one."""
        return self._run(
            _build_of(ServiceCalls(self._temporal.client, retries=SDK), handle), f"the workflow {handle.id} to be idle"
        )

    def builds_of(self, handles: Iterable[Handle]) -> Counter[str | None]:
        """How many of these workflows are on each build."""
        return self._run(self._builds_of(handles), "workflows to be idle")

    async def _builds_of(self, handles: Iterable[Handle]) -> Counter[str | None]:
        calls = ServiceCalls(self._temporal.client, retries=SDK)
        return Counter(await asyncio.gather(*(_build_of(calls, handle) for handle in handles)))

    def check_takeover(self, build_id: str, *, histories: str | Path | None = None, pinned: bool = False) -> list[str]:
        """Replay open workflows, or recorded histories, against a build: what would break if it became current?

        Args:
            histories: A folder or file, as for `temporal_replay`, to replay instead of the test's open workflows.
            pinned: Replay also open workflows that are pinned to their build.

        Returns:
            The ids of the workflows that were replayed, or the files.

        Raises:
            ReplayFailed: The build cannot take some over; the message says which, and where each leaves its history.
            SetupError: There is no such build, or nothing to replay.
        """
        workers = self._builds.get(build_id)
        if not workers:
            known = ", ".join(self._builds) or "none"
            raise SetupError(
                f"this test has no worker of the build {build_id}: start it with build(...) (running: {known})"
            )
        case = self._temporal.case
        if histories is not None:
            return compatibility.check_files(build_id, workers, case.session.root, Path(histories), case.session.loop)
        replaying = compatibility.check_open(build_id, workers, case.unguarded(), case.guard.started, pinned=pinned)
        return self._run(replaying, f"open workflows to replay against the build {build_id}")

    def _changed(self, work: Coroutine[Any, Any, RolloutChange]) -> RolloutChange:
        change = self._run(work, f"a change of the deployment {self.deployment}")
        if not change.settled:
            raise SetupError(f"the server did not propagate the change to its task queues: {change.after}")
        return change

    def _run(self, work: Coroutine[Any, Any, T], awaited: str) -> T:
        try:
            return self._temporal.run(work, awaited)
        except DevServerError as error:
            raise SetupError(_in_python(str(error))) from None


def _in_python(text: str) -> str:
    """A hint with options of the command line, as arguments of the fixture."""
    return re.sub(r"--([a-z]+(?:-[a-z]+)+)", lambda flag: f"{flag[1].replace('-', '_')}=True", text)


def _require_behavior(workflows: Sequence[type]) -> None:
    for workflow_class in workflows:
        definition = workflow._Definition.from_class(workflow_class)
        if definition is not None and definition.name and not definition.versioning_behavior:
            raise SetupError(
                f"the workflow {definition.name} has no versioning behavior: use "
                "@workflow.defn(versioning_behavior=VersioningBehavior.PINNED), or AUTO_UPGRADE, or build(behavior=...)"
            )


async def _build_of(calls: ServiceCalls, handle: Handle) -> str | None:
    """The build whose worker completed the workflow's last task; None for a worker without a version."""
    while True:
        description = await calls.describe_workflow(handle.id, handle.run_id or "")
        if description is None:
            raise RPCError(f"there is no workflow {handle.id}", RPCStatusCode.NOT_FOUND, b"")
        if not description.HasField("pending_workflow_task"):
            return description.workflow_execution_info.versioning_info.deployment_version.build_id or None
        await asyncio.sleep(POLL_SECONDS)


async def _exhaust(states: AsyncIterator[object]) -> None:
    async for _ in states:
        pass
