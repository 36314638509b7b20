"""One run of a runbook as faults and drills see it: server, network, worker, workflow, ledger, timeline."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from temporalio.client import Client, WorkflowHandle

from ...outages import ActiveOutage, OutageConflict, Outages
from .. import ledger
from ..errors import FaultImpossible
from ..scenario.result import Judgement
from ..scenario.timeline import Timeline
from .asyncio_compat import within
from .converters import converter
from .environment import RehearsalEnvironment
from .run_clock import RunClock
from .worker_process import Answer, RehearsalWorker

if TYPE_CHECKING:
    from ..patient.patient import Patient
    from ..run.legacy_script import LegacyScript

STICKY_SECONDS = 0.2


@dataclass(frozen=True)
class WorkerSettings:
    """What a worker runs: a module, the path to import it from, and the worker's options."""

    module: str
    path: tuple[str, ...]
    options: Mapping[str, Any] = field(default_factory=lambda: {"sticky_seconds": STICKY_SECONDS})


class RunbookSource(Protocol):
    """Where the runbook of a run comes from; a `Scenario` is one."""

    @property
    def module(self) -> str:
        """The name of the runbook's module."""
        ...

    @property
    def file(self) -> Path | None:
        """The scenario's file: modules are imported from its folder."""
        ...

    @property
    def data_converter(self) -> str | None:
        """The runbook's data converter as `module:name`; None: the SDK's default."""
        ...

    @property
    def legacy_script(self) -> LegacyScript | None:
        """The script that the runbook replaces."""
        ...


