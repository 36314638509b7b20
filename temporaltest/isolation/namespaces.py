"""A new namespace for each test: create it with its search attributes, wait until it answers."""

from __future__ import annotations

import asyncio
import re
import time
import uuid
from collections.abc import Mapping
from datetime import timedelta

from google.protobuf.duration_pb2 import Duration
from temporalio.api.enums.v1 import IndexedValueType
from temporalio.api.operatorservice.v1 import (
    AddSearchAttributesRequest,
    ListSearchAttributesRequest,
)
from temporalio.api.workflowservice.v1 import ListWorkflowExecutionsRequest, RegisterNamespaceRequest
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from ..errors import SetupError, WaitTimeout

POLL_SECONDS = 0.002
LONGEST_PAUSE_SECONDS = 0.1
PAUSE_FACTOR = 1.2
TYPES = {
    "Text": IndexedValueType.INDEXED_VALUE_TYPE_TEXT,
    "Keyword": IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD,
    "Int": IndexedValueType.INDEXED_VALUE_TYPE_INT,
    "Double": IndexedValueType.INDEXED_VALUE_TYPE_DOUBLE,
    "Bool": IndexedValueType.INDEXED_VALUE_TYPE_BOOL,
    "Datetime": IndexedValueType.INDEXED_VALUE_TYPE_DATETIME,
    "KeywordList": IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD_LIST,
}
# A new namespace is not known everywhere at once; who asks too often for long is refused.
NOT_YET = (
    *(RPCStatusCode.NOT_FOUND, RPCStatusCode.INVALID_ARGUMENT),
    *(RPCStatusCode.UNAVAILABLE, RPCStatusCode.RESOURCE_EXHAUSTED),
)
NOT_ALLOWED = (RPCStatusCode.PERMISSION_DENIED, RPCStatusCode.UNIMPLEMENTED)


DEFAULT = "default"
DEFAULT_TAKEN = "default-is-taken"


class NamespaceNotAllowed(Exception):
    """The server does not allow new namespaces; the message is the server's."""


class NamespaceTaken(Exception):
    """Another test has the namespace of that name."""


def name_for(test: str) -> str:
    """A name for the namespace of a test: readable, and never used twice."""
    readable = re.sub(r"[^A-Za-z0-9]+", "-", test).strip("-").lower()[:60]
    return f"{readable or 'test'}-{uuid.uuid4().hex[:12]}"


async def claim(client: Client, name: str) -> None:
    """Reserve the name of a namespace for one test, for as long as the server runs; `create` can use it afterwards.

    Raises:
        NamespaceTaken: Another test has it.
        NamespaceNotAllowed: The server does not allow new namespaces.
    """
    try:
        # Every server has the default namespace: another one marks that it is taken.
        await _register(client, DEFAULT_TAKEN if name == DEFAULT else name, timedelta(days=1))
    except RPCError as error:
        if error.status == RPCStatusCode.ALREADY_EXISTS:
            raise NamespaceTaken(name) from None
        raise


async def create(
    client: Client,
    name: str,
    *,
    retention: timedelta,
    search_attributes: Mapping[str, str],
    limit: float,
    claimed: bool = False,
) -> None:
    """Create the namespace `name`, unless it was `claimed`; wait until it answers and knows its search attributes.

    Raises:
        WaitTimeout: That took more than `limit` seconds.
        NamespaceNotAllowed: The server does not allow new namespaces.
        SetupError: A search attribute's type is unknown, or Temporal rejects the retention or an attribute.
    """
    kinds = {attribute: type_of(kind) for attribute, kind in search_attributes.items()}
    deadline = time.monotonic() + limit
    if not claimed:
        await _register(client, name, retention)
    answering = f"the namespace {name} did not answer within {limit:g} s"
    await _until_it_answers(client, name, "", deadline, answering)
    if search_attributes:
        await _add(client, name, kinds)
        query = " AND ".join(f"{attribute} IS NULL" for attribute in search_attributes)
        wanted = ", ".join(f"{attribute} ({kind})" for attribute, kind in search_attributes.items())
        late = f"the namespace {name} did not have its search attributes {wanted} within {limit:g} s"
        await _until_it_answers(client, name, query, deadline, late)


def type_of(kind: str) -> IndexedValueType.ValueType:
    """The search attribute type with this name.

    Raises:
        SetupError: There is none; the message lists the types.
    """
    if kind not in TYPES:
        raise SetupError(f"unknown search attribute type {kind!r} (valid: {', '.join(TYPES)})")
    return TYPES[kind]


async def _register(client: Client, name: str, retention: timedelta) -> None:
    period = Duration()
    period.FromTimedelta(retention)
    request = RegisterNamespaceRequest(namespace=name, workflow_execution_retention_period=period)
    try:
        await client.workflow_service.register_namespace(request, retry=True)
    except RPCError as error:
        if error.status in NOT_ALLOWED:
            raise NamespaceNotAllowed(error.message) from None
        if error.status == RPCStatusCode.INVALID_ARGUMENT:
            raise SetupError(f"Temporal rejects a namespace with a retention of {retention}: {error.message}") from None
        raise


async def _add(client: Client, name: str, kinds: Mapping[str, IndexedValueType.ValueType]) -> None:
    request = AddSearchAttributesRequest(namespace=name)
    for attribute, kind in kinds.items():
        request.search_attributes[attribute] = kind
    try:
        await client.operator_service.add_search_attributes(request)
    except RPCError as error:
        raise SetupError(
            f"Temporal rejects the search attributes {', '.join(kinds)}: {error.message}{_hint(error.message)}"
        ) from error


def _hint(message: str) -> str:
    if "reserved by system" in message:
        return "\nTemporal uses this name itself, as it does every name that begins with Temporal: choose another"
    limited = "cannot have more than" in message
    return "\na namespace has at most 10 of type Keyword and 3 of each other type" if limited else ""


async def _until_it_answers(client: Client, name: str, query: str, deadline: float, late: str) -> None:
    request = ListWorkflowExecutionsRequest(namespace=name, page_size=1, query=query)
    pause = POLL_SECONDS
    while True:
        try:
            await client.workflow_service.list_workflow_executions(request)
            return
        except RPCError as error:
            if time.monotonic() > deadline:
                raise WaitTimeout(f"{late}: {error}") from error
            if error.status not in NOT_YET:
                raise
        await asyncio.sleep(pause)
        pause = min(pause * PAUSE_FACTOR, LONGEST_PAUSE_SECONDS)


async def search_attributes_of(client: Client, name: str) -> dict[str, IndexedValueType.ValueType]:
    """The custom search attributes of a namespace."""
    answer = await client.operator_service.list_search_attributes(ListSearchAttributesRequest(namespace=name))
    return dict(answer.custom_attributes)
