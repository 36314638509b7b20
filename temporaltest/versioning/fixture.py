"""`temporal_versions`: several builds of the workers side by side, and moving the work from one to another."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Coroutine, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from temporalio.common import VersioningBehavior, WorkerDeploymentVersion
from temporalio.worker import WorkerDeploymentConfig

from devserver import DevServerError
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
from ..replay.watched_replayer import Definition
from ..workers.workers import RunningWorker
from ..workflows.start import TASK_QUEUE
from . import compatibility as takeover
from .build_lookup import Handle, build_of, builds_of, end_of

if TYPE_CHECKING:
    from ..facade import Temporal

T = TypeVar("T")

DRAIN_SECONDS = 0.1


class Versions:
    """Builds of one worker deployment in the test's namespace. Workflows are started with `temporal.start`.

    A change comes back when every task queue knows of it. A workflow that upgrades does so with its next task: signal
    it. Every call blocks, and may be made in an async test too.
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
        """Where the work goes: `current`, `ramping` and its `percentage`."""
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
        """Start a worker of that build, and wait until the server knows of it; it has no work before `set_current`.

        `behavior` is that of workflows whose class says none. The rest is as in `temporal.worker`.

        Raises:
            SetupError: A workflow has no behaviour, or the SDK refuses it.
        """
        if behavior is None:
            _require_behaviour(workflows)
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
        queues = [VersionTaskQueue(running.task_queue, kind) for kind, given in kinds if given]
        known = watch_registration(self._temporal.client, self.deployment, build_id, queues)
        self._run(end_of(known), f"the worker of the build {build_id} to poll")
        self._builds.setdefault(build_id, []).append(running)
        return running

    def set_current(self, build_id: str | None, **forced: bool) -> RolloutChange:
        """Give all the work to a build: workflows that start, and those that upgrade. None: to workers without one.

        `forced` are `ignore_missing_task_queues` and `allow_no_pollers`.

        Raises:
            SetupError: There is no such build, or work would be left without workers.
        """
        change: Any = set_current
        return self._changed(change(self._temporal.client, self.deployment, build_id, **forced))

    def ramp(self, build_id: str, percentage: float, **forced: bool) -> RolloutChange:
        """Give a share of the work to a build: which workflows, follows from their ids, so it is the same in each run.

        Raises:
            SetupError: As `set_current`; or the build is current, or the percentage is not one.
        """
        change: Any = ramp
        return self._changed(change(self._temporal.client, self.deployment, build_id, percentage, **forced))

    def rollback(self) -> RolloutChange:
        """End a ramp to a new build, else give the work back to the build that was current before.

        Raises:
            SetupError: It is not clear which build that was.
        """
        return self._changed(rollback(self._temporal.client, self.deployment))

    def wait_drained(self, build_id: str) -> None:
        """Wait until no open workflow is pinned to the build.

        Raises:
            SetupError: The build is current or ramping, or is not there.
            WaitTimeout: Some stay open; the message has them.
        """
        looks = watch_drainage(self._temporal.client, self.deployment, build_id, every=DRAIN_SECONDS)
        self._run(end_of(looks), f"the build {build_id} to drain")

    def build_of(self, handle: Handle) -> str | None:
        """The build that a workflow is on once what it has to do now is done; None for a worker without one."""
        return self._run(build_of(self._temporal.client, handle), f"the workflow {handle.id} to come to rest")

    def builds_of(self, handles: Iterable[Handle]) -> Counter[str | None]:
        """How many of these workflows are on each build."""
        return self._run(builds_of(self._temporal.client, handles), "workflows to come to rest")

    def check_takeover(self, build_id: str, *, histories: str | Path | None = None, pinned: bool = False) -> list[str]:
        """Replay open workflows against a build, or stored histories: what would break if it became current.

        Args:
            histories: A folder, or a file, as for `temporal_replay`, in the place of the test's own open workflows.
            pinned: Replay also open workflows that are pinned to their build.

        Returns:
            The ids of the workflows that were replayed, or the files.

        Raises:
            ReplayFailed: The build cannot take some over; says which, and where each leaves its history.
            SetupError: There is no such build here, or nothing to replay.
        """
        workers = self._builds.get(build_id)
        if not workers:
            known = ", ".join(self._builds) or "none"
            raise SetupError(
                f"this test has no worker of the build {build_id}; start it with build(...) (has: {known})"
            )
        case = self._temporal.case
        if histories is not None:
            return takeover.of_files(build_id, workers, case.session.root, Path(histories), case.session.loop)
        replaying = takeover.of_open(build_id, workers, case.unguarded(), case.guard.started, pinned=pinned)
        return self._run(replaying, f"open workflows to be replayed against the build {build_id}")

    def _changed(self, work: Coroutine[Any, Any, RolloutChange]) -> RolloutChange:
        change = self._run(work, f"a change of the deployment {self.deployment}")
        if not change.settled:
            raise SetupError(f"the server does not tell its task queues of the change: {change.after}")
        return change

    def _run(self, work: Coroutine[Any, Any, T], what: str) -> T:
        try:
            return self._temporal.run(work, what)
        except DevServerError as error:
            raise SetupError(_in_python(str(error))) from None


def _in_python(text: str) -> str:
    """A hint of the command line, as the fixture has it."""
    return re.sub(r"--([a-z]+(?:-[a-z]+)+)", lambda flag: f"{flag[1].replace('-', '_')}=True", text)


def _require_behaviour(workflows: Sequence[type]) -> None:
    for each in workflows:
        definition = Definition.from_class(each)
        if definition is not None and definition.name and not definition.versioning_behavior:
            raise SetupError(
                f"the workflow {definition.name} does not say what becomes of it when its build is replaced: give it "
                "@workflow.defn(versioning_behavior=VersioningBehavior.PINNED), or AUTO_UPGRADE, or build(behavior=...)"
            )
