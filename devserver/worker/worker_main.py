"""The worker process: loads the SDK, waits for its options, and runs the worker until it is asked to stop.

`python -m devserver.worker.worker_main SOCKET PARENT`, started by `worker_process.py`.
"""

from __future__ import annotations

import asyncio
import gc
import sys
import time
import traceback
from typing import TYPE_CHECKING, NoReturn

from ..errors import DevServerError
from ..system.channel import ParentChannel, exit_now
from .config import WorkerOptions
from .events import CONNECTS, IMPORTS

if TYPE_CHECKING:
    from ..introspection import Module


def main(descriptor: int, parent: int) -> NoReturn:
    """The whole life of a worker process."""
    channel = ParentChannel(descriptor, parent)
    gc.disable()  # collecting among what is imported takes an eighth of the time, and finds nothing
    from . import import_snapshot, logs, runner

    gc.freeze()
    gc.enable()
    options = WorkerOptions.from_json(channel.receive()["options"])
    since = time.time()

    async def serve(module: Module) -> NoReturn:
        try:
            await runner.serve(module, options, channel, since)
        except BaseException as error:  # noqa: BLE001 - reported to the parent
            fail(channel, error, since)
        exit_now(0)

    import_snapshot.install()
    channel.send("phase", phase=IMPORTS)
    try:
        module = load(options)
        logs.show(module)
        channel.send("phase", phase=CONNECTS)
    except BaseException as error:  # noqa: BLE001 - reported to the parent
        fail(channel, error, since)
    asyncio.run(serve(module))
    exit_now(1)


def load(options: WorkerOptions) -> Module:
    """Import the module; it has something to run.

    Raises:
        NothingToRun: It has no workflow, no activity and no Nexus service.
        IntrospectionError: It cannot be used.
    """
    from .. import introspection
    from ..introspection.converters import with_options
    from .errors import NothingToRun

    module = introspection.find(options.spec)
    if module.is_empty:
        raise NothingToRun(
            f"{options.spec} has no workflow, no activity and no Nexus service",
            details=module.notes,
            hint="decorate workflow classes with @workflow.defn, activity functions and methods with @activity.defn",
        )
    return with_options(module, options.data_converter, options.plugins)


def fail(channel: ParentChannel, error: BaseException, since: float) -> NoReturn:
    """Report why the worker cannot run, and exit."""
    from . import import_snapshot
    from .errors import WorkerEnded

    if not isinstance(error, DevServerError):
        details = "".join(traceback.format_exception(type(error), error, error.__traceback__)).splitlines()
        error = WorkerEnded(f"the worker failed: {type(error).__name__}: {error}", details=details)
    files = import_snapshot.imported_files()
    channel.send("failed", error=error.to_json(), files=files, since=since)
    exit_now(1)


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
