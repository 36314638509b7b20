"""What the summary of a run says of environments that have servers of their own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

WORKER_OUTPUT = "temporal_own_servers"


@dataclass(frozen=True)
class OwnServer:
    """An environment that has a server of its own: where it is asked for, and why."""

    place: str
    reason: str

    def __str__(self) -> str:
        return f"{self.place}: {self.reason}"


class AdoptionSummary:
    """In the controller of xdist, which runs no tests: collects and shows what the workers found."""

    def __init__(self) -> None:
        self._own_servers: list[OwnServer] = []

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        """Take the list of one worker."""
        own = getattr(node, "workeroutput", {}).get(WORKER_OUTPUT, ())
        self._own_servers += [OwnServer(place, reason) for place, reason in own]

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Show which environments have servers of their own."""
        show(terminalreporter, self._own_servers)


def show(terminalreporter: pytest.TerminalReporter, own_servers: list[OwnServer]) -> None:
    """Show one line for each place."""
    if own_servers:
        terminalreporter.section("Temporal: not adopted")
        for server in dict.fromkeys(own_servers):
            count = own_servers.count(server)
            terminalreporter.write_line(f"{server}{f' ({count} times)' if count > 1 else ''}")
