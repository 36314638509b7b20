"""`devserver up` accepts command lines of `temporal server start-dev` unchanged."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from devserver.cli.main import run
from devserver.cli.options.server_values import make_options
from devserver.cli.up import BINARY_KEYS, up
from devserver.config.server_options import ServerOptions
from devserver.config.settings import Settings
from devserver.server.command_line import Ports, command_line
from tests.conftest import Run
from tests.devserver.cli.conftest import StatusOf

OURS = ("detach", "name", "timeout", "pause_schedules", "quiet", "as_json", *BINARY_KEYS)
PORTS = Ports(grpc=7000, http=7001, metrics=7002, ui=7003)


def options_of(line: str) -> ServerOptions:
    """Parse a command line as `devserver up` does."""
    context = up.make_context("up", shlex.split(line))
    values: dict[str, Any] = {key: value for key, value in context.params.items() if key not in OURS}
    return make_options(values, Settings())[0]


def server_command_line(options: ServerOptions) -> list[str]:
    """Return the server's command line for these options."""
    return command_line(options, executable=Path("temporal"), version="1.9.1", ports=PORTS, database=Path("db"))


def flags_of(real_binary: Path, *words: str) -> set[str]:
    """Return the flags listed in the help of a command of the real executable."""
    done = subprocess.run([real_binary, *words], capture_output=True, text=True, timeout=180, check=True)
    return set(re.findall(r"(?m)^ +(?:-\w, )?(--[\w-]+)", done.stdout))


def test_every_flag_of_start_dev_is_known(real_binary: Path) -> None:
    """Every flag of `start-dev` either works here or has a message that says what to use instead."""
    known = {name for option in up.params for name in (*option.opts, *option.secondary_opts)}
    assert flags_of(real_binary, "server", "start-dev", "--help") - known - {"--help"} == set()
    global_flags = flags_of(real_binary, "options")
    assert {"--log-level", "--output", "--config-file"} <= global_flags
    connection = {"--codec-auth", "--codec-endpoint", "--codec-header", "--grpc-meta", "--client-authority"}
    assert {name for name in global_flags - known if not name.startswith("--tls")} - connection == {"--profile"}


@pytest.mark.parametrize(
    ("line", "field", "value"),
    [
        ("-f dev.db", "database", Path("dev.db")),
        ("--db-filename dev.db", "database", Path("dev.db")),
        ("--db-filename=/tmp/a b.db".replace(" ", "-"), "database", Path("/tmp/a-b.db")),
        ("--dynamic-config-value limit.maxIDLength=20", "dynamic_config", (("limit.maxIDLength", "20"),)),
        ("--dynamic-config-value 'a.b=\"text\"'", "dynamic_config", (("a.b", '"text"'),)),
        ("--headless", "ui", False),
        ("--http-port 7001", "http_port", 7001),
        ("--ip localhost", "bind", "127.0.0.1"),
        ("--ip 127.0.0.1", "bind", "127.0.0.1"),
        ("--ip 0.0.0.0 --allow-remote", "bind", "0.0.0.0"),
        ("--log-config", "log_config", True),
        ("--log-format json", "log_format", "json"),
        ("--log-level error", "log_level", "error"),
        ("--metrics-port 9000", "metrics_port", 9000),
        ("-n orders -n billing", "namespaces", ("orders", "billing")),
        ("--namespace orders", "namespaces", ("orders",)),
        ("-p 7000", "port", 7000),
        ("--port 7000", "port", 7000),
        ("--search-attribute Customer=Keyword", "search_attributes", (("Customer", "Keyword"),)),
        ("--sqlite-pragma synchronous=0", "sqlite_pragmas", (("synchronous", "0"),)),
        ("--ui-asset-path .", "ui_asset_path", Path()),
        ("--ui-codec-endpoint http://127.0.0.1:8234", "ui_codec_endpoint", "http://127.0.0.1:8234"),
        ("--ui-disable-news-fetch", "ui", True),
        ("--ui-ip localhost", "ui_ip", "127.0.0.1"),
        ("--ui-port 3000", "ui_port", 3000),
        ("--ui-public-path /temporal", "ui_public_path", "/temporal"),
    ],
)
def test_an_option_of_start_dev(line: str, field: str, value: object) -> None:
    """Every option in the spelling of `start-dev` sets the option of `devserver up`."""
    assert getattr(options_of(line), field) == value


