"""The programs of a cluster's server: one executable that has all of them, or the official ones in a folder."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

Tool = Literal["sql", "cassandra", "tdbg"]

SERVER = "temporal-server"
TOOLS: dict[Tool, str] = {"sql": "temporal-sql-tool", "cassandra": "temporal-cassandra-tool", "tdbg": "tdbg"}


class ClusterPrograms(Protocol):
    """What a cluster is run with; `programs` recognizes it."""

    @property
    def path(self) -> Path:
        """The file or the folder."""
        ...

    def serve(self, config: str, role: str) -> list[str]:
        """The command line of a process with this role and this configuration (a file)."""
        ...

    def tool(self, name: Tool) -> list[str]:
        """The beginning of the command line of a schema tool, or of tdbg."""
        ...

    def version(self) -> list[str]:
        """The command line that prints the version of the server as its last word."""
        ...


@dataclass(frozen=True)
class BuiltExecutable:
    """What `devserver cluster build` makes: every role and tool in one file (`main.go`)."""

    path: Path

    def serve(self, config: str, role: str) -> list[str]:
        """See `ClusterPrograms`."""
        return [str(self.path), "serve", config, role]

    def tool(self, name: Tool) -> list[str]:
        """See `ClusterPrograms`."""
        return [str(self.path), name]

    def version(self) -> list[str]:
        """See `ClusterPrograms`."""
        return [str(self.path), "version"]


@dataclass(frozen=True)
class OfficialPrograms:
    """What Temporal's releases and container images have: a folder with the server, the schema tools and tdbg."""

    path: Path

    def serve(self, config: str, role: str) -> list[str]:
        """See `ClusterPrograms`."""
        server = str(self.path / SERVER)
        return [server, "--config-file", config, "--allow-no-auth", "start", "--service", role]

    def tool(self, name: Tool) -> list[str]:
        """See `ClusterPrograms`."""
        return [str(self.path / TOOLS[name])]

    def version(self) -> list[str]:
        """See `ClusterPrograms`."""
        return [str(self.path / SERVER), "--version"]


def programs(path: Path) -> ClusterPrograms:
    """The programs at a path: official ones if it is a folder."""
    return OfficialPrograms(path) if path.is_dir() else BuiltExecutable(path)


def complete(path: Path) -> bool:
    """Whether there are programs at a path: a file, or a folder with the server and all tools."""
    return path.is_file() or all((path / name).is_file() for name in (SERVER, *TOOLS.values()))
