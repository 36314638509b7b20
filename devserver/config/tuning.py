"""Tunings: sets of dynamic configuration values by name, each value with its reason.

The effect of the stock values was measured on server 1.32.0. A server ignores keys that it does not know.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class TuningValue:
    """One dynamic configuration value: the key, the value as JSON text, and the reason."""

    key: str
    value: str
    reason: str


UNLIMITED = "100000"

FAST = (
    TuningValue(
        "history.timerProcessorMaxTimeShift",
        '"1ms"',
        "stock 1 s: every timer, retry back-off and time skip takes up to a second longer",
    ),
    TuningValue(
        "history.timerProcessorMaxPollRPS",
        UNLIMITED,
        "stock 20: at most 20 timer reads a second",
    ),
    TuningValue(
        "history.transferProcessorMaxPollRPS",
        UNLIMITED,
        "stock 20: activities, child workflows and signals are dispatched at 20 reads a second",
    ),
    TuningValue(
        "history.visibilityProcessorMaxPollRPS",
        UNLIMITED,
        "stock 20: started and closed workflows appear late in lists",
    ),
    TuningValue(
        "history.outboundProcessorMaxPollRPS",
        UNLIMITED,
        "stock 20: Nexus operations and callbacks are dispatched at 20 reads a second",
    ),
    TuningValue(
        "history.persistenceMaxQPS",
        UNLIMITED,
        "stock 9000: rarely reached, but a single user needs no protection from others",
    ),
    TuningValue("frontend.persistenceMaxQPS", UNLIMITED, "as history.persistenceMaxQPS"),
    TuningValue("matching.persistenceMaxQPS", UNLIMITED, "as history.persistenceMaxQPS"),
    TuningValue(
        "history.workflowIdReuseMinimalInterval",
        '"0s"',
        "stock 1 s: a quick continue-as-new waits up to a second, and under time skipping its clock jumps",
    ),
    TuningValue(
        "frontend.rps.namespaceReplicationInducingAPIs",
        UNLIMITED,
        "stock 20: at most 20 new namespaces a second, and a test suite creates one per test",
    ),
    TuningValue(
        "frontend.namespaceRPS.namespaceReplicationInducingAPIs",
        UNLIMITED,
        "as frontend.rps.namespaceReplicationInducingAPIs",
    ),
    TuningValue("frontend.namespaceRPS", UNLIMITED, "stock 2400: one test suite can reach it"),
    TuningValue(
        "frontend.WorkflowTimeSkippingEnabled",
        "true",
        "stock false: time skipping on the real server needs it (server 1.32 or later)",
    ),
    TuningValue(
        "frontend.WorkflowTimeSkippingMaxSkipPerSession",
        UNLIMITED,
        "stock 200: after 200 skips a workflow silently stops skipping and its test hangs",
    ),
    TuningValue(
        "frontend.enableCancelWorkerPollsOnShutdown",
        "true",
        "stock false: a worker's shutdown waits for its open polls",
    ),
    TuningValue(
        "frontend.maskInternalErrorDetails",
        "false",
        "stock true: some refusals, such as of one build too many, only say that something went wrong",
    ),
    TuningValue(
        "frontend.WorkflowPauseEnabled",
        "true",
        "stock false: needed to pause and unpause a workflow",
    ),
    TuningValue(
        "system.namespaceCacheRefreshInterval",
        '"500ms"',
        "stock 2 s: worker deployments and batches start that much later in a new namespace, which every test has",
    ),
    TuningValue(
        "matching.numTaskqueueReadPartitions",
        "1",
        "stock 4: partitions gain nothing on one machine, and cost memory and CPU in every namespace",
    ),
    TuningValue("matching.numTaskqueueWritePartitions", "1", "as matching.numTaskqueueReadPartitions"),
    TuningValue(
        "matching.wv.VersionDrainageStatusVisibilityGracePeriod",
        '"1s"',
        "stock 3 m: a build is drained only this long after its last pinned workflow has ended",
    ),
    TuningValue(
        "matching.wv.VersionDrainageStatusRefreshInterval",
        '"1s"',
        "stock 3 m: the interval at which the server checks whether a build is drained",
    ),
)

STOCK: tuple[TuningValue, ...] = ()

TUNINGS: dict[str, tuple[TuningValue, ...]] = {"fast": FAST, "stock": STOCK}
