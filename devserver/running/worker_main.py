"""The worker's process: loads the SDK, waits for its orders, and runs the worker until it is told to stop.

`python -m devserver.running.worker_main SOCKET PARENT`, started by `process.py`.
"""

from __future__ import annotations

import asyncio
import os
import socket
import sys
import time
import traceback
from typing import TYPE_CHECKING

from ..errors import DevServerError
from ..leash import die_with
from .channel import Channel
from .wanted import Wanted

if TYPE_CHECKING:
    from ..reflection import Module


def main(control: int, parent: int) -> None:
    """Be a worker's process, from its first moment to its last."""
    die_with(parent)
    os.set_inheritable(control, False)
    channel = Channel(socket.socket(fileno=control))
    code = work(channel)
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:
            stream.flush()
    os._exit(code)  # the SDK's threads sometimes abort at a regular exit


def work(channel: Channel) -> int:
    """Run the worker; tells of what keeps it from running."""
    from . import loaded, logs, serving

    wanted = Wanted.from_json(channel.first()["wanted"])
    since = time.time()
    try:
        module = find(wanted)
        logs.show(module)
        asyncio.run(serving.serve(module, wanted, channel, since))
    except DevServerError as error:
        channel.tell("failed", error=error.to_json(), exit_code=error.exit_code, files=loaded.files(), since=since)
        return 1
    except BaseException as error:  # noqa: BLE001 - a worker that ends for a reason nobody thought of tells it
        said = {"error": "WorkerEnded", "message": f"the worker failed: {type(error).__name__}: {error}"}
        details = traceback.format_exc().rstrip().splitlines()
        channel.tell(
            "failed", error={**said, "details": details, "hint": None}, exit_code=1, files=loaded.files(), since=since
        )
        return 1
    return 0


def find(wanted: Wanted) -> Module:
    """What the module has to run.

    Raises:
        NothingToRun: It has nothing.
        ReflectionError: It cannot be used.
    """
    from .. import reflection
    from .errors import NothingToRun

    module = reflection.find(wanted.spec)
    if module.is_empty:
        raise NothingToRun(
            f"{wanted.spec} has no workflow, no activity and no Nexus service",
            details=module.notes,
            hint="workflows are classes with @workflow.defn, activities functions and methods with @activity.defn",
        )
    return module


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
