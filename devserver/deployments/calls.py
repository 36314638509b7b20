"""The service's calls about worker deployments, with errors for unknown names, conflicts and refused changes."""

from __future__ import annotations

import asyncio
import difflib
import itertools
from collections.abc import Awaitable, Callable, Iterable, Sequence
from datetime import datetime, timedelta, timezone
from typing import Any, TypeVar

from temporalio.api.deployment.v1 import WorkerDeploymentVersion
from temporalio.api.enums.v1 import TaskQueueType
from temporalio.api.workflowservice.v1 import (
    DescribeWorkerDeploymentRequest,
    DescribeWorkerDeploymentVersionRequest,
    ListWorkerDeploymentsRequest,
    SetWorkerDeploymentCurrentVersionRequest,
    SetWorkerDeploymentRampingVersionRequest,
)
from temporalio.service import RPCError, RPCStatusCode

from ..client.call_errors import call_failed
from ..client.calls import POLLS_WITHIN, REFUSALS, ServiceCalls, still_polls
from ..errors import CannotAsk
from .errors import (
    FULL_HINT,
    MAX_VERSIONS,
    BuildUnknown,
    DeploymentChanged,
    DeploymentRefused,
    DeploymentUnknown,
    deployment_full,
)
from .model import Deployment, VersionTaskQueue, build_name, deployment_from_proto

T = TypeVar("T")

PAGE_SIZE = 100
MAX_NAMES = 10
# Answers of a server without worker deployments: it is too old, or they are disabled.
UNSUPPORTED = (RPCStatusCode.UNIMPLEMENTED, RPCStatusCode.PERMISSION_DENIED)
KINDS = {
    TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW: "workflow",
    TaskQueueType.TASK_QUEUE_TYPE_ACTIVITY: "activity",
    TaskQueueType.TASK_QUEUE_TYPE_NEXUS: "nexus",
}
TYPES = {kind: number for number, kind in KINDS.items()}
POLL_HINT = "the server learns about {} when one of its workers polls"
REFUSED_HINT = f"; when it refuses one, as the deployment has too many ({MAX_VERSIONS}), that worker's output says so"


