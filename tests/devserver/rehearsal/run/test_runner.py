"""Complete rehearsals: runbooks that are blocked, and data converters."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from devserver.rehearsal import Scenario, at, expect, faults
from devserver.rehearsal.errors import ScenarioInvalid

from ..conftest import Rehearse, scene

BROKEN = """
from temporalio import workflow

@workflow.defn
class Broken:
    @workflow.run
    async def run(self) -> None:
        raise KeyError("no such node")
"""

MODELS = """
from datetime import timedelta

from pydantic import BaseModel
from temporalio import activity, workflow

class Wish(BaseModel):
    wait: timedelta

@activity.defn
async def doubled(wish: Wish) -> Wish:
    return Wish(wait=wish.wait * 2)

@workflow.defn
class Grant:
    @workflow.run
    async def run(self, wish: Wish) -> Wish:
        return await workflow.execute_activity(doubled, wish, start_to_close_timeout=timedelta(seconds=2))
"""


def runbook(folder: Path, text: str, name: str) -> Path:
    """Write a scenario's file next to a runbook of that name."""
    (folder / f"{name}.py").write_text(text)
    return folder / "scenario.py"


def test_a_broken_runbook_is_detected_at_once(rehearse: Rehearse, tmp_path: Path) -> None:
    """The run without faults fails with the runbook's own error, long before the limit."""
    file = runbook(tmp_path, BROKEN, "runbook_broken")
    plan = [at.elapsed(0).do(faults.freeze_worker(0.01))]
    scenario = Scenario("x", "runbook_broken", "Broken", plan=plan, expect=[expect.same_result()], limit=100, file=file)
    result = rehearse(scenario)
    assert result.verdict == "fail"
    assert "its workflow task fails: 'no such node'" in result.reason
    assert any("KeyError" in line for line in result.judgements[0].details)
    plain = rehearse(Scenario("x", "runbook_broken", "Broken", expect=[expect.completes()], limit=100, file=file))
    assert plain.verdict == "fail"
    assert "its workflow task fails: 'no such node'" in plain.reason


def test_a_runbook_at_its_limit_says_what_it_waits_for(rehearse: Rehearse) -> None:
    """The reason is what `devserver stuck` reports."""
    hangs = at.activity_starts("step").do(faults.kill_worker(down=60))
    result = rehearse(scene("steps", "Sure", hangs, limit=2.0))
    assert result.verdict == "fail"
    assert "it did not end within 2 s" in result.reason
    assert result.run is not None
    assert any("step" in line for line in result.run.stuck), result.run.stuck


def test_a_custom_data_converter(rehearse: Rehearse, tmp_path: Path) -> None:
    """Workers, clients, results and replays use the converter of the scenario."""
    file = runbook(tmp_path, MODELS, "runbook_models")
    import sys

    sys.path.insert(0, str(tmp_path))
    try:
        from runbook_models import Wish  # type: ignore[import-not-found]
    finally:
        sys.path.remove(str(tmp_path))
    from datetime import timedelta

    scenario = Scenario(
        "x",
        "runbook_models",
        "Grant",
        input=Wish(wait=timedelta(hours=1)),
        data_converter="temporalio.contrib.pydantic:pydantic_data_converter",
        plan=[at.activity_starts("doubled").do(faults.freeze_worker(0.05))],
        expect=[expect.completes(), expect.same_result(), expect.replays()],
        file=file,
    )
    result = rehearse(scenario)
    assert result.verdict == "pass", result.reason


@pytest.mark.parametrize(
    ("name", "message"),
    [("json:dumps", "is not a data converter"), ("nothing_here:x", "ModuleNotFoundError"), ("json", "AttributeError")],
)
def test_an_invalid_data_converter(name: str, message: str, rehearse: Rehearse) -> None:
    """It is refused before anything is started, with the form of a name."""
    with pytest.raises(ScenarioInvalid, match=message):
        rehearse(scene("steps", "Sure", data_converter=name))


@pytest.mark.parametrize("more", [{"input": "x"}, {"args": [1, 2]}])
def test_too_many_arguments(more: dict[str, Any], rehearse: Rehearse) -> None:
    """The server would ignore them silently, so they are refused, with the arguments of the workflow."""
    with pytest.raises(ScenarioInvalid, match="too many positional arguments"):
        rehearse(scene("steps", "Sure", **more))


def test_missing_arguments(rehearse: Rehearse, tmp_path: Path) -> None:
    """The error names them."""
    file = runbook(tmp_path, MODELS, "runbook_missing")
    with pytest.raises(ScenarioInvalid, match="missing a required argument: 'wish'"):
        rehearse(Scenario("x", "runbook_missing", "Grant", expect=[expect.completes()], file=file))


def test_arguments_that_cannot_be_encoded(rehearse: Rehearse, tmp_path: Path) -> None:
    """They are refused before anything is started."""
    file = runbook(tmp_path, MODELS, "runbook_unsent")
    with pytest.raises(ScenarioInvalid, match="cannot encode the arguments"):
        rehearse(Scenario("x", "runbook_unsent", "Grant", input=object(), expect=[expect.completes()], file=file))


LOUD = """
import asyncio
from datetime import timedelta
from temporalio import activity, workflow
from temporalio.common import RetryPolicy

@activity.defn
async def shout() -> None:
    raise RuntimeError("no" * 100_000)

@activity.defn
async def wait() -> None:
    while True:
        activity.heartbeat()
        await asyncio.sleep(0.05)

@workflow.defn
class Loud:
    @workflow.run
    async def run(self) -> str:
        limit = timedelta(seconds=5)
        once = RetryPolicy(maximum_attempts=1)
        try:
            await workflow.execute_activity(shout, start_to_close_timeout=limit, retry_policy=once)
        except Exception:
            pass
        waiting = workflow.start_activity(wait, start_to_close_timeout=limit, heartbeat_timeout=timedelta(seconds=1))
        await workflow.sleep(0.5)
        waiting.cancel()
        try:
            await waiting
        except BaseException:
            pass
        return "calm"
"""


def test_a_long_error_and_a_cancelled_activity(rehearse: Rehearse, tmp_path: Path) -> None:
    """An activity's error may be longer than a pipe's line, and a cancelled activity ends as usual."""
    file = runbook(tmp_path, LOUD, "runbook_loud")
    plan = [at.activity_starts("wait").do(faults.freeze_worker(0.05))]
    result = rehearse(Scenario("x", "runbook_loud", "Loud", plan=plan, expect=[expect.completes()], file=file))
    assert result.verdict == "pass", result.reason
