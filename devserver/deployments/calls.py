"""The service's calls about worker deployments, with errors of ours and answers as our records."""

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
from ..errors import BuildUnknown, CannotAsk, DeploymentChanged, DeploymentRefused, DeploymentUnknown
from .model import Deployment, VersionTaskQueue, build_name, deployment_from_proto

T = TypeVar("T")

PAGE = 100
NAMED = 10
LACKING = (RPCStatusCode.UNIMPLEMENTED, RPCStatusCode.PERMISSION_DENIED)
KINDS = {
    TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW: "workflow",
    TaskQueueType.TASK_QUEUE_TYPE_ACTIVITY: "activity",
    TaskQueueType.TASK_QUEUE_TYPE_NEXUS: "nexus",
}
TYPES = {kind: number for number, kind in KINDS.items()}


class DeploymentCalls(ServiceCalls):
    """Every call raises `CannotAsk` where the server gives no answer or has no worker deployments."""

    refusals = (*REFUSALS, *LACKING, RPCStatusCode.FAILED_PRECONDITION)

    async def names(self) -> list[str]:
        """The names of the namespace's deployments, sorted."""
        service = self.client.workflow_service
        request = ListWorkerDeploymentsRequest(namespace=self.client.namespace, page_size=PAGE)
        names: list[str] = []
        while True:
            answer = await self._sure(service.list_worker_deployments, request)
            names += [each.name for each in answer.worker_deployments]
            if not answer.next_page_token:
                return sorted(names)
            request.next_page_token = answer.next_page_token

    async def deployment(self, name: str) -> Deployment:
        """One deployment.

        Raises:
            DeploymentUnknown: There is none of that name; the nearest names are in the hint.
        """
        service = self.client.workflow_service
        request = DescribeWorkerDeploymentRequest(namespace=self.client.namespace, deployment_name=name)
        try:
            answer = await self._sure(service.describe_worker_deployment, request)
        except RPCError as error:
            if error.status != RPCStatusCode.NOT_FOUND:
                raise DeploymentRefused(f"the server refuses the name {name!r}", details=[error.message]) from None
            raise _unknown_deployment(name, self.client.namespace, await self.names()) from None
        return deployment_from_proto(answer.worker_deployment_info, answer.conflict_token)

    async def queues(self, name: str, build: str) -> tuple[VersionTaskQueue, ...]:
        """The task queues that workers of a build have polled; none for a build that is not there."""
        service = self.client.workflow_service
        version = WorkerDeploymentVersion(deployment_name=name, build_id=build)
        request = DescribeWorkerDeploymentVersionRequest(namespace=self.client.namespace, deployment_version=version)
        try:
            answer = await self._sure(service.describe_worker_deployment_version, request)
        except RPCError as error:
            if error.status != RPCStatusCode.NOT_FOUND:
                raise
            return ()
        infos = answer.worker_deployment_version_info.task_queue_infos
        return tuple(sorted(VersionTaskQueue(each.name, KINDS.get(each.type, "unknown")) for each in infos))

    async def workers(
        self, name: str, queues: Iterable[VersionTaskQueue], within: timedelta = POLLS_WITHIN
    ) -> dict[str, tuple[str, ...]]:
        """By build, the identities of the workers that poll these task queues, or have done so lately; a call each."""
        now = datetime.now(timezone.utc)
        asked = [self.pollers(queue.name, TYPES[queue.kind]) for queue in queues if queue.kind in TYPES]
        found: dict[str, set[str]] = {}
        for poller in itertools.chain.from_iterable(await asyncio.gather(*asked)):
            if still_polls(poller, now, within) and poller.deployment_options.deployment_name == name:
                found.setdefault(poller.deployment_options.build_id, set()).add(poller.identity)
        return {build: tuple(sorted(identities)) for build, identities in found.items()}

    async def set_current(self, seen: Deployment, build: str | None, *, missing: bool, unpolled: bool) -> None:
        """Make a build current, if nothing has changed since `seen`."""
        service = self.client.workflow_service
        request = SetWorkerDeploymentCurrentVersionRequest(
            namespace=self.client.namespace,
            deployment_name=seen.name,
            build_id=build or "",
            conflict_token=seen.token,
            identity=self.client.identity,
            ignore_missing_task_queues=missing,
            allow_no_pollers=unpolled,
        )
        await self._change(seen, build, service.set_worker_deployment_current_version, request)

    async def set_ramping(
        self, seen: Deployment, build: str | None, percentage: float, *, missing: bool, unpolled: bool
    ) -> None:
        """Send a share to a build, if nothing has changed since `seen`; None and 0 end the ramp."""
        service = self.client.workflow_service
        request = SetWorkerDeploymentRampingVersionRequest(
            namespace=self.client.namespace,
            deployment_name=seen.name,
            build_id=build or "",
            percentage=percentage,
            conflict_token=seen.token,
            identity=self.client.identity,
            ignore_missing_task_queues=missing,
            allow_no_pollers=unpolled,
        )
        await self._change(seen, build, service.set_worker_deployment_ramping_version, request)

    async def _sure(self, method: Callable[..., Awaitable[T]], request: Any) -> T:
        try:
            return await self.call(method, request)
        except RPCError as error:
            if error.status in LACKING:
                raise self._lacking(error) from None
            raise

    async def _change(
        self, seen: Deployment, build: str | None, method: Callable[..., Awaitable[object]], request: Any
    ) -> None:
        try:
            await self._sure(method, request)
        except RPCError as error:
            if error.status == RPCStatusCode.NOT_FOUND and build is not None:
                raise unknown_build(seen, build) from None
            if "conflict token" in error.message:
                raise changed(seen, await self.deployment(seen.name)) from None
            raise DeploymentRefused(
                f"the server refuses {build_name(build)} for the deployment {seen.name}", details=[error.message]
            ) from None

    def _lacking(self, error: RPCError) -> CannotAsk:
        if error.status == RPCStatusCode.PERMISSION_DENIED and "Worker Deployment" not in error.message:
            return call_failed(self.client, error)
        address = self.client.service_client.config.target_host
        return CannotAsk(
            f"the Temporal server at {address} has no worker deployments in the namespace {self.client.namespace}",
            details=[error.message],
            hint="they need a newer server, or system.enableDeploymentVersions set to true on it",
        )


