"""Dynamic configuration by name; each value with its reason.

What the stock values cost was measured on server 1.32.0. Keys a server does not know it ignores.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Setting:
    """One dynamic configuration value: the key, the value as JSON text, and why it is set."""

    key: str
    value: str
    reason: str


UNLIMITED = "100000"

FAST = (
    Setting(
        "history.timerProcessorMaxTimeShift",
        '"1ms"',
        "stock 1 s: every timer, retry back-off and time skip waits up to a second more than it should",
    ),
    Setting(
        "history.timerProcessorMaxPollRPS",
        UNLIMITED,
        "stock 20: at most 20 timer reads a second",
    ),
    Setting(
        "history.transferProcessorMaxPollRPS",
        UNLIMITED,
        "stock 20: activities, child workflows and signals are handed out at 20 reads a second",
    ),
    Setting(
        "history.visibilityProcessorMaxPollRPS",
        UNLIMITED,
        "stock 20: a started or closed workflow shows late in lists",
    ),
    Setting(
        "history.outboundProcessorMaxPollRPS",
        UNLIMITED,
        "stock 20: Nexus operations and callbacks are handed out at 20 reads a second",
    ),
    Setting(
        "history.persistenceMaxQPS",
        UNLIMITED,
        "stock 9000: seldom felt, but one process serves all, so there is no one to protect",
    ),
    Setting("frontend.persistenceMaxQPS", UNLIMITED, "as history.persistenceMaxQPS"),
    Setting("matching.persistenceMaxQPS", UNLIMITED, "as history.persistenceMaxQPS"),
    Setting(
        "history.workflowIdReuseMinimalInterval",
        '"0s"',
        "stock 1 s: a quick continue-as-new waits up to a second, and under time skipping its clock jumps",
    ),
    Setting(
        "frontend.rps.namespaceReplicationInducingAPIs",
        UNLIMITED,
        "stock 20: at most so many namespaces are made a second, and a test suite makes one per test",
    ),
    Setting(
        "frontend.namespaceRPS.namespaceReplicationInducingAPIs",
        UNLIMITED,
        "as frontend.rps.namespaceReplicationInducingAPIs",
    ),
    Setting("frontend.namespaceRPS", UNLIMITED, "stock 2400: one test suite can reach it"),
    Setting(
        "frontend.WorkflowTimeSkippingEnabled",
        "true",
        "stock false: time skipping on the real server needs it (server 1.32 or later)",
    ),
    Setting(
        "frontend.WorkflowTimeSkippingMaxSkipPerSession",
        UNLIMITED,
        "stock 200: after 200 skips a workflow silently stops skipping and its test hangs",
    ),
    Setting(
        "frontend.enableCancelWorkerPollsOnShutdown",
        "true",
        "stock false: a worker's shutdown waits for its open polls",
    ),
    Setting(
        "frontend.WorkflowPauseEnabled",
        "true",
        "stock false: pausing and unpausing a workflow needs it",
    ),
    Setting(
        "system.namespaceCacheRefreshInterval",
        '"500ms"',
        "stock 2 s: in a new namespace, as each test has one, worker deployments and batches begin so much later",
    ),
    Setting(
        "matching.wv.VersionDrainageStatusVisibilityGracePeriod",
        '"1s"',
        "stock 3 m: a build whose last pinned workflow has ended is called drained only after that time",
    ),
    Setting(
        "matching.wv.VersionDrainageStatusRefreshInterval",
        '"1s"',
        "stock 3 m: how often the server looks whether a build is drained",
    ),
)

STOCK: tuple[Setting, ...] = ()

TUNINGS: dict[str, tuple[Setting, ...]] = {"fast": FAST, "stock": STOCK}
