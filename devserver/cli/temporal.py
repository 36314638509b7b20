"""`devserver temporal`: the Temporal CLI against an instance."""

from __future__ import annotations

import os
import sys

import click

from .. import executables
from ..errors import NotTemporal
from ..instances.dev_server import DevServer
from ..instances.folder import InstanceFolder
from ..system.paths import Paths
from ..system.progress import Silent
from ..system.spawn import client_free_environment
from .options.common import name_option


@click.command(context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False})
@name_option
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def temporal(name: str, arguments: tuple[str, ...]) -> None:
    """Run the Temporal CLI against a server, in the server's version.

    \b
    devserver temporal -- workflow list
    devserver temporal --name other -- operator namespace list
    """
    server = DevServer.attach(name)
    paths = Paths.default()
    record = InstanceFolder(paths, name).require_record()
    executables.recheck(record.executable, record.sha256, paths=paths, reporter=Silent())
    environ = client_free_environment(os.environ) | {
        "TEMPORAL_ADDRESS": server.address,
        "TEMPORAL_NAMESPACE": server.namespace,
    }
    sys.stdout.flush()
    try:
        os.execve(server.executable, [str(server.executable), *arguments], environ)  # noqa: S606 - no shell is meant
    except OSError as error:
        raise NotTemporal(f"cannot run {server.executable}: {error.strerror}", hint="run: devserver install") from error
