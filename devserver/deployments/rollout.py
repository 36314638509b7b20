"""Roll out a build: make it current, ramp it, or undo the last step.

A change that would leave workflows without workers is refused.
"""

from __future__ import annotations

import asyncio
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from temporalio.client import Client

from ..errors import OptionError
from .calls import DeploymentCalls, first_lines, unknown_build
from .errors import DeploymentRefused
from .model import Deployment, DeploymentVersion, Routing, VersionTaskQueue, build_name
from .status import POLL_SECONDS, wait_until_settled

SETTLE_SECONDS = 10.0
POLL_WAIT_SECONDS = 1.0
# The server remembers pollers for five minutes, and may not report every one of the last minute.
POLLER_MEMORY = timedelta(minutes=5)
MISSING_HINT = "start workers of the build on them, or proceed with --ignore-missing-task-queues"
NO_POLLERS_HINT = "start a worker of the build, or proceed with --allow-no-pollers"


@dataclass(frozen=True)
class RolloutChange:
    """The routing of a deployment before and after a change.

    `settled` is false if some task queues are still being updated.
    """

    deployment: str
    before: Routing
    after: Routing
    settled: bool = True

    @property
    def changed(self) -> bool:
        """Whether the routing is different now."""
        return self.before != self.after


async def set_current(
    client: Client,
    name: str,
    build: str | None,
    *,
    before: Deployment | None = None,
    ignore_missing_task_queues: bool = False,
    allow_no_pollers: bool = False,
    max_versions: int | None = None,
) -> RolloutChange:
    """Make a build current: new workflows start on it, and AutoUpgrade workflows move to it with their next task.

    Ends a ramp to the same build; a ramp to another build continues. Returns when all task queues are updated.

    Args:
        build: The build; None is the unversioned workers.
        before: Change the deployment only if it has not changed since this description.
        ignore_missing_task_queues: Proceed even if no worker of the build polls a task queue of the current build.
        allow_no_pollers: Proceed even if no worker of the build is polling, or the build is unknown.
        max_versions: How many versions the server allows in a deployment, for the error; None if that is unknown.

    Raises:
        DeploymentUnknown, BuildUnknown: The deployment or the build does not exist.
        DeploymentChanged: The deployment has changed in the meantime.
        DeploymentRefused: Workflows would be left without workers.
        CannotAsk: The server does not answer, or does not support worker deployments.
    """
    calls = DeploymentCalls(client)
    before = before or await calls.deployment(name)
    if build != before.routing.current:
        await _check_workers(calls, before, build, ignore_missing_task_queues, allow_no_pollers, max_versions)
        await calls.set_current(
            before,
            build,
            ignore_missing_task_queues=ignore_missing_task_queues,
            allow_no_pollers=allow_no_pollers,
        )
    return await _change(calls, before)


async def ramp(
    client: Client,
    name: str,
    build: str,
    percentage: float,
    *,
    before: Deployment | None = None,
    ignore_missing_task_queues: bool = False,
    allow_no_pollers: bool = False,
    max_versions: int | None = None,
) -> RolloutChange:
    """Send `percentage` (0 to 100) of the workflows to a build, chosen by a hash of their ids.

    The other arguments and errors are those of `set_current`.

    Raises:
        OptionError: The percentage is out of range.
    """
    if not 0 <= percentage <= 100:
        raise OptionError(f"the percentage must be a number from 0 to 100, not {percentage:g}")
    calls = DeploymentCalls(client)
    before = before or await calls.deployment(name)
    if build == before.routing.current:
        raise DeploymentRefused(
            f"{build} is the current build of {name}, so it cannot ramp", hint="ramp the build that will replace it"
        )
    await _check_workers(calls, before, build, ignore_missing_task_queues, allow_no_pollers, max_versions)
    await calls.set_ramping(
        before,
        build,
        percentage,
        ignore_missing_task_queues=ignore_missing_task_queues,
        allow_no_pollers=allow_no_pollers,
    )
    return await _change(calls, before)


async def rollback(
    client: Client, name: str, *, before: Deployment | None = None, allow_no_pollers: bool = False
) -> RolloutChange:
    """Undo the last rollout step.

    A ramp to a build that has never been current ends: all workflows go to the current build again. Without such a
    ramp, the build that was current before becomes current again, also if it is ramping already.

    Raises:
        DeploymentRefused: The previous build is unclear (the details list candidates), or none of its workers polls.
        Others: Those of `set_current`.
    """
    calls = DeploymentCalls(client)
    before = before or await calls.deployment(name)
    if _ramps_new_build(before):
        await calls.set_ramping(before, None, 0, ignore_missing_task_queues=True, allow_no_pollers=True)
        return await _change(calls, before)
    previous = _previous_build(before)
    if before.routing.has_ramp and before.routing.ramping != previous.build:
        raise _unclear(before, f"{build_name(before.routing.ramping)}, which was current earlier, is ramping")
    # A task queue that only the newer build polls must not prevent the rollback.
    await _check_workers(calls, before, previous.build, True, allow_no_pollers)
    await calls.set_current(before, previous.build, ignore_missing_task_queues=True, allow_no_pollers=allow_no_pollers)
    return await _change(calls, before)


