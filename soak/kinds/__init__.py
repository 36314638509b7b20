"""The kinds of rounds, the longest ones first: two lanes take the next one each."""

from __future__ import annotations

from ..rounds import Kind
from .crowds import InstallCrowd, UpCrowd
from .installs import InstallKilled
from .pytests import PytestControllerKilled, PytestWorkerKilled
from .rehearsals import RehearseKilled
from .runs import RunKilled, RunWorkerKilled
from .servers import ServerKilled, SupervisorKilled, UpKilled
from .snapshots import RestoreKilled, SaveKilled
from .upgrades import UpgradeKilled

KINDS: tuple[type[Kind], ...] = (
    PytestWorkerKilled,
    RehearseKilled,
    PytestControllerKilled,
    RestoreKilled,
    RunWorkerKilled,
    RunKilled,
    UpgradeKilled,
    UpKilled,
    SupervisorKilled,
    ServerKilled,
    SaveKilled,
    InstallKilled,
    UpCrowd,
    InstallCrowd,
)

# The order of the table.
TABLE: tuple[type[Kind], ...] = (
    ServerKilled,
    SupervisorKilled,
    UpKilled,
    InstallKilled,
    SaveKilled,
    RestoreKilled,
    UpgradeKilled,
    PytestControllerKilled,
    PytestWorkerKilled,
    RunKilled,
    RunWorkerKilled,
    RehearseKilled,
    UpCrowd,
    InstallCrowd,
)