def test_options_are_passed_on_to_the_server() -> None:
    """Options that the executable knows are passed on to it, also after a restart."""
    line = (
        "--ui-public-path /t --ui-asset-path . --log-format json --log-config --sqlite-pragma cache_size=-64000 "
        "--sqlite-pragma synchronous=0"
    )
    options = options_of(line)
    words = server_command_line(options)
    assert shlex.join(words[words.index("--ui-public-path") :]).startswith("--ui-public-path /t --ui-asset-path .")
    for pair in (["--log-format", "json"], ["--sqlite-pragma", "cache_size=-64000"]):
        assert pair in [words[place : place + 2] for place in range(len(words))]
    assert "--log-config" in words
    assert "synchronous=0" in words
    assert "synchronous=NORMAL" not in words
    assert ServerOptions.from_json(json.loads(json.dumps(options.to_json()))) == options


@pytest.mark.parametrize(
    ("words", "advice"),
    [
        (
            ["--config-file", "x.toml"],
            "does not take --config-file: it holds settings of a client, and the server reads none.\n",
        ),
        (
            ["--env", "prod"],
            "Error: `devserver up` does not take --env: it selects settings of a client, and the server reads none.\n",
        ),
        (["--output", "json"], "use --json"),
        (["-o", "json"], "use --json"),
        (["--color", "never"], "use NO_COLOR=1 to turn colors off"),
        (["--command-timeout", "5s"], "use --timeout, which limits the start of the server"),
        (["--address", "127.0.0.1:7233"], "the server listens on --ip and --port"),
        (["--ip", "0.0.0.0"], "add --allow-remote"),
        (["--ui-ip", "0.0.0.0"], "add --allow-remote"),
        (["--ui-ip", "here"], "--ui-ip 'here' is not an IP address"),
        (
            ["--ui-public-path", "x"],
            "--ui-public-path 'x' does not begin with a slash\nhint: use --ui-public-path /x\n",
        ),
        (
            ["--sqlite-pragma", "synchronous"],
            "form PRAGMA=VALUE\nhint: for example --sqlite-pragma cache_size=-64000\n",
        ),
    ],
)
def test_start_dev_option_without_an_equivalent(
    capsys: pytest.CaptureFixture[str], words: list[str], advice: str
) -> None:
    """The option is refused with a message that says what to use, and the exit code is 2."""
    assert run(["up", *words]) == 2
    assert advice in capsys.readouterr().err


def test_a_pasted_command_line_starts_the_server(up: Run, devserver: Run, status_of: StatusOf, tmp_path: Path) -> None:
    """The longest command line that `start-dev` accepts starts a real server with its namespaces, UI, log and
    database."""
    line = (
        "--db-filename dev.db --namespace orders --dynamic-config-value limit.maxIDLength=20 "
        "--search-attribute Customer=Keyword --ui-public-path /temporal --log-format json --log-level info "
        "--log-config --sqlite-pragma cache_size=-64000 --ip localhost --ui-ip 127.0.0.1"
    )
    up(*shlex.split(line))
    found = status_of()
    assert (found["state"], found["database"]) == ("ready", str(tmp_path / "dev.db"))
    assert found["namespaces"] == ["orders", "default"]
    assert found["ui_url"].endswith("/temporal")
    with urllib.request.urlopen(found["ui_url"], timeout=60) as page:
        assert b"/temporal/" in page.read()
    log = devserver("logs", "--lines", "1000").stdout.splitlines()
    assert any(line.startswith(('{"time":', '{"level":')) for line in log)
    lines = [json.loads(line) for line in devserver("logs", "--json").stdout.splitlines()]
    assert all(list(line) == ["form", "line"] for line in lines)
