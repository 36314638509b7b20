"""Makes the runtime of the SDK and the worker from the options."""

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
from ..introspection.build_id import build_id
from . import import_snapshot
from .config import WorkerOptions
from .errors import WorkerRefused
from .failure_events import ActivityReporter, runners
from .failure_reporter import FailureReporter
from .logs import RETRIED_CALLS, SdkLogHandler

if TYPE_CHECKING:
    from ..introspection import Module

THREADS = 100  # the SDK's default of concurrent activities
# How long tasks wait for a worker that died; the SDK's ten seconds are long while editing code.
STICKY = timedelta(seconds=2)
BEHAVIORS = {"pinned": VersioningBehavior.PINNED, "auto-upgrade": VersioningBehavior.AUTO_UPGRADE}
SANDBOX = (
    "workflows run in a sandbox that imports their module again: import modules that have side effects or are not "
    "deterministic inside `with workflow.unsafe.imports_passed_through():`"
)


def make_runtime(options: WorkerOptions, reporter: FailureReporter) -> Runtime:
    """The runtime of the SDK for this process, with its metrics; its errors go to `reporter`."""
    core = logging.getLogger("temporalio.core")
    core.propagate = False
    core.setLevel(logging.DEBUG)
    core.addHandler(SdkLogHandler(reporter))
    forward = LogForwardingConfig(core, prepend_target_on_message=False, append_log_fields_to_message=False)
    # Warnings are about calls that are retried, and about failures that are reported anyway.
    levels = TelemetryFilter(core_level="ERROR", other_level="ERROR").formatted()
    log = LoggingConfig(f"{levels},{RETRIED_CALLS}=DEBUG", forwarding=forward)
    metrics = PrometheusConfig(bind_address=f"127.0.0.1:{options.metrics_port}") if options.metrics_port else None
    runtime = Runtime(telemetry=TelemetryConfig(logging=log, metrics=metrics))
    Runtime.set_default(runtime, error_if_already_set=False)
    return runtime


def make_worker(client: Client, module: Module, options: WorkerOptions, reporter: FailureReporter) -> Worker:
    """The worker, which does not poll yet.

    Raises:
        IntrospectionError: A plugin raises.
        WorkerRefused: The SDK refuses the module or an option.
    """
    logging.getLogger("temporalio.worker").addHandler(SdkLogHandler(reporter))
    try:
        return Worker(
            client,
            workflows=[workflow.cls for workflow in module.workflows],
            activities=[activity.function for activity in module.activities],
            nexus_service_handlers=[service.handler for service in module.nexus_services],
            interceptors=[ActivityReporter(reporter)],
            graceful_shutdown_timeout=timedelta(seconds=options.grace),
            sticky_queue_schedule_to_start_timeout=STICKY,
            **runners(reporter),  # type: ignore[arg-type]
            **_keywords(module, options),
        )
    except Exception as error:
        if module.plugins and not isinstance(error, (ValueError, TypeError, RuntimeError)):  # which the SDK raises
            raise converters.plugin_failed(error, module) from error
        raise _refused(error, module) from error


def _keywords(module: Module, options: WorkerOptions) -> dict[str, Any]:
    threads = ThreadPoolExecutor(options.max_activities or THREADS, thread_name_prefix="activity")
    keywords: dict[str, Any] = {
        "task_queue": options.queue(module),
        "activity_executor": None if all(activity.is_async for activity in module.activities) else threads,
        "nexus_task_executor": threads if module.nexus_services else None,
        "max_concurrent_activities": options.max_activities,
        "max_concurrent_workflow_tasks": options.max_workflow_tasks,
        "identity": options.identity,
        "plugins": converters.worker_plugins(module),
    }
    if options.otlp is not None:
        from ..otel import HistorySpans

        keywords["plugins"].append(HistorySpans(options.otlp))
    if options.build is not None:
        keywords["deployment_config"] = WorkerDeploymentConfig(
            version=WorkerDeploymentVersion(deployment_name=options.deployment_of(module), build_id=options.build),
            use_worker_versioning=True,
            default_versioning_behavior=BEHAVIORS[options.behavior],
        )
    elif not module.plugins:  # which may set one, or a deployment
        keywords["build_id"] = build_id(import_snapshot.imported_files() or [str(module.file)])
    return keywords


def _refused(error: Exception, module: Module) -> WorkerRefused:
    from ..introspection.import_module import users_traceback

    causes = [error]
    while isinstance(causes[-1].__cause__, Exception):
        causes.append(causes[-1].__cause__)
    details = [f"{type(cause).__name__}: {cause}" for cause in causes[1:]]
    hint = None
    if "Failed validating workflow" in str(error):
        details[-1:] = users_traceback(causes[-1], module.project)
        hint = SANDBOX
    return WorkerRefused(f"the SDK cannot run {module.name}: {error}", details=details, hint=hint)
