"""The workflows of a user's module as the code of a replay, with the data converter and plugins of its workers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from temporalio.client import Client
from temporalio.converter import DataConverter
from temporalio.worker import Plugin

from ..client import Connection, find_target
from ..client.reading_client import reading_client
from ..introspection import Module, converters, find
from .errors import NothingToReplay
from .replayer import WorkflowCode


def find_workflows(spec: str, data_converter: str | None, plugins: Sequence[str]) -> Module:
    """Import a module that has workflows.

    Args:
        spec: The module, as `MODULE[:NAME]`.
        data_converter: Named as `MODULE:NAME`; in place of the module's own.
        plugins: Plugins of the SDK, each named as `MODULE:NAME`; in addition to the module's own.

    Raises:
        IntrospectionError: It cannot be used.
        NothingToReplay: It has no workflow.
    """
    module = converters.with_options(find(spec, make=False), data_converter, plugins)
    if not module.workflows:
        raise NothingToReplay(
            f"{spec} has no workflow", details=module.notes, hint="name the module of the workflow classes"
        )
    return module


async def connect_module(module: Module, connection: Connection) -> Client:
    """A client with the module's data converter and plugins.

    Raises:
        IntrospectionError: A plugin raises.
        CannotAsk: The server cannot be reached.
    """
    return await converters.connect_for(module, find_target(connection))


async def histories_client(module: Module, connection: Connection, client: Client) -> Client:
    """A client that reads histories in less time than `client` of the same server, if neither keys nor plugins matter.

    What it cannot read is read with `client`.
    """
    target = find_target(connection)
    if module.plugins or not target.plain:
        return client

    async def sdk() -> Client:
        return client

    metadata = target.connect.get("rpc_metadata", {})
    return await reading_client(target.address, target.namespace, metadata, sdk) or client


async def workflow_code(module: Module, client: Client | None) -> WorkflowCode:
    """The module's workflows, as a worker with this client would run them; None: without a server."""
    if client is not None:
        converter: DataConverter = client.data_converter
        given: Sequence[Any] = client.config()["plugins"]
    else:
        converter = await converters.converter_in_use(module) or DataConverter.default
        given = module.plugins
    plugins = [plugin for plugin in given if isinstance(plugin, Plugin)]
    plugins += [plugin for plugin in converters.worker_plugins(module) if plugin not in plugins]
    classes = [workflow.cls for workflow in module.workflows]
    return WorkflowCode.of_classes(classes, data_converter=converter, plugins=plugins)
