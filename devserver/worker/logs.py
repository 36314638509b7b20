"""What a worker's loggers show: the lines of `workflow.logger` and `activity.logger`, not the SDK's noise."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from temporalio import activity, workflow

from .failure_events import FailureReporter

if TYPE_CHECKING:
    from ..introspection import Module

# What the keeper tells in a line of its own.
TOLD = ("Completing activity as failed", "Failed activation on workflow", "Failed handling activation on workflow")
FORM = "%(asctime)s %(levelname)s %(of)s%(message)s"
TIME = "%H:%M:%S"


def show(module: Module) -> None:
    """Send lines to stderr, unless the module has set up logging itself."""
    root = logging.getLogger()
    if root.handlers:
        return
    handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter(FORM, TIME))
    handler.addFilter(_wanted)
    # A workflow's id says enough of where a line comes from.
    activity.logger.activity_info_on_message = False
    workflow.logger.workflow_info_on_message = False
    root.addHandler(handler)
    for name in ("temporalio.workflow", "temporalio.activity", module.name.partition(".")[0]):
        logger = logging.getLogger(name)
        if logger.level == logging.NOTSET:
            logger.setLevel(logging.INFO)


def _wanted(record: logging.LogRecord) -> bool:
    """Whether a line is shown; those of a workflow or an activity get to know of which."""
    details = getattr(record, "temporal_workflow", None) or getattr(record, "temporal_activity", None) or {}
    record.of = f"{details['workflow_id']}: " if details.get("workflow_id") else ""
    return not str(record.msg).startswith(TOLD)


class SdkLogHandler(logging.Handler):
    """Hears from the SDK's log what comes from nowhere else: unknown workflow types, deadlocks, errors of its core."""

    def __init__(self, teller: FailureReporter) -> None:
        super().__init__(logging.WARNING)
        self._teller = teller

    def emit(self, record: logging.LogRecord) -> None:
        """A line of the log."""
        error = record.exc_info[1] if record.exc_info else None
        if hasattr(record, "temporal_log"):
            fields = record.temporal_log.fields
            details = ", ".join(f"{key} {fields[key]}" for key in sorted(fields))
            self._teller.sdk_error(f"{record.getMessage().rstrip('.')} ({details})" if details else record.getMessage())
        elif error is not None and record.args and "with run ID" in str(record.msg):
            self._teller.trouble("workflow_task_failed", str(record.args[-1]), str(error))  # type: ignore[index]
