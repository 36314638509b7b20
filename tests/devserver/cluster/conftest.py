"""A cluster of fake roles on a real PostgreSQL: the start order, what ends and what stays, without the real server."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from devserver.cluster import Cluster, ClusterControl, executable, roles
from devserver.system.paths import HOME_VARIABLE, Paths
from tests.conftest import end_processes_of
from tests.helpers.fake_cluster import fake_cluster

SMALL = Cluster(roles=roles(history=2))


@pytest.fixture(scope="module")
def cluster_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A home for the clusters of a module, which share the template of the database; no process may be left in it."""
    home = tmp_path_factory.mktemp("clusters")
    yield home
    left = end_processes_of(home)
    assert not left, f"the tests left processes: {left}"


@pytest.fixture
def roles_folder(cluster_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of the fake executable, which is the given one; see `fake_cluster`."""
    monkeypatch.setenv(HOME_VARIABLE, str(cluster_home))
    monkeypatch.setenv(executable.VARIABLE, str(fake_cluster(tmp_path)))
    return tmp_path


@pytest.fixture
def control(roles_folder: Path, request: pytest.FixtureRequest) -> Iterator[ClusterControl]:
    """A cluster that this test alone uses; it is stopped and deleted at the end."""
    control = ClusterControl(f"c{abs(hash(request.node.name)) % 10**8}", Paths.default())
    yield control
    if control.folder.path.exists():
        control.down()
        control.delete()
