"""A service client whose long polls for results end at the limit of a wait.

The SDK polls for the results of updates, standalone activities and Nexus operations past client interceptors.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from temporalio.service import RPCError, RPCStatusCode, ServiceClient

from .awaited import Awaited
from .wait_guard import WaitGuard


class ForwardedCalls(ServiceClient):
    """The calls of `inner`; a subclass changes some."""

    def __init__(self, inner: ServiceClient) -> None:
        super().__init__(inner.config)
        self.inner = inner

    @property
    def worker_service_client(self) -> Any:
        """The client that workers use; the SDK asks for it."""
        return self.inner.worker_service_client

    def update_rpc_metadata(self, metadata: Mapping[str, str | bytes]) -> None:
        """Change the metadata of every call."""
        self.inner.update_rpc_metadata(metadata)

    def update_api_key(self, api_key: str | None) -> None:
        """Change the API key of every call."""
        self.inner.update_api_key(api_key)


class BoundedPolls(ForwardedCalls):
    """The calls of `inner`, with limits from `guard` for those that wait for a result."""

    def __init__(self, inner: ServiceClient, guard: WaitGuard) -> None:
        super().__init__(inner)
        self._guard = guard
        self._deadlines: dict[int, tuple[Any, float]] = {}  # the SDK repeats a poll with the same request

    async def _rpc_call(self, rpc: str, req: Any, resp_type: Any, **options: Any) -> Any:
        call = self.inner._rpc_call(rpc, req, resp_type, **options)
        waited_for = _waited_for(rpc, req)
        if waited_for is None:
            return await call
        description, target = waited_for
        _, until = self._deadlines.setdefault(id(req), (req, time.monotonic() + self._guard.limit))
        ended = True
        try:
            answer = await self._guard.wait(call, description, until=until, target=target, advances=rpc == UPDATE_POLL)
            ended = answer.WhichOneof("outcome") is not None if rpc == NEXUS_POLL else answer.HasField("outcome")
        except RPCError as error:
            ended = error.status != RPCStatusCode.DEADLINE_EXCEEDED
            raise
        finally:
            if ended:
                self._deadlines.pop(id(req), None)
        return answer


UPDATE_POLL = "poll_workflow_execution_update"
ACTIVITY_POLL = "poll_activity_execution"
NEXUS_POLL = "poll_nexus_operation_execution"


def _waited_for(rpc: str, req: Any) -> tuple[str, Awaited | None] | None:
    if rpc == UPDATE_POLL:
        run, update = req.update_ref.workflow_execution, req.update_ref.update_id
        target = Awaited(run.workflow_id, run.run_id, update, is_call=True)
        return f"the update {update} of the workflow {run.workflow_id}", target
    if rpc == ACTIVITY_POLL:
        return f"the activity {req.activity_id}", Awaited(activity_id=req.activity_id, run_id=req.run_id)
    return (f"the Nexus operation {req.operation_id}", None) if rpc == NEXUS_POLL else None
