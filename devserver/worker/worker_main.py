"""The worker's process: loads the SDK, waits for its orders, and runs the worker until it is told to stop.

`python -m devserver.worker.worker_main SOCKET PARENT`, started by `process.py`.
"""

from __future__ import annotations

import asyncio
import os
import socket
import sys
import time
import traceback
from typing import TYPE_CHECKING, NoReturn

from ..errors import DevServerError
from ..system.parent_death import die_with
from .channel import Channel
from .config import WorkerOptions

if TYPE_CHECKING:
    from ..introspection import Module


def main(control: int, parent: int) -> NoReturn:
    """Be a worker's process, from its first moment to its last."""
    die_with(parent)
    os.set_inheritable(control, False)
    channel = Channel(socket.socket(fileno=control))
    from . import import_snapshot, logs, runner

    wanted = WorkerOptions.from_json(channel.first()["wanted"])
    since = time.time()

    async def serve(module: Module) -> NoReturn:
        try:
            await runner.serve(module, wanted, channel, since)
        except BaseException as error:  # noqa: BLE001 - told to whoever started us
            fail(channel, error, since)
        leave(0)

    import_snapshot.install()
    try:
        module = find(wanted)
        logs.show(module)
    except BaseException as error:  # noqa: BLE001 - as above
        fail(channel, error, since)
    asyncio.run(serve(module))
    leave(1)


def find(wanted: WorkerOptions) -> Module:
    """What the module has to run.

    Raises:
        NothingToRun: It has nothing.
        IntrospectionError: It cannot be used.
    """
    from .. import introspection
    from ..introspection.converters import with_given
    from .errors import NothingToRun

    module = introspection.find(wanted.spec)
    if module.is_empty:
        raise NothingToRun(
            f"{wanted.spec} has no workflow, no activity and no Nexus service",
            details=module.notes,
            hint="workflows are classes with @workflow.defn, activities functions and methods with @activity.defn",
        )
    return with_given(module, wanted.data_converter, wanted.plugins)


def fail(channel: Channel, error: BaseException, since: float) -> NoReturn:
    """Tell why there can be no worker, and end."""
    from . import import_snapshot
    from .errors import WorkerEnded

    if not isinstance(error, DevServerError):
        details = "".join(traceback.format_exception(type(error), error, error.__traceback__)).splitlines()
        error = WorkerEnded(f"the worker failed: {type(error).__name__}: {error}", details=details)
    channel.tell(
        "failed", error=error.to_json(), exit_code=error.exit_code, files=import_snapshot.imported_files(), since=since
    )
    leave(1)


def leave(code: int) -> NoReturn:
    """End at once: the SDK's threads sometimes abort at a regular exit, and a worker without a server ends late."""
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:
            stream.flush()
    os._exit(code)


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
