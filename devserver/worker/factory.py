"""Makes the SDK's runtime and a worker for a module, as the user wants them."""

from __future__ import annotations

import logging
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from temporalio.client import Client
from temporalio.common import VersioningBehavior, WorkerDeploymentVersion
from temporalio.runtime import (
    LogForwardingConfig,
    LoggingConfig,
    PrometheusConfig,
    Runtime,
    TelemetryConfig,
    TelemetryFilter,
)
from temporalio.worker import Worker, WorkerDeploymentConfig

from ..introspection import converters
from .config import WorkerOptions
from .errors import WorkerRefused
from .failure_events import ActivityReporter, FailureReporter, runners
from .logs import SdkLogHandler

if TYPE_CHECKING:
    from ..introspection import Module

THREADS = 100  # as many as the SDK runs activities at once where nothing is said
# How long tasks wait for a worker that died: the SDK's ten seconds are long while one edits code.
STICKY = timedelta(seconds=2)
BEHAVIORS = {"pinned": VersioningBehavior.PINNED, "auto-upgrade": VersioningBehavior.AUTO_UPGRADE}
SANDBOX = (
    "workflows run in a sandbox that imports their module again: what has side effects or is not deterministic "
    "is imported with `with workflow.unsafe.imports_passed_through():`"
)


def make_runtime(wanted: WorkerOptions, teller: FailureReporter) -> Runtime:
    """The SDK's runtime for this process, with its metrics; `teller` hears its log."""
    # Warnings of the SDK's core are of calls that it tries again, and of what the teller tells better.
    core = logging.getLogger("temporalio.core")
    core.propagate = False
    core.addHandler(SdkLogHandler(teller))
    forward = LogForwardingConfig(core, prepend_target_on_message=False, append_log_fields_to_message=False)
    log = LoggingConfig(TelemetryFilter(core_level="ERROR", other_level="ERROR"), forwarding=forward)
    metrics = PrometheusConfig(bind_address=f"127.0.0.1:{wanted.metrics_port}") if wanted.metrics_port else None
    runtime = Runtime(telemetry=TelemetryConfig(logging=log, metrics=metrics))
    Runtime.set_default(runtime, error_if_already_set=False)
    return runtime


def make_worker(client: Client, module: Module, wanted: WorkerOptions, teller: FailureReporter) -> Worker:
    """The worker; it does not poll yet.

    Raises:
        IntrospectionError: A plugin raises.
        WorkerRefused: The SDK refuses what was found, or an option.
    """
    logging.getLogger("temporalio.worker").addHandler(SdkLogHandler(teller))
    try:
        return Worker(
            client,
            workflows=[each.cls for each in module.workflows],
            activities=[each.function for each in module.activities],
            nexus_service_handlers=[each.handler for each in module.nexus_services],
            interceptors=[ActivityReporter(teller)],
            graceful_shutdown_timeout=timedelta(seconds=wanted.grace),
            sticky_queue_schedule_to_start_timeout=STICKY,
            **runners(teller),  # type: ignore[arg-type]
            **_options(module, wanted),
        )
    except Exception as error:
        if module.plugins and not isinstance(error, (ValueError, TypeError, RuntimeError)):  # which the SDK raises
            raise converters.plugin_fails(error, module) from error
        raise _refused(error, module) from error


def _options(module: Module, wanted: WorkerOptions) -> dict[str, Any]:
    threads = ThreadPoolExecutor(wanted.max_activities or THREADS, thread_name_prefix="activity")
    options: dict[str, Any] = {
        "task_queue": wanted.queue(module),
        "activity_executor": None if all(each.is_async for each in module.activities) else threads,
        "nexus_task_executor": threads if module.nexus_services else None,
        "max_concurrent_activities": wanted.max_activities,
        "max_concurrent_workflow_tasks": wanted.max_workflow_tasks,
        "identity": wanted.identity,
        "plugins": converters.for_workers(module),
    }
    if wanted.otlp is not None:
        from ..otel import HistorySpans

        options["plugins"].append(HistorySpans(wanted.otlp))
    if wanted.build is not None:
        options["deployment_config"] = WorkerDeploymentConfig(
            version=WorkerDeploymentVersion(deployment_name=wanted.deployment_of(module), build_id=wanted.build),
            use_worker_versioning=True,
            default_versioning_behavior=BEHAVIORS[wanted.behavior],
        )
    return options


def _refused(error: Exception, module: Module) -> WorkerRefused:
    from ..introspection.import_module import users_traceback

    causes = [error]
    while isinstance(causes[-1].__cause__, Exception):
        causes.append(causes[-1].__cause__)
    details = [f"{type(each).__name__}: {each}" for each in causes[1:]]
    hint = None
    if "Failed validating workflow" in str(error):
        details[-1:] = users_traceback(causes[-1], module.project)
        hint = SANDBOX
    return WorkerRefused(f"the worker cannot run {module.name}: {error}", details=details, hint=hint)
