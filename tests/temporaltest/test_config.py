"""Options, ini keys, variables and `[tool.devserver]`: one configuration, read once."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

from temporaltest.config import TERMINAL_LINGER, PluginConfig, read
from temporaltest.options import OPTIONS
from tests.temporaltest.conftest import TWO, Suite

SECRET = "key-that-nobody-may-see"


@pytest.fixture
def suite(own_suite: Suite) -> Suite:
    """A suite that starts its own server."""
    return own_suite


def settings(pytester: pytest.Pytester, *args: str, **environ: str) -> PluginConfig:
    """Return the configuration of a run with these arguments and this environment."""
    return read(pytester.parseconfig(*args), environ)


# Sources and precedence


def test_defaults(pytester: pytest.Pytester) -> None:
    """By default the server is managed, waits end after 30 s, and every test is replayed."""
    assert settings(pytester) == PluginConfig()


@pytest.mark.parametrize(
    ("args", "environ", "ini", "table", "expected"),
    [
        (["--temporal-tuning=fast"], "stock", "stock", "stock", "fast"),
        ([], "fast", "stock", "stock", "fast"),
        ([], None, "fast", "stock", "fast"),
        ([], None, None, "fast", "fast"),
        ([], None, None, None, None),
    ],
)
def test_precedence(
    args: list[str],
    environ: str | None,
    ini: str | None,
    table: str | None,
    expected: str | None,
    pytester: pytest.Pytester,
) -> None:
    """An option overrides the environment, which overrides the ini file, which overrides `[tool.devserver]`."""
    lines = ["[tool.pytest.ini_options]"] + ([f'temporal_tuning = "{ini}"'] if ini else [])
    lines += ["[tool.devserver]"] + ([f'tuning = "{table}"'] if table else [])
    pytester.makepyprojecttoml("\n".join(lines))
    variables = {"TEMPORAL_TEST_TUNING": environ} if environ else {}
    assert settings(pytester, *args, **variables).tuning == expected


def test_every_option_has_a_flag_an_ini_key_and_a_variable(pytester: pytest.Pytester) -> None:
    """`pytest --help` lists all options, ini keys and variables."""
    shown = pytester.runpytest_subprocess("--help").stdout.str()
    for option in OPTIONS:
        assert option.flag in shown
        assert option.ini in shown
    assert settings(pytester, TEMPORAL_TEST_TIMEOUT="7", TEMPORAL_TEST_KEEP="on").timeout == 7


def test_executable_of_the_project(pytester: pytest.Pytester, tmp_path: Path) -> None:
    """Version and executable of `[tool.devserver]` apply to tests as to `devserver up`."""
    pytester.makepyprojecttoml('[tool.devserver]\nversion = "1.9.1"\nbinary = "bin/temporal"\noffline = true')
    found = settings(pytester, DEVSERVER_SOURCE="release")
    assert found.version == "1.9.1"
    assert found.executable == {
        "binary": str(pytester.path / "bin/temporal"),
        "source": "release",
        "offline": True,
    }


def test_project_of_the_tests(pytester: pytest.Pytester, tmp_path: Path) -> None:
    """The settings are those of the tests' project, wherever pytest is started."""
    project = pytester.mkdir("project")
    (project / "pyproject.toml").write_text('[tool.pytest.ini_options]\n[tool.devserver]\nversion = "1.8.3"\n')
    (project / "test_it.py").touch()
    assert settings(pytester, "project/test_it.py").version == "1.8.3"


def test_relative_paths(pytester: pytest.Pytester) -> None:
    """A path on the command line is relative to the working folder, one in an ini file to that file."""
    (pytester.path / "pytest.ini").write_text("[pytest]\ntemporal_report = reports\n")
    inner = pytester.mkdir("inner")
    os.chdir(inner)
    found = settings(pytester, "--rootdir", str(pytester.path), "--temporal-record", "histories")
    assert found.report == pytester.path / "reports"
    assert found.record == inner / "histories"


# Invalid values


