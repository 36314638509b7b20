"""A program in place of the executable with all roles of a server: it listens as they do, and does nothing."""

from __future__ import annotations

import sys
from pathlib import Path

VERSION = "1.32.0"

_BODY = f"""#!{sys.executable} -SE
import http.server, json, os, pathlib, socket, sys, threading
words = sys.argv[1:]
here = pathlib.Path(__file__).parent
name = pathlib.Path(__file__).name
if name == "temporal-server":
    words = ["version"] if words == ["--version"] else ["serve", words[words.index("--config-file") + 1], words[-1]]
elif name != "temporal-cluster":
    words = [name.split("-")[1] if "-" in name else name, *words]
if words == ["version"]:
    print("temporal version @VERSION@" if name == "temporal-server" else "@VERSION@")
    sys.exit(0)
if words[0] == "sql":
    with (here / "sql").open("a") as file:
        file.write(" ".join(words[words.index("--db") + 1 :]) + os.linesep)
    sys.exit(0)
if words[0] == "cassandra":
    with (here / "cassandra-tool").open("a") as file:
        file.write(" ".join(words[words.index("--timeout") + 2 :]) + os.linesep)
    sys.exit(0)
config, role = words[1:]
member = pathlib.Path(config).stem
with (here / "starts").open("a") as file:
    file.write(member + os.linesep)
if (here / f"dies-{{member}}").exists():
    print("Failed to apply cluster metadata", flush=True)
    sys.exit(1)
rpc = json.loads(pathlib.Path(config).read_text())["services"][role]["rpc"]
listener = socket.socket()
listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
listener.bind((rpc["bindOnIP"], rpc["grpcPort"]))
listener.listen(64)
made = set()


class Handler(http.server.BaseHTTPRequestHandler):
    def answer(self, status, **body):
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self.path == "/api/v1/namespaces":
            made.add(body["namespace"])
        if (here / "refuses").exists() and self.path.count("/") > 3:
            return self.answer(503, code=14, message="shard status unknown")
        self.answer(200)

    def do_GET(self):
        parts = self.path.partition("?")[0].split("/")
        if len(parts) == 5:
            if parts[4] in made:
                return self.answer(200, config={{"workflowExecutionRetentionTtl": "86400s"}})
            return self.answer(404, code=5, message="Namespace is not found.")
        self.answer(200)

    def log_message(self, *args):
        pass


def accept():
    while True:
        listener.accept()[0].close()


threading.Thread(target=accept, daemon=True).start()
if "httpPort" in rpc:
    http.server.ThreadingHTTPServer.allow_reuse_address = True
    http.server.ThreadingHTTPServer((rpc["bindOnIP"], rpc["httpPort"]), Handler).serve_forever()
threading.Event().wait()
"""


def fake_cluster(folder: Path, version: str = VERSION) -> Path:
    """Write the program into `folder`.

    It appends the member of each start to `folder/starts`, and what it would run of SQL to `folder/sql`. A member with
    a file `folder/dies-MEMBER` ends at once; with `folder/refuses` no workflow can be started.
    """
    path = folder / "temporal-cluster"
    path.write_text(_BODY.replace("@VERSION@", version))
    path.chmod(0o700)
    return path


def fake_programs(folder: Path, version: str = VERSION) -> Path:
    """Write programs with the names and options of the official ones into `folder`, which do the same."""
    for name in ("temporal-server", "temporal-sql-tool", "temporal-cassandra-tool", "tdbg"):
        fake_cluster(folder, version).rename(folder / name)
    return folder
