"""`--temporal-timeout` moves every limit, and a failure at a limit names what was late."""

from __future__ import annotations

from ..conftest import Suite

# The server never has the attribute, and a worker takes longer than the limit in code that is not the user's.
SLOW = """
import time

from temporaltest.isolation import allocation, namespaces
from temporaltest.workers import workers


async def nothing(*arguments):
    pass


namespaces._add = nothing
allocation.SETUP_SECONDS = 0.5
exec(compile("def slow(*a, **k): time.sleep(5); return real(*a, **k)", "<sdk>", "exec"))
real = workers.Worker


@pytest.fixture
def slow_workers(monkeypatch):
    monkeypatch.setattr(workers, "Worker", slow)
"""

TESTS = """
import time

from temporalio.worker import Interceptor
from temporaltest import WorkerStuck


@workflow.defn
class Nothing:
    @workflow.run
    async def run(self) -> None:
        pass


class Sleeps(Interceptor):
    def workflow_interceptor_class(self, input):
        time.sleep(5)


@pytest.mark.temporal(search_attributes={"Level": "Int", "Name": "Keyword"})
def test_attribute(temporal):
    pass


def test_worker(temporal, slow_workers):
    with pytest.raises(WorkerStuck, match="did not answer within 2 s, and none of your code .* --temporal-timeout"):
        temporal.worker(workflows=[Nothing])


def test_interceptor(temporal):
    with pytest.raises(WorkerStuck, match=r"at test_it.py:\\d+ in workflow_interceptor_class: time.sleep\\(5\\)"):
        temporal.worker(workflows=[Nothing], interceptors=[Sleeps()])
"""


def test_what_is_late(suite: Suite) -> None:
    """The failure names the search attribute that is late; it blames no interceptor for a slow machine."""
    suite.file("conftest.py", "import pytest\n" + SLOW)
    suite.tests(TESTS)
    result = suite.run("--temporal-timeout", "2")
    result.stdout.fnmatch_lines(
        "*the namespace test-attribute-* did not have its search attributes Level (Int), Name (Keyword) within 2 s: *"
    )
    assert result.parseoutcomes()["passed"] == 2
