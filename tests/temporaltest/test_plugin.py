"""What a suite pays that does not use the plugin, and when the server is begun."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from devserver.system.paths import Paths
from tests.temporaltest.conftest import TWO, Suite

HEAVY = (
    "temporalio",
    "google.protobuf",
    "devserver.instances.dev_server",
    "devserver.executables.models",
    "devserver.executables.resolve",
    "temporaltest.isolation.session",
    "temporaltest.isolation.context",
    "testcontainers",
    "docker",
    "httpx",
)

USES = "def test_uses(temporal):\n    pass\n"


@pytest.fixture
def suite(own_suite: Suite) -> Suite:
    """Where servers begin and end is what is shown here."""
    return own_suite


def started(paths: Paths) -> list[str]:
    """The instances that were ever started here."""
    return [each.name for each in paths.instances.glob("*/")]


def test_suite_that_does_not_use_it_pays_nothing(every_way: Suite, paths: Paths) -> None:
    """Where no test needs Temporal nothing heavy is imported and nothing is started."""
    every_way.file(
        "test_it.py",
        f"""
        import sys
        import pytest

        @pytest.fixture
        def temporal_relation():
            return "not ours"

        def test_plain(temporal_relation):
            heavy = [each for each in {HEAVY} if each in sys.modules]
            assert heavy == []
        """,
    )
    every_way.passes(passed=1, fresh=True)
    assert not paths.state.exists()


@pytest.mark.parametrize(
    "args",
    [
        ("--collect-only",),
        ("--fixtures",),
        ("--fixtures-per-test",),
        ("--markers",),
        ("--setup-plan",),
        ("-k", "nothing_is_called_so"),
        ("-m", "nothing"),
        ("--deselect", "test_it.py"),
    ],
    ids=" ".join,
)
@pytest.mark.parametrize("ways", [("-p", "no:xdist"), TWO], ids=["no-xdist", "n2"])
def test_looking_starts_nothing(args: tuple[str, ...], ways: tuple[str, ...], suite: Suite, paths: Paths) -> None:
    """Who only looks at tests, or chooses others, starts no server."""
    suite.ini("markers = nothing")
    suite.file("test_it.py", USES)
    result = suite.run(*args, ways=ways)
    assert result.ret in (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED)
    assert not started(paths)


@pytest.mark.parametrize("args", [("-k", "uses"), ("-m", "nothing"), ("--lf",)], ids=" ".join)
def test_chosen_tests_have_their_server(args: tuple[str, ...], suite: Suite) -> None:
    """Tests that were chosen run as they do among all."""
    suite.ini("markers = nothing")
    suite.file("test_it.py", f"import pytest\n\n@pytest.mark.nothing\n{USES}")
    suite.passes(*args, passed=1)


def test_server_is_begun_while_tests_are_collected(every_way: Suite) -> None:
    """The server starts with the first test that needs it, while later modules are still imported."""
    every_way.file("test_a.py", USES)
    every_way.file(
        "test_b.py",
        """
        import time
        from devserver import Paths

        deadline = time.monotonic() + 60
        while not list(Paths.default().instances.glob("pytest-*/record.json")):
            assert time.monotonic() < deadline, "no server was begun"
            time.sleep(0.01)

        def test_plain():
            pass
        """,
    )
    every_way.passes(passed=2)


def test_fixture_asked_for_late_has_its_server(suite: Suite) -> None:
    """A test that asks for a fixture by name only when it runs gets a server too."""
    suite.file("test_it.py", "def test_late(request):\n    assert request.getfixturevalue('temporal').address\n")
    suite.passes(passed=1)


def test_server_fixture_is_for_the_session(every_way: Suite) -> None:
    """`temporal_server` is the server that all tests share, from a session's fixture too."""
    every_way.file(
        "test_it.py",
        """
        import pytest

        @pytest.fixture(scope="session")
        def prepared(temporal_server):
            return temporal_server.address

        def test_address(prepared, temporal):
            assert prepared == temporal.address

        def test_abilities(temporal_server):
            assert "time skipping" in temporal_server.can
            assert temporal_server.ui_url is None
        """,
    )
    every_way.passes(passed=2)


def test_ui_is_served_when_asked_for(suite: Suite) -> None:
    """With `--temporal-ui=on` the Web UI answers at the address that tests are told."""
    suite.file(
        "test_it.py",
        """
        import urllib.request

        def test_ui(temporal):
            with urllib.request.urlopen(temporal.ui_url) as answer:
                assert answer.status == 200
        """,
    )
    suite.passes("--temporal-ui=on", passed=1)


def test_loading_it_takes_little() -> None:
    """What pytest loads of the plugin at its start brings no event loop, no threads and no client along."""
    heavy = ("asyncio", "concurrent.futures", "ssl", "difflib", *HEAVY)
    code = f"""
import sys, pytest, _pytest.runner
before = set(sys.modules)
import temporaltest.plugin, temporaltest.fixtures
from devserver import Settings
brought = (set(sys.modules) - before) & set({heavy})
assert not brought, brought
"""
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


def test_fixtures_are_left_to_pytest_to_import() -> None:
    """Loading the plugin does not import its fixtures, of which pytest would warn: older versions, and strict runs."""
    code = "import sys, temporaltest.plugin as it; assert not {*it.pytest_plugins} & {*sys.modules}"
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


def test_fixtures_are_explained(bare_suite: Suite) -> None:
    """`pytest --fixtures` has a line on each fixture of the plugin."""
    lines = bare_suite.run("--fixtures").stdout.lines
    ours = [number for number, line in enumerate(lines) if line.startswith("temporal") and "fixtures.py:" in line]
    assert len(ours) >= 8
    for number in ours:
        assert lines[number + 1].startswith("    ")
        assert "no docstring" not in lines[number + 1]


def test_error_of_the_start_is_told_plainly(suite: Suite, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that does not start is told in the words of devserver, without the plugin's inside."""
    program = tmp_path / "fails"
    program.write_text(
        '#!/bin/sh\n[ "$1" = --version ] && exec echo "temporal version 1.9.1 (Server 1.32.0, UI 2.54.1)"\n'
        "echo out of luck\nexit 1\n"
    )
    program.chmod(0o755)
    monkeypatch.setenv("DEVSERVER_BINARY", str(program))
    suite.file("test_it.py", USES)
    result = suite.run()
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*out of luck*"])
    assert "session.py" not in result.stdout.str()
