"""What a worker logs: the lines of `workflow.logger` and `activity.logger`; errors of the SDK become events."""

from __future__ import annotations

import logging
import re
import traceback
from typing import TYPE_CHECKING

from temporalio import activity, workflow

from .errors import RunError
from .failure_reporter import FailureReporter

if TYPE_CHECKING:
    from ..introspection import Module

# The supervisor reports these in lines of its own.
REPORTED = ("Completing activity as failed", "Failed activation on workflow", "Failed handling activation on workflow")
FORMAT = "%(asctime)s %(levelname)s %(workflow)s%(message)s"
TIME_FORMAT = "%H:%M:%S"
# Parts of the core by the names that they log under.
RETRIED_CALLS = "temporalio_client::retry"
PAYLOAD_LIMITS = "temporalio_common::payload_limits"
# The SDK logs a refused call as code.
STATUS = re.compile(r'code: (\w+), message: "((?:[^"\\]|\\.)*)"')
REFUSALS = ("InvalidArgument", "PermissionDenied", "FailedPrecondition", "ResourceExhausted")
# Functions of the SDK that call the codec and external storage.
CODEC_CALLS = {"decode_activation": "decoding", "encode_completion": "encoding"}
BUSY = re.compile(r"(?i)rate limit|system overloaded|concurrent")


def show(module: Module) -> None:
    """Log to stderr, unless the module has set up logging itself."""
    root = logging.getLogger()
    if root.handlers:
        return
    handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter(FORMAT, TIME_FORMAT))
    handler.addFilter(_filter)
    # The workflow id at the start of each line is enough.
    activity.logger.activity_info_on_message = False
    workflow.logger.workflow_info_on_message = False
    root.addHandler(handler)
    for name in ("temporalio.workflow", "temporalio.activity", module.name.partition(".")[0]):
        logger = logging.getLogger(name)
        if logger.level == logging.NOTSET:
            logger.setLevel(logging.INFO)


def _filter(record: logging.LogRecord) -> bool:
    """Whether a line is logged; sets `record.workflow` to the workflow id that it belongs to."""
    details = getattr(record, "temporal_workflow", None) or getattr(record, "temporal_activity", None) or {}
    record.workflow = f"{details['workflow_id']}: " if details.get("workflow_id") else ""
    return not str(record.msg).startswith(REPORTED)


def _said(error: BaseException) -> str:
    """What an error says, and whether it is one of the payload codec or of external storage, not of the workflow."""
    for frame in traceback.extract_tb(error.__traceback__):
        if frame.name in CODEC_CALLS:
            what = f"{CODEC_CALLS[frame.name]} its payloads fails, in the payload codec or external storage"
            return f"{what}: {type(error).__name__}: {error}"
    return str(error)


class SdkLogHandler(logging.Handler):
    """Reports what only the log of the SDK contains: unknown workflow types, deadlocks, errors of its core, and why the
    server refuses to give tasks."""

    def __init__(self, reporter: FailureReporter) -> None:
        super().__init__(logging.DEBUG)
        self._reporter = reporter

    def emit(self, record: logging.LogRecord) -> None:
        """Report one record."""
        error = record.exc_info[1] if record.exc_info else None
        if hasattr(record, "temporal_log"):
            target = record.temporal_log.target
            if target == RETRIED_CALLS:
                self._refused(record.getMessage(), str(record.temporal_log.fields.get("error")))
                return
            if target == PAYLOAD_LIMITS:  # with its workflow or activity: see `refusals`
                return
            fields = record.temporal_log.fields
            details = ", ".join(f"{key} {fields[key]}" for key in sorted(fields))
            message = record.getMessage()
            self._reporter.sdk_error(f"{message.rstrip('.')} ({details})" if details else message)
        elif error is not None and record.args and "with run ID" in str(record.msg):
            self._reporter.run_failed("workflow_task_failed", str(record.args[-1]), _said(error))  # type: ignore[index]

    def _refused(self, call: str, error: str) -> None:
        status = STATUS.search(error)
        if status is None or "poll_" not in call or status[1] not in REFUSALS or BUSY.search(status[2]):
            return
        from ..deployments.errors import deployment_full

        refusal = deployment_full(status[2]) or RunError(f"the server refuses the worker's polls: {status[2]}")
        self._reporter.poll_refused(refusal)
