"""Many commands at once: 30 `up -d` of one name, 50 `install` of one version."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Sequence
from pathlib import Path

from devserver.instances.folder import InstanceFolder

from ..rounds import Kind, Round, last_line
from .installs import Service

UPS, INSTALLS = 30, 50
LIMIT = 300.0


class _Crowd(Kind):
    crowd = True

    def all_succeed(self, round: Round, commands: Sequence[subprocess.Popen[bytes]]) -> None:
        """Wait for all commands; each must succeed."""
        codes = [command.wait(LIMIT) for command in commands]
        for number, code in enumerate(codes):
            if code:
                log = self.log_of(round, number)
                round.report("failed", [f"command {number} of {len(codes)} exits with {code}: {last_line(log)}"])

    def log_of(self, round: Round, number: int) -> Path:
        """The output of one command."""
        return round.folder / f"{number}.log"


class UpCrowd(_Crowd):
    """30 `devserver up -d` of the same name at once: one server, and all succeed."""

    name = "up-crowd"
    shown = f"{UPS} `up -d` at once"

    def round(self, round: Round) -> None:
        """All say the same address, and one server runs."""
        words = ("up", "-d", "--no-ui", "--port", "0", "--name", "crowd", "--timeout", "120", "--json")
        self.all_succeed(round, [self.home.devserver(*words, log=self.log_of(round, n)) for n in range(UPS)])
        self.check(round)
        addresses = {address for n in range(UPS) for address in _addresses(self.log_of(round, n))}
        servers = [process for process in self.home.processes() if process.cmdline()[1:3] == ["server", "start-dev"]]
        if len(addresses) != 1 or len(servers) != 1:
            round.report("failed", [f"{len(servers)} servers run, and {sorted(addresses)} were told"])
        self.check_files(round)
        InstanceFolder(self.home.paths, "crowd").require_record().supervisor.kill()
        self.check(round)


class InstallCrowd(_Crowd):
    """50 `devserver install` at once: one download, and all succeed."""

    name = "install-crowd"
    shown = f"{INSTALLS} `install` at once"

    def set_up(self, folder: Path) -> None:
        """Serve."""
        self.service = Service()
        super().set_up(folder)

    def round(self, round: Round) -> None:
        """The archive is fetched once."""
        words = self.service.options
        self.all_succeed(round, [self.home.devserver(*words, log=self.log_of(round, n)) for n in range(INSTALLS)])
        if self.service.service.archives != 1:
            round.report("failed", [f"the archive was fetched {self.service.service.archives} times"])
        self.check(round)
        self.check_files(round, ".tmp-*", "*.failed", "*.owner")

    def close(self, *, keep: bool = False) -> None:
        """Stop serving."""
        self.service.close()
        super().close(keep=keep)


def _addresses(log: Path) -> list[str]:
    return re.findall(r'"address": "([^"]+)"', log.read_text(errors="replace"))
