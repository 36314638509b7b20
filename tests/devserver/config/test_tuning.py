"""Tunings: values that can be passed on, each with its reason."""

from __future__ import annotations

import json

from devserver.config.tuning import FAST, TUNINGS


def test_stock_adds_nothing() -> None:
    """It is the server as its makers ship it."""
    assert TUNINGS["stock"] == ()


def test_every_value_is_json_and_has_its_reason() -> None:
    """What is set is set once, can be read by the server, and says why."""
    assert len({setting.key for setting in FAST}) == len(FAST)
    for setting in FAST:
        json.loads(setting.value)
        assert len(setting.reason) > 20, setting.key


def test_what_was_measured_is_in_it() -> None:
    """The settings that tests gain most from."""
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
