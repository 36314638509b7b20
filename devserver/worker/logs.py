"""What a worker's loggers show: the lines of `workflow.logger` and `activity.logger`, not the SDK's noise."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from temporalio import activity, workflow

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
