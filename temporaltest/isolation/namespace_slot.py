"""The part of a server that one test uses: a namespace of its own, or a task queue and id prefix in a shared one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from temporalio.client import Client

from ..errors import NotSupported
from ..requirements import Requirements
from ..workflows.listing import ListFilter
from ..workflows.start import TASK_QUEUE
from . import namespaces

if TYPE_CHECKING:
    from ..backends.endpoint import ServerEndpoint


@dataclass(frozen=True)
class NamespaceSlot:
    """A namespace with the task queue and the prefix of workflow ids that separate the tests in it."""

    namespace: str
    task_queue: str = TASK_QUEUE
    id_prefix: str = ""
    shared: bool = False

    def confined(self, options: Mapping[str, Any]) -> dict[str, Any]:
        """Client options whose lists show this test's workflows only."""
        confined = {**options, "namespace": self.namespace}
        if self.shared:
            confined["interceptors"] = [*options["interceptors"], ListFilter(f"TaskQueue = '{self.task_queue}'")]
        return confined


async def reserve(
    client: Client, endpoint: ServerEndpoint, test: str, requirements: Requirements, limit: float
) -> NamespaceSlot:
    """Create a namespace for a test, within `limit` seconds, or reserve a part of the one that all tests share.

    Raises:
        namespaces.NamespaceNotAllowed: The server does not allow new namespaces.
        namespaces.NamespaceTaken: Another test has the namespace that is required.
        NotSupported: The shared namespace does not meet the requirements.
        SetupError: Temporal rejects the requirements.
    """
    name = requirements.namespace or namespaces.name_for(test)
    if endpoint.namespace is None:
        if requirements.namespace is not None:
            await namespaces.claim(client, name)
        await namespaces.create(
            client,
            name,
            retention=requirements.retention,
            search_attributes=requirements.search_attributes,
            limit=limit,
            claimed=requirements.namespace is not None,
        )
        return NamespaceSlot(name)
    await _check_shared(client, endpoint.namespace, requirements)
    return NamespaceSlot(endpoint.namespace, f"{TASK_QUEUE}-{name}", f"{name}-", shared=True)


async def _check_shared(client: Client, namespace: str, requirements: Requirements) -> None:
    if requirements.retention != Requirements().retention:
        raise NotSupported(f"a test cannot set its own retention here: all tests share the namespace {namespace}")
    if not requirements.search_attributes:
        return
    existing = await namespaces.search_attributes_of(client, namespace)
    for name, kind in requirements.search_attributes.items():
        if existing.get(name) != namespaces.type_of(kind):
            raise NotSupported(
                f"the namespace {namespace}, which all tests share, has no search attribute {name}={kind}"
            )
