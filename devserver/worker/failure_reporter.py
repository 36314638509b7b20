"""Reports failures of a worker as they happen: failing workflow tasks, failed workflows, failed activity attempts."""

from __future__ import annotations

import math
import re
import time
import traceback
from collections import OrderedDict, deque
from pathlib import Path
from typing import Any, TypeVar

from temporalio import activity
from temporalio.bridge.proto.workflow_activation import RemoveFromCache, WorkflowActivation
from temporalio.bridge.proto.workflow_completion import WorkflowActivationCompletion
from temporalio.exceptions import ApplicationError, ApplicationErrorCategory
from temporalio.worker import WorkflowInstanceDetails

from ..client.failures import root_cause, summary
from ..deployments.errors import DeploymentRefused
from ..errors import DevServerError
from ..system.channel import ParentChannel

K = TypeVar("K")

SETTLE_SECONDS = 10.0
MAX_RUNS = 1000  # workflow runs to remember; the oldest are forgotten
FRAME = re.compile(r'File "([^"]+)", line (\d+)')
NONDETERMINISM = "Nondeterminism"
REFUSED = "the server rejects its commands"
TOO_LARGE = "TMPRL1103"  # the SDK's name for payloads over the limit
# The core prints all fields of a failure; this is the message.
MESSAGE = re.compile(r'\bmessage: "((?:[^"\\]|\\.)+)"')


