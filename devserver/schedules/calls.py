"""The service's calls about schedules, with errors for schedules that exist, are unknown, or are refused.

They use the raw service: the server parses calendars as users write them, which the SDK's own specs cannot hold.
"""

from __future__ import annotations

import re
import shlex
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import datetime, timezone
from typing import Any, TypeVar

from temporalio.api.common.v1 import Memo
from temporalio.api.schedule.v1 import Schedule, ScheduleListEntry, SchedulePatch
from temporalio.api.workflowservice.v1 import (
    CreateScheduleRequest,
    DeleteScheduleRequest,
    DescribeScheduleRequest,
    DescribeScheduleResponse,
    ListScheduleMatchingTimesRequest,
    ListSchedulesRequest,
    PatchScheduleRequest,
    UpdateScheduleRequest,
)
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from ..client.calls import PAGE_SIZE, REFUSALS, ServiceCalls
from ..client.retries import SDK
from ..client.statuses import RUNNING
from ..client.timestamps import to_datetime, to_timestamp
from ..errors import CannotAsk
from ..system.time_zones import zone_hint
from .errors import ScheduleExists, ScheduleRefused, ScheduleUnknown
from .overlap import Scheduler

T = TypeVar("T")

FAR_FUTURE = datetime(2200, 1, 1, tzinfo=timezone.utc)
MAX_TIMES = 1000
SPEC_HINT = (
    "a cron expression has five fields (minute hour day month weekday, such as '0 9 * * MON-FRI'), or is @hourly, "
    "@daily or '@every 5m'; an interval is at least 1s"
)
WORKFLOW_PREFIX, WORKFLOW_TYPE = "temporal-sys-scheduler:", "temporal-sys-scheduler-workflow"


