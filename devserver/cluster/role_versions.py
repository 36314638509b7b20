"""Which version of the Temporal server each process of a cluster runs: an upgrade goes from process to process."""

from __future__ import annotations

import functools
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from . import executable
from .declaration import ROLES, Cluster
from .errors import MemberUnknown
from .folder import ClusterFolder
from .member import ClusterMember, listens
from .programs import programs
from .role_config import role_of


class RoleVersions:
    """The executables of a cluster's processes.

    Args:
        folder: The cluster's folder.
        version: The version that all run at first.
        path: Its executable.
    """

    def __init__(self, folder: ClusterFolder, version: str, path: Path) -> None:
        self._folder = folder
        self._paths = {version: path}

    def member(self, name: str, version: str, port: int) -> ClusterMember:
        """A process with a role, as a member; it answers on this port."""
        words = self._words(name, version)
        return ClusterMember(
            name, words, self._folder, functools.partial(listens, port), f"its port {port}", version=version
        )

    def use(self, members: Iterable[ClusterMember], version: str) -> None:
        """Have members run another version from their next start on.

        Raises:
            ClusterExecutableMissing: It is not on this machine.
            MemberUnknown: One of them is no Temporal server.
        """
        chosen = list(members)
        for member in chosen:
            if role_of(member.name) not in ROLES:
                raise MemberUnknown(
                    f"{member.name} does not run the Temporal server, so it has no version of it",
                    hint=f"give a process of {', '.join(ROLES)}",
                )
        if version not in self._paths:
            self._paths[version] = executable.find(version, self._folder.paths)
        for member in chosen:
            member.replace(self._words(member.name, version), version)

    def current(self, cluster: Cluster, members: Iterable[ClusterMember]) -> tuple[Cluster, Path]:
        """The declaration and the executable: those of a new version once all processes with a role have it."""
        versions = {member.version for member in members if member.version}
        if len(versions) == 1:
            cluster = replace(cluster, version=versions.pop())
        return cluster, self._paths[cluster.version]

    def _words(self, name: str, version: str) -> list[str]:
        return programs(self._paths[version]).serve(str(self._folder.config(name)), role_of(name))