@pytest.mark.parametrize(
    ("flag", "message"),
    [
        ("--temporal-backend=docker", "must be one of managed, container, external, not 'docker'"),
        ("--temporal-tuning=slow", "must be one of the tunings: fast, stock, not 'slow'"),
        ("--temporal-replay=maybe", "must be on or off, not 'maybe'"),
        ("--temporal-ui=2", "must be on or off, not '2'"),
        ("--temporal-timeout=soon", "must be a number of seconds, not 'soon'"),
        ("--temporal-timeout=-1", "must be a number of seconds, 0 or more, not '-1'"),
        ("--temporal-linger=nan", "must be a number of seconds, 0 or more, not 'nan'"),
        ("--temporal-address=localhost", "must be host:port, such as localhost:7233, not 'localhost'"),
        ("--temporal-address=http://localhost:7233", "must be host:port"),
        ("--temporal-address=http://me:pa/ss@localhost:7233", "not 'http://***@localhost:7233'"),
    ],
)
def test_invalid_value(flag: str, message: str, pytester: pytest.Pytester) -> None:
    """The run ends with where the value was set and the valid values."""
    name = flag.partition("=")[0]
    with pytest.raises(pytest.UsageError) as caught:
        settings(pytester, flag)
    assert str(caught.value).startswith(f"{name}: ")
    assert message in str(caught.value)


def test_invalid_value_names_its_source(pytester: pytest.Pytester) -> None:
    """The message says whether to fix the environment or the ini file."""
    with pytest.raises(pytest.UsageError, match=r"^TEMPORAL_TEST_UI: must be on or off"):
        settings(pytester, TEMPORAL_TEST_UI="2")
    ini = pytester.makeini("[pytest]\ntemporal_ui = 2\n")
    with pytest.raises(pytest.UsageError, match=r"^temporal_ui in .*: must be on or off") as caught:
        settings(pytester)
    assert str(ini) in str(caught.value)


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ('profil = "fast"', "unknown key 'profil'"),
        ('tuning = "slow"', "tuning must be one of fast, stock, not 'slow'"),
        ("version = 1", "version must be a string"),
    ],
)
def test_malformed_project_settings(table: str, message: str, suite: Suite) -> None:
    """Invalid settings of the project are an error before collection."""
    suite.file("pyproject.toml", f"[tool.devserver]\n{table}\n")
    result = suite.run()
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert message in result.stderr.str()
    assert "Traceback" not in result.stderr.str()


# Backends


@pytest.mark.parametrize(
    ("args", "environ", "ini", "backend"),
    [
        (["--temporal-address=a:1"], {}, "", "external"),
        (["--temporal-client-profile=cloud"], {}, "", "external"),
        ([], {"TEMPORAL_TEST_ADDRESS": "a:1"}, "", "external"),
        (["--temporal-address=a:1"], {}, "temporal_backend = container", "external"),
        (["--temporal-backend=managed"], {}, "temporal_address = a:1", "managed"),
        (["--temporal-backend=managed"], {"TEMPORAL_TEST_ADDRESS": "a:1"}, "", "managed"),
        (["--temporal-backend=external"], {}, "temporal_address = a:1", "external"),
        (["--temporal-backend=container"], {}, "", "container"),
    ],
)
def test_address_selects_the_external_backend(
    args: list[str], environ: dict[str, str], ini: str, backend: str, pytester: pytest.Pytester
) -> None:
    """An address selects the external backend, unless a backend is set with higher precedence."""
    pytester.makeini(f"[pytest]\n{ini}\n")
    assert settings(pytester, *args, **environ).backend == backend


def test_contradiction(pytester: pytest.Pytester) -> None:
    """An address and another backend, set in the same place, are refused."""
    with pytest.raises(pytest.UsageError, match=r"--temporal-address selects an external server, but .* managed"):
        settings(pytester, "--temporal-address=a:1", "--temporal-backend=managed")


# The header