class ScheduleCalls(ServiceCalls):
    """One client's calls about schedules. Every call raises `CannotAsk` if the server does not answer."""

    refusals = (*REFUSALS, RPCStatusCode.ALREADY_EXISTS)

    def __init__(self, client: Client) -> None:
        super().__init__(client, retries=SDK)

    async def create(self, schedule_id: str, schedule: Schedule, memo: Memo | None = None) -> None:
        """Create a schedule.

        Raises:
            ScheduleExists: A schedule with that id exists.
            ScheduleRefused: The server refuses it; the message has its reason.
        """
        request = CreateScheduleRequest(
            namespace=self.client.namespace,
            schedule_id=schedule_id,
            schedule=schedule,
            memo=memo,
            identity=self.client.identity,
            request_id=str(uuid.uuid4()),
        )
        await self._about(schedule_id, self.client.workflow_service.create_schedule, request)

    async def update(self, schedule_id: str, schedule: Schedule, conflict_token: bytes) -> None:
        """Replace a schedule, unless it has changed since it was described.

        Raises:
            ScheduleUnknown: The schedule does not exist.
            ScheduleRefused: The server refuses it; the message has its reason.
        """
        request = UpdateScheduleRequest(
            namespace=self.client.namespace,
            schedule_id=schedule_id,
            schedule=schedule,
            conflict_token=conflict_token,
            identity=self.client.identity,
            request_id=str(uuid.uuid4()),
        )
        await self._about(schedule_id, self.client.workflow_service.update_schedule, request)

    async def describe(self, schedule_id: str) -> DescribeScheduleResponse:
        """Describe a schedule.

        Raises:
            ScheduleUnknown: The schedule does not exist.
        """
        request = DescribeScheduleRequest(namespace=self.client.namespace, schedule_id=schedule_id)
        return await self._about(schedule_id, self.client.workflow_service.describe_schedule, request)

    async def patch(self, schedule_id: str, patch: SchedulePatch) -> None:
        """Pause, unpause, trigger or backfill a schedule.

        Raises:
            ScheduleUnknown: The schedule does not exist.
        """
        request = PatchScheduleRequest(
            namespace=self.client.namespace,
            schedule_id=schedule_id,
            patch=patch,
            identity=self.client.identity,
            request_id=str(uuid.uuid4()),
        )
        await self._about(schedule_id, self.client.workflow_service.patch_schedule, request)

    async def delete(self, schedule_id: str) -> None:
        """Delete a schedule; open runs continue.

        Raises:
            ScheduleUnknown: The schedule does not exist.
        """
        request = DeleteScheduleRequest(
            namespace=self.client.namespace, schedule_id=schedule_id, identity=self.client.identity
        )
        await self._about(schedule_id, self.client.workflow_service.delete_schedule, request)

    async def list(self, query: str, page_size: int = PAGE_SIZE) -> AsyncIterator[ScheduleListEntry]:
        """The schedules that match a list filter, in the server's order, at most `page_size` in one call.

        Raises:
            ScheduleRefused: The server refuses the filter.
        """
        size = min(page_size, PAGE_SIZE)
        request = ListSchedulesRequest(namespace=self.client.namespace, query=query, maximum_page_size=size)
        try:
            async for page in self.pages(self.client.workflow_service.list_schedules, request):
                for entry in page.schedules:
                    yield entry
        except RPCError as error:
            raise _refused(error) from None

    async def matching_times(
        self, schedule_id: str, after: datetime, until: datetime | None = None
    ) -> tuple[datetime, ...]:
        """The first 1,000 times later than `after` and not later than `until` at which a schedule is due, in UTC.

        Raises:
            ScheduleUnknown: The schedule does not exist.
        """
        request = ListScheduleMatchingTimesRequest(
            namespace=self.client.namespace,
            schedule_id=schedule_id,
            start_time=to_timestamp(after),
            end_time=to_timestamp(until or max(after, FAR_FUTURE)),
        )
        service = self.client.workflow_service
        response = await self._about(schedule_id, service.list_schedule_matching_times, request)
        return tuple(to_datetime(time) for time in response.start_time)

    async def scheduler(self, schedule_id: str) -> Scheduler:
        """Which of the server's two schedulers handles a schedule: the older one runs a workflow for it."""
        try:
            found = await self.describe_workflow(WORKFLOW_PREFIX + schedule_id)
        except CannotAsk:
            return "workflow"
        if found is None:
            return "chasm"
        info = found.workflow_execution_info
        return "workflow" if info.status == RUNNING and info.type.name == WORKFLOW_TYPE else "chasm"

    async def _about(self, schedule_id: str, method: Callable[..., Awaitable[T]], request: Any) -> T:
        """The answer of a call about one schedule."""
        try:
            return await self.call(method, request)
        except RPCError as error:
            raise self._schedule_error(schedule_id, error) from None

    def _schedule_error(self, schedule_id: str, error: RPCError) -> Exception:
        if error.status == RPCStatusCode.ALREADY_EXISTS:
            return ScheduleExists(
                f"the namespace {self.client.namespace} already has a schedule {schedule_id}",
                hint=f"choose another id, or delete it first: devserver schedule delete {shlex.quote(schedule_id)}",
            )
        if error.status == RPCStatusCode.NOT_FOUND:
            return ScheduleUnknown(
                f"the namespace {self.client.namespace} has no schedule {schedule_id}",
                hint="list the schedules: devserver schedule list",
            )
        return _refused(error)


def _refused(error: RPCError) -> ScheduleRefused:
    reason = error.message.removeprefix("Invalid schedule spec: ")
    zone = re.search(r"unknown time zone (.+)", reason)
    if zone:
        return ScheduleRefused(f"the server does not know the time zone {zone[1]}", hint=zone_hint(zone[1]))
    if reason.startswith("CronString "):
        return ScheduleRefused(f"invalid cron expression: it {reason.removeprefix('CronString ')}", hint=SPEC_HINT)
    if reason != error.message:
        return ScheduleRefused(f"invalid schedule times: {reason}", hint=SPEC_HINT)
    return ScheduleRefused(f"the server refuses the request: {reason}")