class RunContext:
    """One run of a runbook. Use it from one event loop."""

    def __init__(
        self,
        scenario: RunbookSource,
        environment: RehearsalEnvironment,
        folder: Path,
        timeline: Timeline,
        workflow_id: str,
    ) -> None:
        self.scenario = scenario
        self.environment = environment
        self.folder = folder
        self.timeline = timeline
        self.workflow_id = workflow_id
        self.task_queue = workflow_id
        self.ledger = folder / "ledger.jsonl"
        self.worker_log = folder / "worker.log"
        self.worker: RehearsalWorker | None = None
        path = () if scenario.file is None else (str(scenario.file.parent),)
        self.settings = WorkerSettings(scenario.module, path)
        self.judgements: list[Judgement] = []
        self.fixture: Any = None  # the value of the scenario's fixture
        self.patient: Patient | None = None  # the scenario's cluster
        self.changing = asyncio.Lock()  # the server's process has one outage at a time
        self.over = asyncio.Event()  # the runbook has ended: faults in effect end now
        self.clock: RunClock | None = None  # with time skipping
        self.start_runbook: Callable[[], Awaitable[str]]  # starts the workflow (again); returns its run id
        options = environment.client.config()
        options["data_converter"] = converter(scenario.data_converter)
        self._client = Client(**options)
        self._answer: Answer | None = None
        self._spans: dict[str, int] = {}
        ledger.create(self.ledger)

    @property
    def outages(self) -> Outages:
        """The outages of the server and of its network."""
        return self.environment.outages

    @property
    def client(self) -> Client:
        """A client that faults of the network do not affect."""
        return self._client

    @property
    def handle(self) -> WorkflowHandle[Any, Any]:
        """The handle of the runbook's workflow, for its latest run."""
        return self.client.get_workflow_handle(self.workflow_id)

    async def lasts(self, seconds: float) -> bool:
        """Wait `seconds`, or until the runbook has ended; returns whether it has ended."""
        with contextlib.suppress(asyncio.TimeoutError):
            await within(seconds, self.over.wait())
        return self.over.is_set()

    def restore(self) -> None:
        """Undo what a cancelled fault has left: a frozen server, a network that is cut or slow."""
        self.outages.end(restart=False)
        self.outages.begin()

    # Lanes that are up or down

    def up(self, lane: str, what: str = "up") -> None:
        """Mark the server or the worker as up from now on."""
        self._spans[lane] = self.timeline.note(lane, what)

    def down(self, lane: str, **how: Any) -> None:
        """Mark the server or the worker as down from now on."""
        if lane in self._spans:
            self.timeline.end(self._spans.pop(lane), **how)

    # The server

    @contextlib.asynccontextmanager
    async def outage(self) -> AsyncIterator[contextlib.AsyncExitStack]:
        """Begin an outage of the server's process, once no other is in effect; the next one waits for its end.

        The yielded stack ends it when the block ends, unless the rest of a fault takes it over (`pop_all`).

        Raises:
            FaultImpossible: The runbook ended first.
        """
        async with contextlib.AsyncExitStack() as end:
            await self.changing.acquire()
            end.callback(self.changing.release)
            if self.over.is_set():
                raise FaultImpossible("the runbook ended before this could begin")
            yield end

    async def kill_server(self) -> None:
        """Kill the server's process.

        Raises:
            FaultImpossible: The server is already down.
        """
        await self._break_server(self.outages.server.kill, "killed")

    async def stop_server(self) -> None:
        """Stop the server gracefully; `start_server` brings it back with its state.

        Raises:
            FaultImpossible: The server is already down.
        """
        await self._break_server(self.outages.server.stop, "stopped")

    async def freeze_server(self) -> ActiveOutage:
        """Suspend the server's process until the returned outage is restored.

        Raises:
            FaultImpossible: The server is already down.
        """
        return await self._break_server(self.outages.server.freeze, "frozen")

    async def _break_server(self, outage: Callable[[], ActiveOutage], how: str) -> ActiveOutage:
        if not self.environment.server.running:
            raise FaultImpossible("the server is already down")
        self.down("server", ended=how)
        try:
            return await asyncio.to_thread(outage)
        except OutageConflict as error:
            raise FaultImpossible(error.message) from None

    async def start_server(self) -> None:
        """Start the server with its state, at its address, and wait until it is ready."""
        await asyncio.to_thread(self.outages.server.restart)
        self.up("server")
        if self.clock is not None:
            self.clock.started()  # an older database has an older clock

    # The worker

    def set_answer(self, answer: Answer) -> None:
        """Set who answers the worker's questions."""
        self._answer = answer

    async def start_worker(self, settings: WorkerSettings | None = None) -> None:
        """Start a worker process, and wait until it polls.

        Raises:
            WorkerFailed: It does not start; says why.
        """
        assert self._answer is not None  # noqa: S101 - `set_answer` comes first
        self.settings = settings or self.settings
        wanted = {
            "path": self.settings.path,
            "module": self.settings.module,
            "address": self.environment.proxy.address,
            "namespace": self.client.namespace,
            "task_queue": self.task_queue,
            "data_converter": self.scenario.data_converter,
            "identity": f"runbook-{self.workflow_id}",
            "environment": {ledger.FILE: str(self.ledger), **(self.patient.environment() if self.patient else {})},
            "options": dict(self.settings.options),
        }
        worker = RehearsalWorker(self.environment.fork_server, wanted, self.worker_log, self._answer)
        self.worker = worker
        await worker.start()
        self.up("worker", self.settings.module)

    async def kill_worker(self) -> None:
        """Kill the worker's process.

        Raises:
            FaultImpossible: The worker is already down.
        """
        if self.worker is None:
            raise FaultImpossible("the worker is already down")
        worker, self.worker = self.worker, None
        self.down("worker", ended="killed")
        await worker.kill()

    async def end_worker(self) -> None:
        """Stop the worker's process gracefully, if there is one."""
        worker, self.worker = self.worker, None
        if worker is not None:
            await worker.stop()
            self.down("worker", ended="gracefully")

    def with_build(self, module: str, build_id: str | None) -> WorkerSettings:
        """The worker's settings with another module and build id."""
        options = {**self.settings.options, **({"build_id": build_id} if build_id else {})}
        return replace(self.settings, module=module, options=options)
