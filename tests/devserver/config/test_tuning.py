"""Tunings: valid values, each with its reason."""

from __future__ import annotations

import json

from devserver.config.tuning import FAST, TUNINGS


def test_stock_sets_nothing() -> None:
    """The stock tuning leaves the server's defaults unchanged."""
    assert TUNINGS["stock"] == ()


def test_every_value_is_json_and_has_its_reason() -> None:
    """Every key is set once, to valid JSON, with a reason."""
    assert len({setting.key for setting in FAST}) == len(FAST)
    for setting in FAST:
        json.loads(setting.value)
        assert len(setting.reason) > 20, setting.key


def test_fast_has_the_measured_settings() -> None:
    """The fast tuning has the settings that speed up tests most."""
    assert {setting.key for setting in FAST} >= {
        "history.timerProcessorMaxTimeShift",
        "history.timerProcessorMaxPollRPS",
        "history.transferProcessorMaxPollRPS",
        "history.visibilityProcessorMaxPollRPS",
        "history.outboundProcessorMaxPollRPS",
        "frontend.WorkflowTimeSkippingEnabled",
        "frontend.WorkflowTimeSkippingMaxSkipPerSession",
        "frontend.enableCancelWorkerPollsOnShutdown",
        "frontend.WorkflowPauseEnabled",
    }
