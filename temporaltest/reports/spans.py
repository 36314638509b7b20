"""`temporal_spans`: a workflow's history as a tree of OpenTelemetry spans, for assertions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from temporalio.client import WorkflowHandle

from devserver.otel import SpanTree, spans_of

from ..errors import SetupError

if TYPE_CHECKING:
    from ..facade import Temporal


class Spans:
    """Histories of the test's namespace as spans, the same that `devserver trace --otlp` sends."""

    def __init__(self, temporal: Temporal) -> None:
        self._temporal = temporal

    def of(self, workflow: str | WorkflowHandle[Any, Any]) -> SpanTree:
        """The spans of a workflow so far, given by its handle or id. Async tests may call it too.

        Raises:
            SetupError: There is no such workflow.
        """
        run_id = "" if isinstance(workflow, str) else workflow.run_id or workflow.first_execution_run_id or ""
        workflow_id = workflow if isinstance(workflow, str) else workflow.id
        return self._temporal.run(self._read(workflow_id, run_id), f"the spans of {workflow_id}")

    async def _read(self, workflow_id: str, run_id: str) -> SpanTree:
        from devserver.errors import CannotAsk

        try:
            return SpanTree(tuple([span async for span in spans_of(self._temporal.client, workflow_id, run_id)]))
        except CannotAsk as error:
            raise SetupError(str(error)) from None
