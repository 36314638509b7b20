"""A fresh namespace for each test, and what is left to do with it afterwards."""

from __future__ import annotations

import asyncio
import re
import time
import uuid
from collections.abc import Mapping
from datetime import timedelta

from google.protobuf.duration_pb2 import Duration
from temporalio.api.enums.v1 import IndexedValueType
from temporalio.api.operatorservice.v1 import AddSearchAttributesRequest, ListSearchAttributesRequest
from temporalio.api.workflowservice.v1 import ListWorkflowExecutionsRequest, RegisterNamespaceRequest
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from .errors import SetupError, WaitTimeout

READY_SECONDS = 10.0
POLL_SECONDS = 0.002
CLEAN_SECONDS = 2.0
CLEAN_AT_ONCE = 50
TYPES = {
    "Text": IndexedValueType.INDEXED_VALUE_TYPE_TEXT,
    "Keyword": IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD,
    "Int": IndexedValueType.INDEXED_VALUE_TYPE_INT,
    "Double": IndexedValueType.INDEXED_VALUE_TYPE_DOUBLE,
    "Bool": IndexedValueType.INDEXED_VALUE_TYPE_BOOL,
    "Datetime": IndexedValueType.INDEXED_VALUE_TYPE_DATETIME,
    "KeywordList": IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD_LIST,
}


def name_for(test: str) -> str:
    """A namespace's name for a test: readable, and never used twice."""
    readable = re.sub(r"[^A-Za-z0-9]+", "-", test).strip("-").lower()[:60]
    return f"{readable or 'test'}-{uuid.uuid4().hex[:12]}"


async def create(client: Client, name: str, *, retention: timedelta, search_attributes: Mapping[str, str]) -> None:
    """Make the namespace `name` and wait until it answers and knows its search attributes.

    Raises:
        SetupError: A search attribute's type is unknown, or Temporal refuses it.
    """
    period = Duration()
    period.FromTimedelta(retention)
    request = RegisterNamespaceRequest(namespace=name, workflow_execution_retention_period=period)
    await client.workflow_service.register_namespace(request)
    query = ""
    if search_attributes:
        await _until_it_answers(client, name, "")
        await _add(client, name, search_attributes)
        query = " AND ".join(f"{attribute} IS NULL" for attribute in search_attributes)
    await _until_it_answers(client, name, query)


async def _add(client: Client, name: str, search_attributes: Mapping[str, str]) -> None:
    unknown = sorted(set(search_attributes.values()) - set(TYPES))
    if unknown:
        raise SetupError(f"no search attribute has the type {unknown[0]!r}; types: {', '.join(TYPES)}")
    request = AddSearchAttributesRequest(namespace=name)
    for attribute, kind in search_attributes.items():
        request.search_attributes[attribute] = TYPES[kind]
    try:
        await client.operator_service.add_search_attributes(request)
    except RPCError as error:
        raise SetupError(
            f"Temporal refuses the search attributes {dict(search_attributes)}: {error.message}\n"
            "a namespace has at most 10 of type Keyword and 3 of each other type"
        ) from error


async def _until_it_answers(client: Client, name: str, query: str) -> None:
    request = ListWorkflowExecutionsRequest(namespace=name, page_size=1, query=query)
    deadline = time.monotonic() + READY_SECONDS
    while True:
        try:
            await client.workflow_service.list_workflow_executions(request)
            return
        except RPCError as error:
            if time.monotonic() > deadline:
                raise WaitTimeout(f"the namespace {name} did not answer within {READY_SECONDS:g} s: {error}") from error
            if error.status not in (RPCStatusCode.NOT_FOUND, RPCStatusCode.INVALID_ARGUMENT, RPCStatusCode.UNAVAILABLE):
                raise
        await asyncio.sleep(POLL_SECONDS)


async def search_attributes_of(client: Client, name: str) -> dict[str, int]:
    """The custom search attributes of a namespace."""
    answer = await client.operator_service.list_search_attributes(ListSearchAttributesRequest(namespace=name))
    return dict(answer.custom_attributes)


async def clean(client: Client) -> None:
    """Terminate what is open in the client's namespace: as much as is done in two seconds, and without a word else.

    Open workflows whose timers go on would keep a shared server busy.
    """
    try:
        await asyncio.wait_for(_terminate_open(client), CLEAN_SECONDS)
    except (asyncio.TimeoutError, RPCError):
        return


async def _terminate_open(client: Client) -> None:
    limit = asyncio.Semaphore(CLEAN_AT_ONCE)

    async def end(workflow_id: str, run_id: str) -> None:
        async with limit:
            try:
                await client.get_workflow_handle(workflow_id, run_id=run_id).terminate("the test is over")
            except RPCError:
                return

    found = client.list_workflows("ExecutionStatus = 'Running'")
    await asyncio.gather(*[end(each.id, each.run_id) async for each in found])
