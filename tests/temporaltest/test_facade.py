"""The `temporal` fixture: starting workflows, waiting, and its public names."""

from __future__ import annotations

import subprocess
import sys

from .conftest import Suite
from .workers.test_workers import GREET


def test_ways_to_start(suite: Suite) -> None:
    """Workflows are started by reference or name, with any arguments and with the SDK's own options."""
    suite.tests(
        GREET
        + """
@workflow.defn
class Adds:
    def __init__(self) -> None:
        self.more = 0

    @workflow.run
    async def run(self, a: int = 1, b: int = 2, c: int = 3) -> int:
        return a + b + c + self.more

    @workflow.signal
    def add(self, more: int) -> None:
        self.more += more


def test_it(temporal):
    temporal.worker(workflows=[Adds])
    assert temporal.execute(Adds.run) == 6
    assert temporal.execute(Adds.run, 2) == 7
    assert temporal.execute(Adds.run, 2, 3) == 8
    assert temporal.execute(Adds.run, 2, 3, 4) == 9
    assert temporal.execute(Adds.run, args=[2, 3]) == 8
    assert temporal.execute("Adds", 2, 3) == 8
    assert temporal.execute("Adds", args=[2, 3], result_type=int) == 8
    assert temporal.execute(Adds.run, 0, 0, 0, start_signal="add", start_signal_args=[7]) == 7
    handle = temporal.start(Adds.run, 5, id="mine", memo={"a": 1})
    assert (handle.id, temporal.run(handle.result())) == ("mine", 10)
    ids = [temporal.start(Adds.run).id for _ in range(2)]
    assert ids == ["adds-9", "adds-10"]


def test_properties_of_temporal(temporal, temporal_namespace, temporal_client):
    assert temporal.namespace == temporal_namespace == temporal.client.namespace == temporal_client.namespace
    assert temporal.address == temporal.client.service_client.config.target_host
    assert temporal.task_queue == "tests"
    assert temporal.ui_url is None


def test_custom_errors(temporal):
    async def fails():
        raise asyncio.TimeoutError("mine")

    with pytest.raises(asyncio.TimeoutError, match="mine"):
        temporal.run(fails())
    temporal.worker(workflows=[Waits])
    handle = temporal.start(Waits.run)
    temporal.run(handle.terminate("over"))
    with pytest.raises(WorkflowFailureError):
        temporal.run(handle.result())
"""
    )
    suite.passes(passed=3)


def test_fixtures_are_documented(suite: Suite) -> None:
    """`pytest --fixtures` shows what each fixture is for."""
    result = suite.run("--fixtures")
    for name in ("temporal", "temporal_client", "temporal_env", "temporal_namespace", "temporal_worker"):
        result.stdout.re_match_lines([rf"{name} -- .*fixtures.py:\d+", r"    \S+"])


def test_public_names() -> None:
    """Every public name can be imported, and importing none loads nothing."""
    code = """
import sys
import temporaltest

assert "temporalio" not in sys.modules and "pytest" not in sys.modules
for name in temporaltest.__all__:
    assert getattr(temporaltest, name) is not None and name in dir(temporaltest)
try:
    temporaltest.nothing
except AttributeError as error:
    assert "has no attribute 'nothing'" in str(error)
"""
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
