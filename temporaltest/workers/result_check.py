"""Fails a workflow that returns what it should have awaited, and finds the line that returns it."""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Callable
from typing import Any

from temporalio import client, worker, workflow

from devserver.replay import SourceLine


class ResultCheck(client.Interceptor, worker.Interceptor):
    """An interceptor for workflows; the SDK's own error names only lines of the JSON encoder."""

    def workflow_interceptor_class(
        self,
        input: worker.WorkflowInterceptorClassInput,  # noqa: A002 - the SDK's name
    ) -> type[worker.WorkflowInboundInterceptor]:
        """The SDK asks each interceptor for its class."""
        return _Inbound


class _Inbound(worker.WorkflowInboundInterceptor):
    async def execute_workflow(self, input: worker.ExecuteWorkflowInput) -> Any:  # noqa: A002 - the SDK's name
        result = await super().execute_workflow(input)
        if not inspect.isawaitable(result):
            return result
        if inspect.iscoroutine(result):
            result.close()
        with workflow.unsafe.sandbox_unrestricted():
            lines = return_lines(input.run_fn, calls=True)
        name = getattr(result, "__qualname__", type(result).__name__)
        where = "".join(f"\n  {line}" for line in lines)
        raise TypeError(
            f"{input.run_fn.__qualname__} returns {name}() itself, not its result: did you forget await?{where}"
        )


def return_lines(function: Callable[..., Any], *, calls: bool = False) -> list[SourceLine]:
    """The lines of a function that return something; with `calls`, only those that return a call without await."""
    code = inspect.unwrap(function).__code__
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(code)))
    except (OSError, SyntaxError, TypeError):
        return []
    returns = [node for node in ast.walk(tree) if isinstance(node, ast.Return) and node.value is not None]
    numbers = [node.lineno for node in returns if not calls or isinstance(node.value, (ast.Call, ast.Name))]
    return [SourceLine(code.co_filename, code.co_firstlineno + number - 1, code.co_name) for number in sorted(numbers)]
