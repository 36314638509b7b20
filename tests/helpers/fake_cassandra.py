"""A program in place of `java`: it acts as a Cassandra node, and as `nodetool`, without Cassandra."""

from __future__ import annotations

import sys
from pathlib import Path

_BODY = f"""#!{sys.executable} -SE
import json, pathlib, socket, struct, sys
words = sys.argv[1:]
if words == ["-version"]:
    print('openjdk version "17.0.15" 2025-04-15')
    sys.exit(0)
options = [json.loads(line) for line in pathlib.Path(words[0][1:]).read_text().splitlines()]
nodes = pathlib.Path(words[0][1:]).parent.parent
members = nodes / "members"  # a file for each node in the ring


def entries():
    return sorted(path.name for path in members.iterdir())


if options[-1].endswith("CassandraDaemon"):
    (config,) = (word.partition("file://")[2] for word in options if word.startswith("-Dcassandra.config="))
    settings = json.loads(pathlib.Path(config).read_text())
    pathlib.Path(settings["commitlog_directory"]).mkdir(parents=True, exist_ok=True)
    address = settings["rpc_address"]
    members.mkdir(exist_ok=True)
    (members / address).touch()
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind((address, settings["native_transport_port"]))
    listener.listen(16)
    while True:
        client, _ = listener.accept()
        with client:
            if client.recv(9):
                client.sendall(struct.pack("!BBhBi", 0x84, 0, 0, 0x06, 0))

words = words[1:]
if (nodes / "busy").exists():
    print("nodetool: Failed to connect to '127.0.0.1:7199' - ConnectException: 'Connection refused'.")
    sys.exit(1)
if words[0] == "status":
    print("Datacenter: datacenter1")
    for address in entries():
        number = int(address.rpartition(".")[2])
        print(f"UN  {{address}}  1.1 MiB  16  66.7%  {{number:08d}}-0000-0000-0000-000000000000  rack1")
elif words[0] == "decommission":
    if len(entries()) <= 3 and "--force" not in words:
        print("nodetool: Unsupported operation: Not enough live nodes to maintain replication factor")
        sys.exit(2)
    (home,) = (word for word in options if word.startswith("-Duser.home="))
    (members / ("10.92.0." + home.rpartition("-")[2])).unlink()
elif words[0] == "removenode":
    (members / f"10.92.0.{{int(words[1][:8])}}").unlink()
"""


def fake_cassandra(folder: Path) -> dict[str, str]:
    """Write the program and a folder with a jar; the environment in which they are used."""
    home = folder / "java"
    (home / "bin").mkdir(parents=True)
    program = home / "bin" / "java"
    program.write_text(_BODY)
    program.chmod(0o700)
    jars = folder / "cassandra" / "lib"
    jars.mkdir(parents=True)
    (jars / "apache-cassandra-5.0.5.jar").touch()
    return {"JAVA_HOME": str(home), "CASSANDRA_HOME": str(jars.parent)}