@pytest.mark.parametrize(
    ("args", "line"),
    [
        ([], "temporal: managed server, Temporal CLI 1.9.1, tuning fast, timeout 30 s"),
        (
            ["--temporal-version=1.9.1", "--temporal-tuning=stock", "--temporal-ui=on", "--temporal-replay=off"],
            "temporal: managed server, Temporal CLI 1.9.1, tuning stock, timeout 30 s, no replay, Web UI",
        ),
        (
            ["--temporal-backend=container", "--temporal-image=mine:1", "--temporal-linger=60"],
            "temporal: container of mine:1, tuning fast, timeout 30 s, lingers for 60 s after the run",
        ),
        (
            ["--temporal-address=a:1", f"--temporal-api-key={SECRET}", "--temporal-keep=on", "--temporal-linger=60"],
            "temporal: external server a:1, timeout 30 s",
        ),
        (["--temporal-client-profile=cloud"], "temporal: external server client profile cloud, timeout 30 s"),
        (
            ["--temporal-backend=external"],
            "temporal: external server (SDK environment configuration), timeout 30 s",
        ),
        (
            ["--temporal-keep=on", "--temporal-version=1.8.3"],
            "temporal: managed server, Temporal CLI 1.8.3, tuning fast, timeout 30 s, kept running after the run",
        ),
    ],
)
def test_header_text(args: list[str], line: str, pytester: pytest.Pytester) -> None:
    """One line says which server is used and which settings are not the default."""
    assert settings(pytester, *args).header() == line


def test_header_is_printed(suite: Suite) -> None:
    """Every run starts with this line."""
    suite.run("--temporal-timeout", "12").stdout.fnmatch_lines(
        ["temporal: managed server, Temporal CLI *, timeout 12 s"]
    )


def test_api_key_is_not_shown(suite: Suite) -> None:
    """No output shows the API key, not even a failed test with the configuration in its traceback."""
    suite.tests(
        """
        from temporaltest.isolation import pytest_run

        def test_settings(pytestconfig):
            settings = pytestconfig.stash[pytest_run.SETTINGS]
            assert settings is None

        def test_server(temporal_client):
            pass
        """
    )
    shown = ("-l", "-vv", "--tb=long", "-rA", "--junit-xml=report.xml")
    result = suite.run("--temporal-address", "127.0.0.1:1", "--temporal-api-key", SECRET, *shown)
    result.assert_outcomes(failed=1, errors=1)
    output = result.stdout.str() + result.stderr.str() + (suite.path / "report.xml").read_text()
    assert "127.0.0.1:1" in output
    assert SECRET not in output


# xdist workers, terminals


def test_configuration_is_passed_to_workers() -> None:
    """An xdist worker has exactly the configuration of its controller."""
    config = PluginConfig(
        backend="external", address="a:1", api_key=SECRET, tls=True, record=Path("/histories"), linger=5
    )
    assert PluginConfig.from_wire(config.to_wire()) == config


def test_workers_use_the_controllers_environment(suite: Suite) -> None:
    """The controller's environment applies to its workers, whatever is in theirs."""
    suite.file(
        "test_it.py",
        """
        import os
        from temporaltest.isolation import pytest_run

        def test_settings(pytestconfig):
            assert pytestconfig.stash[pytest_run.SETTINGS].linger == 77
        """,
    )
    suite.file("conftest.py", "import os\nos.environ['TEMPORAL_TEST_LINGER'] = '5'\n")
    suite.passes("--temporal-linger=77", passed=1, ways=TWO)


def _header_at_terminal(suite: Suite, environ: dict[str, str]) -> str:
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "pytest", "--collect-only", "-p", "no:cacheprovider"]
    with subprocess.Popen(command, cwd=suite.path, stdin=theirs, stdout=theirs, env={**os.environ, **environ}) as run:
        os.close(theirs)
        output = b""
        while True:
            try:
                output += os.read(ours, 4096)
            except OSError:  # the terminal's other end is closed
                break
        run.wait(60)
    os.close(ours)
    return output.decode()


def test_server_stays_warm_only_at_a_terminal(suite: Suite) -> None:
    """The server lingers for a few minutes on a developer's terminal, and not in CI."""
    warm = f"lingers for {TERMINAL_LINGER:g} s after the run"
    assert warm in _header_at_terminal(suite, {})
    assert warm not in _header_at_terminal(suite, {"CI": "true"})
    assert warm not in suite.run("--collect-only").stdout.str()