def unknown_build(seen: Deployment, build: str) -> BuildUnknown:
    """The error for a build that the deployment does not have."""
    return BuildUnknown(
        f"the deployment {seen.name} has no build {build}",
        details=[f"its builds: {', '.join(first_of(seen.builds)) or 'none'}"],
        hint=_nearest(build, seen.builds) or "a build is known once a worker of it has polled",
    )


def changed(seen: Deployment, now: Deployment) -> DeploymentChanged:
    """The error for a change that somebody else was ahead of."""
    by = f" by {now.last_modifier}" if now.last_modifier else ""
    return DeploymentChanged(
        f"the deployment {seen.name} was changed{by} in the meantime, so nothing was done",
        details=[f"before: {seen.routing}", f"now: {now.routing}"],
        hint="look at it again, and repeat the command if it is still wanted",
    )


def _unknown_deployment(name: str, namespace: str, names: Sequence[str]) -> DeploymentUnknown:
    return DeploymentUnknown(
        f"there is no deployment {name} in the namespace {namespace}",
        details=[f"there are: {', '.join(first_of(names))}"] if names else ["there is none at all"],
        hint=_nearest(name, names) or "a deployment is known once a worker of it has polled",
    )


def first_of(texts: Sequence[str]) -> list[str]:
    """The first of them, and how many more there are."""
    more = [f"and {len(texts) - NAMED:,} more"] if len(texts) > NAMED else []
    return [*texts[:NAMED], *more]


def _nearest(name: str, names: Sequence[str]) -> str:
    near = difflib.get_close_matches(name, names, n=1)
    return f"did you mean {near[0]}?" if near else ""
