"""`devserver wait`: returns when a server is ready, for scripts and health checks."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import click

from ..client.connection import Connection
from ..client.target import find_target, managed_name
from ..config.option_values import check_name
from ..errors import OptionError
from ..instances.folder import InstanceFolder
from ..instances.waiting import wait_until_ready
from ..system.paths import Paths
from .options.common import json_option, quiet_option, timeout_option
from .options.connection import connection_options
from .render.output import echo_form
from .render.terminal import clean


@click.command()
@click.argument("instance", metavar="[NAME]", required=False)
@timeout_option("30s", "How long to wait; 0 asks once.")
@connection_options
@quiet_option
@json_option
def wait(instance: str | None, timeout: float, connection: Connection, quiet: bool, as_json: bool) -> None:
    """Wait until a server is ready: the instance NAME, or with --address any other server.

    The instance may be starting, or be about to start. Exits 0 when the server is ready, 1 when the instance is
    not ready in time or ends, 4 when there is no such instance or the other server does not answer.
    """
    if instance is not None and connection.name not in (None, instance):
        raise OptionError("NAME and --name are two different instances", hint="use only one of them")
    if instance is not None:
        connection = replace(connection, name=instance)
    name = managed_name(connection)
    found = _other(connection, timeout) if name is None else _own(name, connection, timeout)
    if as_json:
        echo_form(**found)
    elif not quiet:
        click.echo(f"{clean(found['address'])} is ready")


def _own(name: str, connection: Connection, timeout: float) -> dict[str, Any]:
    check_name(name)
    found = wait_until_ready(InstanceFolder(Paths.default(), name), timeout, namespace=connection.namespace)
    return _facts(name, found["address"], connection.namespace or found["namespace"])


def _other(connection: Connection, timeout: float) -> dict[str, Any]:
    import asyncio

    from ..client.readiness import wait_until_ready as wait_until_other_ready

    target = find_target(connection)
    asyncio.run(wait_until_other_ready(target, timeout))
    return _facts(None, target.address, target.namespace)


def _facts(name: str | None, address: str, namespace: str) -> dict[str, Any]:
    return {"name": name, "address": address, "namespace": namespace, "state": "ready"}