class FailureReporter:
    """Reports each failure of a workflow run once, although its task is retried forever, and every failed attempt.

    Any thread may call its methods.

    Attributes:
        starting: Whether a refusal is kept and not reported, because it ends the start.
        refusal: Why the server refuses to give tasks.
        refused_since: When it first refused, by `time.monotonic`.
        registered: When the server was seen to have the worker's build, by `time.monotonic`.
        running_activities: How many activities run now.
        open_runs: The ids of the workflow runs in the worker's cache.
        refused_runs: The ids of those whose last answer the server refused; why is not known yet.
    """

    def __init__(self, channel: ParentChannel, project: Path) -> None:
        self.running_activities = 0
        self.starting = False
        self.refusal: DevServerError | None = None
        self.refused_since = math.inf
        self.registered = -math.inf
        self._channel = channel
        self._project = project
        self._runs: OrderedDict[str, tuple[str, str]] = OrderedDict()
        self._reported: OrderedDict[str, str] = OrderedDict()
        self._refused: OrderedDict[str, int] = OrderedDict()
        self._sizes: OrderedDict[str, str] = OrderedDict()
        self._activities: OrderedDict[bytes, dict[str, Any]] = OrderedDict()
        self.open_runs: set[str] = set()
        self.refused_runs: deque[str] = deque()

    def add_run(self, details: WorkflowInstanceDetails) -> None:
        """Remember a workflow run of this process."""
        info = details.info
        _keep(self._runs, info.run_id, (info.workflow_id, info.workflow_type))
        self.open_runs.add(info.run_id)

    def workflow_id(self, run_id: str) -> str:
        """The workflow id of a run; empty if it is not known."""
        return self._runs.get(run_id, ("", ""))[0]

    def completed(self, act: WorkflowActivation, completion: WorkflowActivationCompletion) -> None:
        """Report the failures in what the workflow code returned for a workflow task."""
        if completion.HasField("failed"):
            failure = completion.failed.failure
            message = summary(root_cause(failure))
            kind = "nondeterminism" if NONDETERMINISM in message else "workflow_task_failed"
            self.run_failed(kind, act.run_id, message, self._place(failure.stack_trace))
            return
        for command in completion.successful.commands if not act.is_replaying else ():
            if command.HasField("fail_workflow_execution"):
                failure = command.fail_workflow_execution.failure
                message = summary(root_cause(failure))
                self.run_failed("workflow_failed", act.run_id, message, self._place(failure.stack_trace))

    def evicted(self, run_id: str, removal: RemoveFromCache) -> None:
        """Handle that the SDK removed a run from its cache: report nondeterminism, remember a refused answer."""
        self.open_runs.discard(run_id)
        if removal.reason == RemoveFromCache.FATAL:
            _keep(self._refused, run_id, self._refused.get(run_id, 0) + 1)
            self.refused_runs.append(run_id)
        if removal.reason == RemoveFromCache.NONDETERMINISM:
            inner = MESSAGE.search(removal.message)
            self.run_failed("nondeterminism", run_id, inner[1].replace('\\"', '"') if inner else removal.message)

    def too_large(self, run_id: str, words: str) -> None:
        """Remember what is too large in the answer of a run, which is sent now."""
        _keep(self._sizes, run_id, words)

    def size_of(self, run_id: str) -> str:
        """What was too large in an answer of the run; empty if nothing was."""
        return self._sizes.get(run_id, "")

    def refused(self, run_id: str, message: str) -> None:
        """Report that the server refused the answer of a run, with its message; empty if it did not say why."""
        words = self.size_of(run_id) if TOO_LARGE in message or (not message and run_id in self._refused) else ""
        if words or message:
            self.run_failed("workflow_task_failed", run_id, words or message)
        elif self._refused.get(run_id, 0) > 1:  # the first may be due to a server that has just ended
            self.run_failed("workflow_task_failed", run_id, REFUSED)

    def run_failed(self, kind: str, run_id: str, message: str, place: str = "", hint: str | None = None) -> None:
        """Report a failure of a run."""
        if self._reported.get(run_id) == message:
            return
        _keep(self._reported, run_id, message)
        workflow_id, workflow_type = self._runs.get(run_id, ("", ""))
        facts = {"workflow_id": workflow_id, "workflow_type": workflow_type, "run_id": run_id}
        more = {"hint": hint} if hint else {}
        self._channel.send(kind, **facts, message=message, place=place, **more)

    def sdk_error(self, message: str) -> None:
        """Report an error that the core of the SDK has logged."""
        if message not in self._reported:
            _keep(self._reported, message, "")
            self._channel.send("sdk_error", message=message)

    def poll_refused(self, refusal: DevServerError) -> None:
        """Report that the server refuses to give this worker tasks; a worker that starts ends with that error."""
        if self.refusal is None:
            self.refused_since = time.monotonic()
        self.refusal = refusal
        if time.monotonic() - self.registered < SETTLE_SECONDS and isinstance(refusal, DeploymentRefused):
            return  # of a poll that came before that; another will be refused if it is still so
        if not self.starting and refusal.message not in self._reported:
            _keep(self._reported, refusal.message, "")
            self._channel.send("poll_refused", message=refusal.message, hint=refusal.hint)

    def activity_started(self) -> None:
        """Count the current activity, and remember it until it is over."""
        self.running_activities += 1
        info = activity.info()
        _keep(self._activities, info.task_token, _facts(info))

    def activity_over(self, token: bytes) -> None:
        """Forget an activity."""
        self._activities.pop(token, None)

    def activity_refused(self, token: bytes, message: str) -> None:
        """Report that what an activity returned is too large for the server."""
        facts = self._activities.pop(token, None)
        if facts is not None:
            self._channel.send("activity_failed", **facts, message=message, place="")

    def activity_failed(self, error: Exception) -> None:
        """Report a failed attempt of the current activity."""
        info = activity.info()
        said = f"{type(error).__name__}: {error}"
        if isinstance(error, ApplicationError):
            if error.category == ApplicationErrorCategory.BENIGN:
                return
            said = f"{error.type or type(error).__name__}: {error.message}"
        self._channel.send(
            "activity_failed",
            **_facts(info),
            message=said,
            place=self._place("".join(traceback.format_tb(error.__traceback__))),
        )

    def _place(self, trace: str) -> str:
        """The last line of the user's code in a traceback, as `file:line`; empty if there is none."""
        for file, line in reversed(FRAME.findall(trace)):
            path = Path(file)
            if path.is_relative_to(self._project) and "site-packages" not in path.parts:
                return f"{path.relative_to(self._project)}:{line}"
        return ""


def _facts(info: activity.Info) -> dict[str, Any]:
    return {
        "activity": info.activity_type,
        "attempt": info.attempt,
        "workflow_id": info.workflow_id or "",
        "workflow_type": info.workflow_type or "",
    }


def _keep(known: OrderedDict[K, Any], key: K, value: Any) -> None:
    known[key] = value
    known.move_to_end(key)
    while len(known) > MAX_RUNS:
        known.popitem(last=False)