def _ramps_new_build(deployment: Deployment) -> bool:
    ramping = deployment.version(deployment.routing.ramping or "")
    return deployment.routing.has_ramp and (ramping is None or ramping.last_current is None)


def _previous_build(deployment: Deployment) -> DeploymentVersion:
    """The build that was deactivated when the current one became current: the server keeps no longer history."""
    current = deployment.version(deployment.routing.current or "")
    if current is None:
        raise _unclear(deployment, "the current workers have no version")
    previous = [
        version
        for version in deployment.versions
        if version.last_current and version.deactivated == deployment.current_since
    ]
    ramping = deployment.version(deployment.routing.ramping or "")
    if ramping is not None and not previous:
        previous = [ramping]  # a ramping build is not deactivated: the ramp itself is the rollback
    if len(previous) != 1:
        raise _unclear(deployment, "no build was current directly before it")
    (build,) = previous
    if build.created and current.created and build.created > current.created:
        raise _unclear(deployment, f"it replaced {build.build}, a newer build, so this may already be a rollback")
    return build


def _unclear(deployment: Deployment, reason: str) -> DeploymentRefused:
    current = deployment.routing.current
    candidates = [version for version in deployment.versions if version.last_current and version.build != current]
    candidates.sort(key=lambda version: str(version.last_current), reverse=True)
    verb = "are" if current is None else "is"
    lines = [f"{version.build}: became current at {version.last_current:%Y-%m-%dT%H:%M:%SZ}" for version in candidates]
    hint = f"name the build: set-current {deployment.name} BUILD" if lines else "there is nothing to roll back to"
    if deployment.routing.has_ramp and deployment.routing.ramping is not None:
        words = ["--deployment-name", deployment.name, "--build-id", deployment.routing.ramping, "--delete"]
        command = shlex.join(["devserver", "temporal", "--", "worker", "deployment", "set-ramping-version", *words])
        hint += f"; to end the ramp to {deployment.routing.ramping} only: {command}"
    return DeploymentRefused(
        f"cannot tell which build {deployment.name} should roll back to: {build_name(current)} {verb} current, and "
        f"{reason}",
        details=first_lines(lines) or ["no other build has ever been current"],
        hint=hint,
    )


async def _check_workers(
    calls: DeploymentCalls,
    deployment: Deployment,
    build: str | None,
    missing_allowed: bool,
    no_pollers_allowed: bool,
    max_versions: int | None = None,
) -> None:
    """Refuse an unknown build, one without pollers, and one that does not poll all task queues of the current build.

    The server checks less, and its errors do not name the task queues.
    """
    if build is None:
        return
    if deployment.version(build) is None and not no_pollers_allowed:
        raise unknown_build(deployment, build, max_versions)
    queues = await calls.queues(deployment.name, build)
    if not no_pollers_allowed and not await _has_pollers(calls, deployment.name, build, queues):
        raise DeploymentRefused(
            f"no worker of the build {build} is polling, so its workflows would wait",
            details=[f"its task queues: {_queues_text(queues)}"],
            hint=NO_POLLERS_HINT,
        )
    current = deployment.routing.current
    if current is not None and not missing_allowed:
        missing = set(await calls.queues(deployment.name, current)) - set(queues)
        if missing:
            raise DeploymentRefused(
                f"no worker of the build {build} has polled these task queues of the current build {current}: "
                f"{_queues_text(sorted(missing))}",
                hint=MISSING_HINT,
            )


async def _has_pollers(calls: DeploymentCalls, name: str, build: str, queues: Sequence[VersionTaskQueue]) -> bool:
    """Whether a worker polls. A new worker is known to its deployment a moment before it shows up as a poller."""
    deadline = asyncio.get_running_loop().time() + POLL_WAIT_SECONDS
    while build not in await calls.workers(name, queues, POLLER_MEMORY):
        if asyncio.get_running_loop().time() >= deadline:
            return False
        await asyncio.sleep(POLL_SECONDS)
    return True


async def _change(calls: DeploymentCalls, before: Deployment) -> RolloutChange:
    now = await wait_until_settled(calls, before.name, SETTLE_SECONDS)
    return RolloutChange(before.name, before.routing, now.routing, now.settled)


def _queues_text(queues: Sequence[VersionTaskQueue]) -> str:
    return ", ".join(f"{queue.name} ({queue.kind})" for queue in queues) or "none"
