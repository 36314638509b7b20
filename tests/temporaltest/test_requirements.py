"""`@pytest.mark.temporal(...)`: what it sets, and what it refuses."""

from __future__ import annotations

from datetime import timedelta

import pytest

from temporaltest.requirements import Requirements, requirements_of
from tests.temporaltest.conftest import Suite

WORDS = "time_skipping, search_attributes, dynamic_config, version, private_server, replay, retention"


@pytest.fixture
def suite(own_suite: Suite) -> Suite:
    """Where servers begin and end is what is shown here."""
    return own_suite


def wished(pytester: pytest.Pytester, text: str) -> Requirements:
    """The requirements of the test in a module with that text."""
    pytester.makeini("[pytest]\nasyncio_default_fixture_loop_scope = function\n")
    (item,) = pytester.getitems(f"import pytest\nfrom datetime import timedelta\n{text}")
    return requirements_of(item)


def test_without_a_mark_nothing_is_wished(pytester: pytest.Pytester) -> None:
    """A test without the mark shares the server, in real time, and is replayed."""
    found = wished(pytester, "def test_it(): pass")
    assert found == Requirements()
    assert not found.private
    assert found.replay


def test_nearer_marks_win(pytester: pytest.Pytester) -> None:
    """A test's mark wins over its class's, and that over its module's; other words are kept."""
    found = wished(
        pytester,
        """
pytestmark = pytest.mark.temporal(replay=False, version="1.8.3")

@pytest.mark.temporal(time_skipping=True, version="1.8.2", retention=timedelta(days=3))
class TestIt:
    @pytest.mark.temporal(version="1.9.1")
    def test_it(self): pass
""",
    )
    assert found == Requirements(time_skipping=True, replay=False, version="1.9.1", retention=timedelta(days=3))


@pytest.mark.parametrize(
    "mark",
    ["private_server=True", "version='1.9.1'", "dynamic_config={'frontend.WorkflowPauseEnabled': True}"],
)
def test_what_is_a_servers_own_needs_a_private_one(mark: str, pytester: pytest.Pytester) -> None:
    """Version and dynamic configuration are one server's, so a test that sets them has a server to itself."""
    assert wished(pytester, f"@pytest.mark.temporal({mark})\ndef test_it(): pass").private


@pytest.mark.parametrize(
    ("mark", "told"),
    [
        ("time_skiping=True", "mark.temporal has no keyword 'time_skiping'; did you mean time_skipping?"),
        ("colour='red'", "mark.temporal has no keyword 'colour'"),
        ("'fast'", "mark.temporal takes keyword arguments only"),
        ("time_skipping='yes'", "mark.temporal(time_skipping=...) must be a bool, not 'yes'"),
        ("retention=3", "mark.temporal(retention=...) must be a timedelta, not 3"),
        ("search_attributes=['Customer']", "mark.temporal(search_attributes=...) must be a dict, not ['Customer']"),
        ("version=1.9", "mark.temporal(version=...) must be a str, not 1.9"),
    ],
)
def test_wrong_mark_ends_the_run(mark: str, told: str, both_ways: Suite) -> None:
    """A mark with a word or value that does not exist ends the run before a test, and says which there are."""
    both_ways.file("test_it.py", f"import pytest\n\n@pytest.mark.temporal({mark})\ndef test_it(): pass\n")
    result = both_ways.run()
    output = result.stdout.str() + result.stderr.str()
    assert result.ret != 0
    assert f"test_it.py::test_it: {told}" in output
    assert "Traceback" not in output
    assert "INTERNALERROR" not in output
    if "has no keyword" in told or "keyword arguments only" in told:
        assert WORDS in output


def test_mark_is_declared(bare_suite: Suite) -> None:
    """`pytest --markers` explains the mark, and `--strict-markers` knows it."""
    bare_suite.run("--markers").stdout.fnmatch_lines([f"@pytest.mark.temporal({WORDS}): *"])
    bare_suite.file("test_it.py", "import pytest\n\n@pytest.mark.temporal\ndef test_it(): pass\n")
    bare_suite.passes("--strict-markers", passed=1)
