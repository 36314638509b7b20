"""What a mark asks of one test, asked of the whole run: dynamic configuration and time skipping."""

from __future__ import annotations

from tests.temporaltest.conftest import Suite

LIMITED = """
from temporalio.service import RPCError

@workflow.defn
class Rests:
    @workflow.run
    async def run(self) -> int:
        begin = workflow.time()
        await workflow.sleep(3 * 86400)
        return round((workflow.time() - begin) / 86400)


def check_limit(temporal, limit):
    temporal.start(Rests.run, id="x" * limit)
    with pytest.raises(RPCError, match="maximum allowed length"):
        temporal.start(Rests.run, id="x" * (limit + 1))


def test_shared(temporal):
    check_limit(temporal, 60)
    temporal.worker(workflows=[Rests])
    assert temporal.execute(Rests.run) == 3


@pytest.mark.temporal(dynamic_config={"limit.memoSizeLimitWarn": 999}, time_skipping=False)
def test_own_server(temporal):
    check_limit(temporal, 60)
    assert not temporal.env.supports_time_skipping
"""


def test_options_apply_to_every_test(own_suite: Suite) -> None:
    """Every test has the dynamic configuration and skips time; a mark adds to the first and overrides the second."""
    own_suite.ini("temporal_time_skipping = true", "temporal_dynamic_config =", "    limit.maxIDLength=60", "    a.b=1")
    own_suite.tests(LIMITED)
    result = own_suite.passes(passed=2)
    result.stdout.fnmatch_lines(["temporal: managed server*limit.maxIDLength=60, a.b=1*, time skipping*"])
