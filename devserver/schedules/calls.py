"""Calls of the raw service about schedules, with errors of ours.

Raw, because the server reads calendars as users write them, which the SDK's own specs cannot hold.
"""

from __future__ import annotations

import re
import shlex
import uuid
from collections.abc import AsyncIterator, Awaitable
from datetime import datetime, timedelta, timezone
from typing import TypeVar

from google.protobuf.timestamp_pb2 import Timestamp
from temporalio.api.common.v1 import Memo, WorkflowExecution
from temporalio.api.enums.v1 import WorkflowExecutionStatus
from temporalio.api.schedule.v1 import Schedule, ScheduleListEntry, SchedulePatch
from temporalio.api.workflowservice.v1 import (
    CreateScheduleRequest,
    DeleteScheduleRequest,
    DescribeScheduleRequest,
    DescribeScheduleResponse,
    DescribeWorkflowExecutionRequest,
    ListScheduleMatchingTimesRequest,
    ListSchedulesRequest,
    PatchScheduleRequest,
)
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from ..client.call_errors import call_failed, namespace_missing, unreachable
from ..client.timestamps import to_datetime
from ..system.time_zones import zone_hint
from .errors import ScheduleExists, ScheduleRefused, ScheduleUnknown
from .overlap import Scheduler

T = TypeVar("T")

CALL_LIMIT = timedelta(seconds=10)
FAR = datetime(2200, 1, 1, tzinfo=timezone.utc)
MOST_TIMES = 1000
PAGE = 200
SPEC_HINT = (
    "a cron expression has five fields (minute hour day month weekday, '0 9 * * MON-FRI'), or is @hourly, @daily, "
    "'@every 5m'; an interval is at least 1s"
)
WORKFLOW_PREFIX, WORKFLOW_TYPE = "temporal-sys-scheduler:", "temporal-sys-scheduler-workflow"


class ScheduleCalls:
    """One client's calls about schedules. Each raises `CannotAsk` where the server gives no answer."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self._service = client.workflow_service
        self._namespace = client.namespace

    async def create(self, schedule_id: str, schedule: Schedule, memo: Memo | None = None) -> None:
        """Make a schedule.

        Raises:
            ScheduleExists: There is one of that id.
            ScheduleRefused: The server does not take it; says why.
        """
        request = CreateScheduleRequest(
            namespace=self._namespace,
            schedule_id=schedule_id,
            schedule=schedule,
            memo=memo,
            identity=self.client.identity,
            request_id=str(uuid.uuid4()),
        )
        await self._ask(schedule_id, self._service.create_schedule(request, retry=True, timeout=CALL_LIMIT))

    async def describe(self, schedule_id: str) -> DescribeScheduleResponse:
        """A schedule as the server describes it.

        Raises:
            ScheduleUnknown: There is none.
        """
        request = DescribeScheduleRequest(namespace=self._namespace, schedule_id=schedule_id)
        return await self._ask(schedule_id, self._service.describe_schedule(request, retry=True, timeout=CALL_LIMIT))

    async def patch(self, schedule_id: str, patch: SchedulePatch) -> None:
        """Pause, unpause, trigger or backfill it.

        Raises:
            ScheduleUnknown: There is none.
        """
        request = PatchScheduleRequest(
            namespace=self._namespace,
            schedule_id=schedule_id,
            patch=patch,
            identity=self.client.identity,
            request_id=str(uuid.uuid4()),
        )
        await self._ask(schedule_id, self._service.patch_schedule(request, retry=True, timeout=CALL_LIMIT))

    async def delete(self, schedule_id: str) -> None:
        """Delete it; runs that are open go on.

        Raises:
            ScheduleUnknown: There is none.
        """
        request = DeleteScheduleRequest(
            namespace=self._namespace, schedule_id=schedule_id, identity=self.client.identity
        )
        await self._ask(schedule_id, self._service.delete_schedule(request, retry=True, timeout=CALL_LIMIT))

    async def listed(self, query: str, page: int = PAGE) -> AsyncIterator[ScheduleListEntry]:
        """The schedules that fit a query, as the server orders them, at most `page` in a call.

        Raises:
            ScheduleRefused: The server does not understand the query.
        """
        request = ListSchedulesRequest(namespace=self._namespace, query=query, maximum_page_size=min(page, PAGE))
        while True:
            answer = await self._ask(query, self._service.list_schedules(request, retry=True, timeout=CALL_LIMIT))
            for entry in answer.schedules:
                yield entry
            if not answer.next_page_token:
                return
            request.next_page_token = answer.next_page_token

    async def due(self, schedule_id: str, after: datetime, until: datetime | None = None) -> tuple[datetime, ...]:
        """When it is due, later than `after` and not later than `until`, in UTC: the first 1,000 times at most.

        Raises:
            ScheduleUnknown: There is no such schedule.
        """
        request = ListScheduleMatchingTimesRequest(
            namespace=self._namespace,
            schedule_id=schedule_id,
            start_time=to_timestamp(after),
            end_time=to_timestamp(until or max(after, FAR)),
        )
        answer = await self._ask(
            schedule_id, self._service.list_schedule_matching_times(request, retry=True, timeout=CALL_LIMIT)
        )
        return tuple(to_datetime(each) for each in answer.start_time)

    async def scheduler(self, schedule_id: str) -> Scheduler:
        """Which of the server's two schedulers keeps it: the older one runs a workflow for each schedule."""
        execution = WorkflowExecution(workflow_id=WORKFLOW_PREFIX + schedule_id)
        request = DescribeWorkflowExecutionRequest(namespace=self._namespace, execution=execution)
        try:
            answer = await self._service.describe_workflow_execution(request, timeout=CALL_LIMIT)
        except RPCError as error:
            return "chasm" if error.status == RPCStatusCode.NOT_FOUND else "workflow"
        info = answer.workflow_execution_info
        running = info.status == WorkflowExecutionStatus.WORKFLOW_EXECUTION_STATUS_RUNNING
        return "workflow" if running and info.type.name == WORKFLOW_TYPE else "chasm"

    async def _ask(self, what: str, call: Awaitable[T]) -> T:
        try:
            return await call
        except RuntimeError as error:  # how the SDK says that it could not connect in the first place
            raise unreachable(self.client.service_client.config.target_host, str(error)) from None
        except RPCError as error:
            raise self._ours(what, error) from None

    def _ours(self, what: str, error: RPCError) -> Exception:
        if error.status == RPCStatusCode.ALREADY_EXISTS:
            return ScheduleExists(
                f"there is already a schedule {what} in the namespace {self._namespace}",
                hint=f"delete it first (devserver schedule delete {shlex.quote(what)}), or choose another id",
            )
        if error.status == RPCStatusCode.NOT_FOUND and not namespace_missing(error):
            return ScheduleUnknown(
                f"there is no schedule {what} in the namespace {self._namespace}",
                hint="devserver schedule list shows those that there are",
            )
        if error.status == RPCStatusCode.INVALID_ARGUMENT:
            return _refused(error)
        return call_failed(self.client, error)


def _refused(error: RPCError) -> ScheduleRefused:
    said = error.message.removeprefix("Invalid schedule spec: ")
    zone = re.search(r"unknown time zone (.+)", said)
    if zone:
        return ScheduleRefused(f"the server knows no time zone {zone[1]}", hint=zone_hint(zone[1]))
    spec = said != error.message
    return ScheduleRefused(f"the server refuses this: {said}", hint=SPEC_HINT if spec else None)


def to_timestamp(when: datetime) -> Timestamp:
    """As the server takes it."""
    made = Timestamp()
    made.FromDatetime(when.astimezone(timezone.utc))
    return made