class DeploymentCalls(ServiceCalls):
    """One client's calls about worker deployments.

    Every call raises `CannotAsk` if the server does not answer or does not support worker deployments.
    """

    refusals = (*REFUSALS, *UNSUPPORTED, RPCStatusCode.FAILED_PRECONDITION)

    async def names(self) -> list[str]:
        """The names of the namespace's deployments, sorted."""
        request = ListWorkerDeploymentsRequest(namespace=self.client.namespace, page_size=PAGE_SIZE)
        names: list[str] = []
        try:
            async for page in self.pages(self.client.workflow_service.list_worker_deployments, request):
                names += [deployment.name for deployment in page.worker_deployments]
        except RPCError as error:
            self._check_supported(error)
            raise
        return sorted(names)

    async def deployment(self, name: str) -> Deployment:
        """Describe a deployment.

        Raises:
            DeploymentUnknown: The deployment does not exist; the hint has similar names.
        """
        request = DescribeWorkerDeploymentRequest(namespace=self.client.namespace, deployment_name=name)
        try:
            response = await self._supported(self.client.workflow_service.describe_worker_deployment, request)
        except RPCError as error:
            if error.status != RPCStatusCode.NOT_FOUND:
                raise DeploymentRefused(f"the server refuses the name {name!r}", details=[error.message]) from None
            raise _unknown_deployment(name, self.client.namespace, await self.names()) from None
        return deployment_from_proto(response.worker_deployment_info, response.conflict_token)

    async def queues(self, name: str, build: str) -> tuple[VersionTaskQueue, ...]:
        """The task queues that workers of a build have polled; none for an unknown build."""
        version = WorkerDeploymentVersion(deployment_name=name, build_id=build)
        request = DescribeWorkerDeploymentVersionRequest(namespace=self.client.namespace, deployment_version=version)
        try:
            response = await self._supported(self.client.workflow_service.describe_worker_deployment_version, request)
        except RPCError as error:
            if error.status != RPCStatusCode.NOT_FOUND:
                raise
            return ()
        infos = response.worker_deployment_version_info.task_queue_infos
        return tuple(sorted(VersionTaskQueue(info.name, KINDS.get(info.type, "unknown")) for info in infos))

    async def workers(
        self, name: str, queues: Iterable[VersionTaskQueue], within: timedelta = POLLS_WITHIN
    ) -> dict[str, tuple[str, ...]]:
        """The identities of the workers that have polled these task queues `within` a period, by build.

        Makes one call for each task queue.
        """
        now = datetime.now(timezone.utc)
        calls = [self.pollers(queue.name, TYPES[queue.kind]) for queue in queues if queue.kind in TYPES]
        found: dict[str, set[str]] = {}
        for poller in itertools.chain.from_iterable(await asyncio.gather(*calls)):
            if still_polls(poller, now, within) and poller.deployment_options.deployment_name == name:
                found.setdefault(poller.deployment_options.build_id, set()).add(poller.identity)
        return {build: tuple(sorted(identities)) for build, identities in found.items()}

    async def set_current(
        self, before: Deployment, build: str | None, *, ignore_missing_task_queues: bool, allow_no_pollers: bool
    ) -> None:
        """Make a build current, unless the deployment has changed since `before`."""
        request = SetWorkerDeploymentCurrentVersionRequest(
            namespace=self.client.namespace,
            deployment_name=before.name,
            build_id=build or "",
            conflict_token=before.token,
            identity=self.client.identity,
            ignore_missing_task_queues=ignore_missing_task_queues,
            allow_no_pollers=allow_no_pollers,
        )
        method = self.client.workflow_service.set_worker_deployment_current_version
        await self._change(before, build, method, request)

    async def set_ramping(
        self,
        before: Deployment,
        build: str | None,
        percentage: float,
        *,
        ignore_missing_task_queues: bool,
        allow_no_pollers: bool,
    ) -> None:
        """Ramp a build to a percentage, unless the deployment has changed since `before`; None and 0 end the ramp."""
        request = SetWorkerDeploymentRampingVersionRequest(
            namespace=self.client.namespace,
            deployment_name=before.name,
            build_id=build or "",
            percentage=percentage,
            conflict_token=before.token,
            identity=self.client.identity,
            ignore_missing_task_queues=ignore_missing_task_queues,
            allow_no_pollers=allow_no_pollers,
        )
        method = self.client.workflow_service.set_worker_deployment_ramping_version
        await self._change(before, build, method, request)

    async def _supported(self, method: Callable[..., Awaitable[T]], request: Any) -> T:
        """As `call`, with an error for a server without worker deployments."""
        try:
            return await self.call(method, request)
        except RPCError as error:
            self._check_supported(error)
            raise

    async def _change(
        self, before: Deployment, build: str | None, method: Callable[..., Awaitable[object]], request: Any
    ) -> None:
        try:
            await self._supported(method, request)
        except CannotAsk as error:
            full = deployment_full(" ".join(error.details))
            if full is None:
                raise
            raise full from None
        except RPCError as error:
            if error.status == RPCStatusCode.NOT_FOUND and build is not None:
                raise unknown_build(before, build) from None
            if "conflict token" in error.message:
                raise _conflict(before, await self.deployment(before.name)) from None
            raise DeploymentRefused(
                f"the server refuses {build_name(build)} for the deployment {before.name}", details=[error.message]
            ) from None

    def _check_supported(self, error: RPCError) -> None:
        if error.status not in UNSUPPORTED:
            return
        if error.status == RPCStatusCode.PERMISSION_DENIED and "Worker Deployment" not in error.message:
            raise call_failed(self.client, error) from None
        address = self.client.service_client.config.target_host
        raise CannotAsk(
            f"the Temporal server at {address} does not support worker deployments in the namespace "
            f"{self.client.namespace}",
            details=[error.message],
            hint="use a newer server, or set system.enableDeploymentVersions to true in its dynamic configuration",
        ) from None


def unknown_build(deployment: Deployment, build: str, max_versions: int | None = None) -> BuildUnknown:
    """The error for a build that the deployment does not have, and that it has no room for where it is full."""
    text = f"the deployment {deployment.name} has no build {build}"
    count = len(deployment.versions)
    if max_versions is not None and count >= max_versions:
        return BuildUnknown(
            f"{text}, and the server refuses another: it has {count}, as many as it may",
            details=[f"its builds: {', '.join(first_lines(deployment.builds))}"],
            hint=FULL_HINT,
        )
    return BuildUnknown(
        text,
        details=[f"its builds: {', '.join(first_lines(deployment.builds)) or 'none'}"],
        hint=_suggestion(build, deployment.builds) or POLL_HINT.format("a build") + REFUSED_HINT,
    )


def _conflict(before: Deployment, now: Deployment) -> DeploymentChanged:
    by = f" by {now.last_modifier}" if now.last_modifier else ""
    return DeploymentChanged(
        f"the deployment {before.name} was changed{by} in the meantime; nothing was done",
        details=[f"before: {before.routing}", f"now: {now.routing}"],
        hint="check its status, and run the command again if you still want the change",
    )


def _unknown_deployment(name: str, namespace: str, names: Sequence[str]) -> DeploymentUnknown:
    return DeploymentUnknown(
        f"the namespace {namespace} has no deployment {name}",
        details=[f"its deployments: {', '.join(first_lines(names)) or 'none'}"],
        hint=_suggestion(name, names) or POLL_HINT.format("a deployment"),
    )


def first_lines(texts: Sequence[str]) -> list[str]:
    """The first ten texts, and a line for the rest."""
    rest = [f"and {len(texts) - MAX_NAMES:,} more"] if len(texts) > MAX_NAMES else []
    return [*texts[:MAX_NAMES], *rest]


def _suggestion(name: str, names: Sequence[str]) -> str:
    near = difflib.get_close_matches(name, names, n=1)
    return f"did you mean {near[0]}?" if near else ""
