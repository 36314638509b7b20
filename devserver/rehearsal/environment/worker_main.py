"""The runbook's worker: a process of its own that can be killed, and asks at each activity how to go on.

It has two descriptors of `worker.py`: a socket to the rehearsal, and a pipe that closes when the rehearsal dies.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import os
import socket
import sys
import threading
from typing import TYPE_CHECKING, Any, NoReturn

from ...system.parent_death import die_with

if TYPE_CHECKING:
    from temporalio.client import Client

CONNECT_AGAIN_SECONDS = 0.1
MOST_TEXT = 2000  # characters: a line has to fit into the reader's buffer


class Control:
    """Our end of the socket: asks, and waits for the answer however long it takes."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._asked: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self._numbers = itertools.count()

    async def receive(self) -> dict[str, Any]:
        """The next line from the rehearsal."""
        line = await self._reader.readline()
        if not line:
            raise EOFError
        message: dict[str, Any] = json.loads(line)
        return message

    def tell(self, message: dict[str, Any]) -> None:
        """Say something that wants no answer; long texts are shortened."""
        short = {key: value[:MOST_TEXT] if isinstance(value, str) else value for key, value in message.items()}
        self._writer.write(json.dumps(short, default=str).encode() + b"\n")

    async def ask(self, **question: Any) -> dict[str, Any]:
        """Ask, and wait for the answer."""
        number = next(self._numbers)
        answer: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()
        self._asked[number] = answer
        self.tell({"kind": "cue", "number": number, **question})
        return await answer

    async def answers(self) -> str:
        """Hand answers to those who asked, until the rehearsal says how to end."""
        while True:
            message = await self.receive()
            if "end" in message:
                return str(message["end"])
            asked = self._asked.pop(message["number"])
            if not asked.done():  # an activity that was cancelled meanwhile waits no more
                asked.set_result(message)


async def connect(wanted: dict[str, Any]) -> Client:
    """A client of the server, once that answers: it may be down just now. The rehearsal limits the wait."""
    from temporalio.client import Client

    from .converters import converter

    while True:
        try:
            return await Client.connect(
                wanted["address"],
                namespace=wanted["namespace"],
                identity=wanted["identity"],
                data_converter=converter(wanted["data_converter"]),
            )
        except RuntimeError:
            await asyncio.sleep(CONNECT_AGAIN_SECONDS)


async def serve(control: Control) -> None:
    """Run the worker until the rehearsal ends it."""
    from temporalio.worker import Worker

    from ..scenario.runbook import Runbook, runner
    from .activity_interceptor import ActivityInterceptor

    wanted = await control.receive()
    sys.path[:0] = [path for path in wanted["path"] if path not in sys.path]
    os.environ.update(wanted["environment"])
    runbook = Runbook.load(wanted["module"])
    client = await connect(wanted)
    worker = Worker(
        client,
        task_queue=wanted["task_queue"],
        workflows=runbook.workflows,
        activities=list(runbook.activities.values()),
        activity_executor=runbook.executor(),
        workflow_runner=runner(),
        interceptors=[ActivityInterceptor(control)],
        **runbook.worker_options(wanted["options"]),
    )
    running = asyncio.create_task(worker.run())
    ending = asyncio.create_task(control.answers())
    control.tell({"kind": "ready"})
    await asyncio.wait([running, ending], return_when=asyncio.FIRST_COMPLETED)
    if running.done():
        await running
    await worker.shutdown()
    with contextlib.suppress(Exception):
        await running


async def main(control: socket.socket) -> int:
    """Serve, and tell the rehearsal of a worker that cannot."""
    reader, writer = await asyncio.open_connection(sock=control)
    channel = Control(reader, writer)
    try:
        await serve(channel)
    except EOFError:
        return 1
    except Exception as error:  # noqa: BLE001 - whatever a runbook's module raises
        import traceback

        traceback.print_exc()
        channel.tell({"kind": "error", "error": f"{type(error).__name__}: {error}"})
        with contextlib.suppress(OSError):
            await writer.drain()
        return 1
    return 0


def hold_on_to(lifeline: int) -> None:
    """End this process when the pipe closes: the rehearsal has ended, whatever ended it."""

    def wait() -> None:
        os.read(lifeline, 1)
        os._exit(1)

    threading.Thread(target=wait, daemon=True).start()


def begin(control: int, lifeline: int, log: int, *, parent: int) -> NoReturn:
    """Be a worker process, from its first moment to its last."""
    os.setsid()
    for descriptor in (1, 2):
        os.dup2(log, descriptor)
    os.close(log)
    die_with(parent)
    hold_on_to(lifeline)
    code = asyncio.run(main(socket.socket(fileno=control)))
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)  # the SDK's threads sometimes abort at a regular exit
