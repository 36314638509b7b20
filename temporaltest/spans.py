"""`temporal_spans`: what a workflow did as a tree of OpenTelemetry spans, to assert on."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from temporalio.client import WorkflowHandle

from devserver.spans import HistorySpan, spans_of

from .errors import SetupError

if TYPE_CHECKING:
    from .facade import Temporal


@dataclass(frozen=True)
class SpanTree:
    """The spans of one workflow over all its runs, and of its children.

    `str(tree)` is the tree by names, the earliest first, with the reason behind each error: made to be compared.
    """

    spans: tuple[HistorySpan, ...]

    @property
    def root(self) -> HistorySpan:
        """The workflow that was asked for, from its first run's start to its last run's end."""
        ids = {span.span_id for span in self.spans}
        return next(span for span in self.spans if span.parent_id not in ids)

    @property
    def errors(self) -> dict[str, str]:
        """The reason of each span that failed, by the span's name; of several of a name, the last one's."""
        return {span.name: span.error for span in self.spans if span.error is not None}

    def named(self, name: str) -> list[HistorySpan]:
        """The spans of that name, the earliest first: `activity charge`, `workflow Order`, `timer`."""
        return sorted((span for span in self.spans if span.name == name), key=_order)

    def one(self, name: str) -> HistorySpan:
        """The only span of that name.

        Raises:
            AssertionError: There is none, or more than one; the message has the tree.
        """
        found = self.named(name)
        if len(found) != 1:
            raise AssertionError(f"{len(found) or 'no'} spans are named {name!r}:\n{self}")
        return found[0]

    def children(self, span: HistorySpan) -> list[HistorySpan]:
        """What hangs right below a span, the earliest first."""
        return sorted((each for each in self.spans if each.parent_id == span.span_id), key=_order)

    def __str__(self) -> str:
        return "\n".join(self._lines(self.root, 0))

    def _lines(self, span: HistorySpan, depth: int) -> Iterator[str]:
        more = f": {span.error}" if span.error is not None else " (open)" if span.open else ""
        yield "  " * depth + span.name + more
        for each in self.children(span):
            yield from self._lines(each, depth + 1)


def _order(span: HistorySpan) -> tuple[Any, ...]:
    return (span.start, span.attributes.get("temporal.event_id", 0))


class Spans:
    """Reads histories of the test's namespace as spans: the same that `devserver trace --otlp` sends."""

    def __init__(self, temporal: Temporal) -> None:
        self._temporal = temporal

    def of(self, workflow: str | WorkflowHandle[Any, Any]) -> SpanTree:
        """The spans of a workflow, given by its handle or its id, as far as it has come. May be called in async tests.

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
