"""`@pytest.mark.temporal(...)`: its arguments, and errors in them."""

from __future__ import annotations

from datetime import timedelta

import pytest

from temporaltest.requirements import Requirements, requirements_of
from tests.temporaltest.conftest import ALONE, TWO, Suite

WORDS = "time_skipping, search_attributes, dynamic_config, version, private_server, replay, retention"


@pytest.fixture
def suite(own_suite: Suite) -> Suite:
    """A suite that starts its own server."""
    return own_suite


def required(pytester: pytest.Pytester, text: str) -> Requirements:
    """Return the requirements of the test in a module with this text."""
    pytester.makeini("[pytest]\nasyncio_default_fixture_loop_scope = function\n")
    (item,) = pytester.getitems(f"import pytest\nfrom datetime import timedelta\n{text}")
    return requirements_of(item)


def test_no_mark(pytester: pytest.Pytester) -> None:
    """A test without the mark uses the shared server in real time, and is replayed."""
    found = required(pytester, "def test_it(): pass")
    assert found == Requirements()
    assert not found.private
    assert found.replay


def test_closest_marks_win(pytester: pytest.Pytester) -> None:
    """A test's mark overrides its class's, and that its module's; other arguments are inherited."""
    found = required(
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
def test_settings_that_need_a_private_server(mark: str, pytester: pytest.Pytester) -> None:
    """A test that sets the version or dynamic configuration has a private server."""
    assert required(pytester, f"@pytest.mark.temporal({mark})\ndef test_it(): pass").private


INVALID = [
    ("time_skiping=True", "mark.temporal has no keyword 'time_skiping'; did you mean time_skipping?"),
    ("colour='red'", "mark.temporal has no keyword 'colour'"),
    ("'fast'", "mark.temporal takes keyword arguments only"),
    ("time_skipping='yes'", "mark.temporal(time_skipping=...) must be a bool, not 'yes'"),
    ("retention=3", "mark.temporal(retention=...) must be a timedelta, not 3"),
    ("search_attributes=['Customer']", "mark.temporal(search_attributes=...) must be a dict, not ['Customer']"),
    ("version=1.9", "mark.temporal(version=...) must be a str, not 1.9"),
]


@pytest.mark.parametrize(
    ("mark", "message", "ways"), [(*INVALID[0], TWO), *((mark, message, ALONE) for mark, message in INVALID)]
)
def test_invalid_mark(mark: str, message: str, ways: tuple[str, ...], suite: Suite) -> None:
    """An unknown argument or value ends the run before the first test, and the error lists the known ones."""
    suite.file("test_it.py", f"import pytest\n\n@pytest.mark.temporal({mark})\ndef test_it(): pass\n")
    result = suite.run(ways=ways)
    output = result.stdout.str() + result.stderr.str()
    assert result.ret != 0
    assert f"test_it.py::test_it: {message}" in output
    assert "Traceback" not in output
    assert "INTERNALERROR" not in output
    if "has no keyword" in message or "keyword arguments only" in message:
        assert WORDS in output


def test_mark_is_declared(bare_suite: Suite) -> None:
    """`pytest --markers` explains the mark, and `--strict-markers` accepts it."""
    bare_suite.run("--markers").stdout.fnmatch_lines([f"@pytest.mark.temporal({WORDS}): *"])
    bare_suite.file("test_it.py", "import pytest\n\n@pytest.mark.temporal\ndef test_it(): pass\n")
    bare_suite.passes("--strict-markers", passed=1)
