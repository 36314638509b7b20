"""Where a test lives: in a namespace of its own, or in a corner of one that it shares with others."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from temporalio import client as sdk
from temporalio.client import Client

from ..errors import NotSupported
from . import namespaces
from .start import TASK_QUEUE

if TYPE_CHECKING:
    from ..backends import Endpoint
    from ..marker import Wishes


@dataclass(frozen=True)
class Tenancy:
    """A namespace, and what keeps tests in it apart: their task queue, and the beginning of their workflows' ids."""

    namespace: str
    task_queue: str = TASK_QUEUE
    id_prefix: str = ""
    shared: bool = False

    def confined(self, options: Mapping[str, Any]) -> dict[str, Any]:
        """The options of a client whose lists show this test's workflows only."""
        confined = {**options, "namespace": self.namespace}
        if self.shared:
            confined["interceptors"] = [*options["interceptors"], _Corner(f"TaskQueue = '{self.task_queue}'")]
        return confined


async def settle(base: Client, endpoint: Endpoint, test: str, wishes: Wishes) -> Tenancy:
    """A place for a test.

    Raises:
        namespaces.Refused: The server makes us no namespace.
        NotSupported: The shared namespace is not as the test wishes.
        SetupError: Temporal refuses what the test wishes.
    """
    unique = namespaces.name_for(test)
    if endpoint.namespace is None:
        await namespaces.create(base, unique, retention=wishes.retention, search_attributes=wishes.search_attributes)
        return Tenancy(unique)
    await _require(base, endpoint.namespace, wishes)
    return Tenancy(endpoint.namespace, f"{TASK_QUEUE}-{unique}", f"{unique}-", shared=True)


async def _require(base: Client, namespace: str, wishes: Wishes) -> None:
    if wishes.retention != type(wishes)().retention:
        raise NotSupported(f"no retention of a test's own here: all tests share the namespace {namespace}")
    if not wishes.search_attributes:
        return
    there = await namespaces.search_attributes_of(base, namespace)
    for name, kind in wishes.search_attributes.items():
        if there.get(name) != namespaces.type_of(kind):
            raise NotSupported(
                f"the namespace {namespace}, which all tests share, has no search attribute {name}={kind}"
            )


def narrowing(client: Client) -> str:
    """The query that a client's lists are narrowed to; empty where they are not."""
    return next((each.query for each in client.config()["interceptors"] if isinstance(each, _Corner)), "")


class _Corner(sdk.Interceptor):
    """Narrows lists and counts to one query."""

    def __init__(self, query: str) -> None:
        self.query = query

    def intercept_client(self, next: sdk.OutboundInterceptor) -> sdk.OutboundInterceptor:  # noqa: A002 - the SDK's name
        """The SDK asks each interceptor for its link of the chain."""
        return _Narrowed(next, self.query)


class _Narrowed(sdk.OutboundInterceptor):
    def __init__(self, next: sdk.OutboundInterceptor, query: str) -> None:  # noqa: A002 - the SDK's name
        super().__init__(next)
        self._query = query

    def list_workflows(self, input: sdk.ListWorkflowsInput) -> sdk.WorkflowExecutionAsyncIterator:  # noqa: A002
        input.query = f"{self._query} AND ({input.query})" if input.query else self._query
        return super().list_workflows(input)
