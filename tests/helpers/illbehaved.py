"""Programs that answer `--version` like Temporal, and misbehave as servers."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path

ANSWER = "temporal version 1.9.1 (Server 1.32.0, UI 2.54.1)"

_SHELL = f"""#!/bin/sh
if [ "$1" = --version ]; then echo '{ANSWER}'; exit 0; fi
"""

_PYTHON = f"""#!{sys.executable} -SE
import sys
if sys.argv[1] == "--version":
    print("{ANSWER}")
    sys.exit(0)
def option(name):
    return sys.argv[sys.argv.index(name) + 1]
"""


def exits(folder: Path, message: str, code: int = 1) -> Path:
    """Prints `message` and exits at once."""
    return _program(folder, "exits", f"{_SHELL}echo {shlex.quote(message)}; exit {code}\n")


def hangs(folder: Path) -> Path:
    """Neither listens nor exits."""
    return _program(folder, "hangs", f"{_SHELL}exec sleep 600\n")


def stops(folder: Path, real: Path) -> Path:
    """The real server, stopped by a signal before it does anything."""
    return _program(folder, "stops", f'{_SHELL}kill -STOP $$; exec {shlex.quote(str(real))} "$@"\n')


def adds(folder: Path, real: Path, *words: str) -> Path:
    """The real server with further options."""
    return _program(folder, "adds", f'{_SHELL}exec {shlex.quote(str(real))} "$@" {shlex.join(words)}\n')


def listens_only(folder: Path) -> Path:
    """Accepts connections and never answers."""
    body = """
import socket, threading
for name in ("--port", "--http-port"):
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("127.0.0.1", int(option(name))))
    listener.listen()
    globals()[name] = listener
threading.Event().wait(600)
"""
    return _program(folder, "listens", _PYTHON + body)


def dies_when_asked_for_namespaces(folder: Path) -> Path:
    """Looks ready, and exits on the first request after that."""
    body = """
import http.server, json, os
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        if self.path == "/api/v1/namespaces/default":
            print("panic: out of namespaces", flush=True)
            os._exit(7)
        body = json.dumps({}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *args):
        pass
http.server.HTTPServer.allow_reuse_address = True
http.server.HTTPServer(("127.0.0.1", int(option("--http-port"))), Handler).serve_forever()
"""
    return _program(folder, "dies", _PYTHON + body)


def ignores_sigterm(folder: Path, real: Path) -> Path:
    """The real server, with SIGTERM ignored."""
    body = f"""
import ctypes, os, signal, subprocess
die_with_parent = lambda prctl=ctypes.CDLL(None).prctl: prctl(1, signal.SIGKILL)
signal.signal(signal.SIGTERM, signal.SIG_IGN)
subprocess.run([{str(real)!r}, *sys.argv[1:]], preexec_fn=die_with_parent)
"""
    return _program(folder, "ignores", _PYTHON + body)


class Gate:
    """The real server behind a gate: it reports its start, and runs when the gate is opened."""

    def __init__(self, folder: Path, real: Path) -> None:
        started, opened = folder / "started", folder / "opened"
        wait = f"while [ ! -e {shlex.quote(str(opened))} ]; do sleep 0.02; done"
        write = f'echo "$@" > {shlex.quote(f"{started}.tmp")}; mv {shlex.quote(f"{started}.tmp")}'
        body = f'{write} {shlex.quote(str(started))}\n{wait}\nexec {shlex.quote(str(real))} "$@"\n'
        self.path = _program(folder, "gate", _SHELL + body)
        self._started = started
        self._opened = opened

    def started(self) -> bool:
        """Return whether the server was started and waits."""
        return self._started.exists()

    def port(self) -> int:
        """Return the gRPC port of the server."""
        words = self._started.read_text().split()
        return int(words[words.index("--port") + 1])

    def open(self) -> None:
        """Open the gate."""
        self._opened.touch()


def _program(folder: Path, name: str, text: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    path.write_text(text)
    path.chmod(0o755)
    return path
