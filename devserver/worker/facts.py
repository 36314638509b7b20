"""What a worker works on, and how work comes to it, as facts for people and machines."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from temporalio.client import Client

from ..client.target import Target
from . import nexus
from .config import Wanted

if TYPE_CHECKING:
    from ..introspection import Module


async def facts(client: Client, module: Module, wanted: Wanted, target: Target) -> dict[str, Any]:
    """They are plain data. A Nexus endpoint that is wanted is made.

    Raises:
        RunError: The endpoint leads elsewhere.
        CannotAsk: The server gives no answer.
    """
    from ..instances.dev_server import DevServer

    queue = wanted.queue(module)
    if wanted.nexus_endpoint:
        await nexus.ensure(client, wanted.nexus_endpoint, queue)
    return {
        "module": module.name,
        "file": str(module.file) if module.file else None,
        "task_queue": queue,
        "address": target.address,
        "namespace": target.namespace,
        "instance": target.name,
        "ui_url": DevServer.attach(target.name).ui_url if target.name else None,
        "workflows": [each.label for each in module.workflows],
        "activities": [each.label for each in module.activities],
        "nexus_services": [each.label for each in module.nexus_services],
        "nexus_endpoints": await nexus.leading_to(client, queue) if module.nexus_services else [],
        "plugins": [each.name() for each in module.plugins],
        "version": await _version(client, module, wanted),
        "notes": list(module.notes),
    }


async def _version(client: Client, module: Module, wanted: Wanted) -> dict[str, Any] | None:
    """The Worker Deployment Version, and whether new workflows come to it."""
    from ..deployments import find_deployment
    from ..errors import DevServerError

    if wanted.build is None:
        return None
    name = wanted.deployment_of(module)
    try:
        routing = (await find_deployment(client, name)).routing
        current = wanted.build in (routing.current, routing.ramping)
    except DevServerError:  # as before its first worker
        current = False
    return {"deployment": name, "build": wanted.build, "behavior": wanted.behavior, "current": current}
