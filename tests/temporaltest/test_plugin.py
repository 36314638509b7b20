"""The cost of the plugin for suites that do not use it, and when the server starts."""

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
    """A suite that starts its own server."""
    return own_suite


def started(paths: Paths) -> list[str]:
    """Return all instances that were started."""
    return [path.name for path in paths.instances.glob("*/")]


def test_suite_without_temporal(every_way: Suite, paths: Paths) -> None:
    """If no test uses Temporal, nothing slow is imported and nothing is started."""
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
def test_collection_starts_no_server(args: tuple[str, ...], ways: tuple[str, ...], suite: Suite, paths: Paths) -> None:
    """`--collect-only`, and a selection without Temporal tests, start no server."""
    suite.ini("markers = nothing")
    suite.file("test_it.py", USES)
    result = suite.run(*args, ways=ways)
    assert result.ret in (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED)
    assert not started(paths)


@pytest.mark.parametrize("args", [("-k", "uses"), ("-m", "nothing"), ("--lf",)], ids=" ".join)
def test_selected_tests_have_a_server(args: tuple[str, ...], suite: Suite) -> None:
    """Selected tests run as in a complete run."""
    suite.ini("markers = nothing")
    suite.file("test_it.py", f"import pytest\n\n@pytest.mark.nothing\n{USES}")
    suite.passes(*args, passed=1)


def test_server_starts_during_collection(every_way: Suite) -> None:
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


def test_fixture_requested_at_runtime(suite: Suite) -> None:
    """A test that requests a fixture with `getfixturevalue` gets a server too."""
    suite.file("test_it.py", "def test_late(request):\n    assert request.getfixturevalue('temporal').address\n")
    suite.passes(passed=1)


def test_server_fixture_has_session_scope(every_way: Suite) -> None:
    """`temporal_server` is the server that all tests share, also in a session fixture."""
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


def test_web_ui(suite: Suite) -> None:
    """With `--temporal-ui=on` the Web UI answers at the address that tests get."""
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


def test_plugin_loads_quickly() -> None:
    """When pytest loads the plugin, no event loop, thread or client is created."""
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


def test_fixtures_are_imported_by_pytest() -> None:
    """The plugin does not import its fixtures itself, which would be a warning in old versions and an error in
    strict runs."""
    code = "import sys, temporaltest.plugin as it; assert not {*it.pytest_plugins} & {*sys.modules}"
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


def test_fixtures_are_documented(bare_suite: Suite) -> None:
    """`pytest --fixtures` has a line on each fixture of the plugin."""
    lines = bare_suite.run("--fixtures").stdout.lines
    ours = [number for number, line in enumerate(lines) if line.startswith("temporal") and "fixtures.py:" in line]
    assert len(ours) >= 8
    for number in ours:
        assert lines[number + 1].startswith("    ")
        assert "no docstring" not in lines[number + 1]


def test_failed_start(suite: Suite, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The error is that of the start, without the plugin's own frames."""
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
