"""The process of a runbook's worker: it can be killed, and asks the rehearsal what happens to each activity.

The fork server forks it. It prints to its log, and ends when the rehearsal ends.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import os
import sys
from typing import TYPE_CHECKING, Any, NoReturn

from ...system.channel import ParentChannel, exit_now

if TYPE_CHECKING:
    from temporalio.client import Client

RECONNECT_SECONDS = 0.1


class ActivityControl:
    """Asks the rehearsal what happens to an activity, and waits for the answer however long it takes."""

    def __init__(self, channel: ParentChannel) -> None:
        self._channel = channel
        self._answers: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self._numbers = itertools.count()

    async def ask(self, **question: Any) -> dict[str, Any]:
        """Ask, and wait for the answer."""
        number = next(self._numbers)
        answer: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()
        self._answers[number] = answer
        self._channel.send("question", number=number, **question)
        return await answer

    async def answer_until_stop(self) -> None:
        """Pass answers to those who asked, until the rehearsal stops the worker."""
        while True:
            message = await self._channel.receive_async()
            if message["kind"] == "stop":
                return
            answer = self._answers.pop(message["number"])
            if not answer.done():  # the activity may have been cancelled in the meantime
                answer.set_result(message)


async def connect(options: dict[str, Any]) -> Client:
    """A client, once the server answers: it may be down. The rehearsal limits the wait."""
    from temporalio.client import Client

    from .converters import converter

    while True:
        try:
            return await Client.connect(
                options["address"],
                namespace=options["namespace"],
                identity=options["identity"],
                data_converter=converter(options["data_converter"]),
            )
        except RuntimeError:
            await asyncio.sleep(RECONNECT_SECONDS)


async def serve(channel: ParentChannel) -> None:
    """Run the worker until the rehearsal stops it."""
    from temporalio.worker import Worker

    from ...introspection.build_id import build_id, files_imported_since
    from ...worker.import_snapshot import is_user_file
    from ..scenario.runbook import Runbook, runner
    from .activity_interceptor import ActivityInterceptor

    options: dict[str, Any] = (await channel.receive_async())["options"]
    sys.path[:0] = [path for path in options["path"] if path not in sys.path]
    os.environ.update(options["environment"])
    known = set(sys.modules)
    runbook = Runbook.load(options["module"])
    files = files_imported_since(known)
    default_build = build_id([file for file in files if is_user_file(file)] or files)
    client = await connect(options)
    control = ActivityControl(channel)
    worker = Worker(
        client,
        task_queue=options["task_queue"],
        workflows=runbook.workflows,
        activities=list(runbook.activities.values()),
        activity_executor=runbook.executor(),
        workflow_runner=runner(),
        interceptors=[ActivityInterceptor(control)],
        **runbook.worker_options({"build_id": default_build, **options["options"]}),
    )
    running = asyncio.create_task(worker.run())
    stopping = asyncio.create_task(control.answer_until_stop())
    channel.send("ready")
    await asyncio.wait([running, stopping], return_when=asyncio.FIRST_COMPLETED)
    if running.done():
        await running
    await worker.shutdown()
    with contextlib.suppress(Exception):
        await running


async def run(channel: ParentChannel) -> int:
    """Run the worker, and report why it fails; the exit code."""
    try:
        await serve(channel)
    except Exception as error:  # noqa: BLE001 - the module is the user's, and may raise anything
        import traceback

        traceback.print_exc()
        channel.send("failed", error=f"{type(error).__name__}: {error}")
        return 1
    return 0


def main(connected: int, log: int, *, parent: int) -> NoReturn:
    """The whole life of a worker process, which begins with the fork."""
    os.setsid()
    for descriptor in (1, 2):
        os.dup2(log, descriptor)
    os.close(log)
    exit_now(asyncio.run(run(ParentChannel(connected, parent))))
