"""Another version of the server: process by process in a running cluster, and at a start; the roles are fake."""

from __future__ import annotations

import json
from pathlib import Path

import psutil
import pytest

from devserver.cluster import (
    Cluster,
    ClusterControl,
    ClusterExecutableMissing,
    ClusterStartFailed,
    MemberUnknown,
    database_access,
    executable,
    roles,
)
from devserver.cluster.postgres_template import SCHEMAS
from devserver.system.paths import Paths
from tests.helpers.fake_cluster import fake_cluster

pytestmark = pytest.mark.slow

OLD, NEW = "1.31.0", "1.32.0"
BEFORE = Cluster(version=OLD, roles=roles(history=2))


@pytest.fixture(autouse=True)
def versions(roles_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two versions are built, and none is given."""
    monkeypatch.delenv(executable.VARIABLE)
    for version in (OLD, NEW):
        folder = executable.built(version, Paths.default()).parent
        folder.mkdir(parents=True, exist_ok=True)
        fake_cluster(folder, version)


def versions_of(control: ClusterControl) -> dict[str, str]:
    """The version of each member that has one."""
    return {each["name"]: each["version"] for each in control.ask("status")["members"] if each["version"]}


def test_an_upgrade_goes_from_process_to_process(control: ClusterControl) -> None:
    """A restarted one runs the new version, and keeps it; once all have it, the cluster has."""
    with control.started(BEFORE) as status:
        assert set(versions_of(control).values()) == {OLD}
        status = control.ask("restart", member="history-1", version=NEW)
        assert (status["state"], status["version"]) == ("ready", OLD)
        assert versions_of(control)["history-1"] == NEW
        assert versions_of(control)["history-2"] == OLD
        (pid,) = (each["pid"] for each in status["members"] if each["name"] == "history-1")
        assert str(executable.built(NEW, Paths.default())) in psutil.Process(pid).cmdline()
        control.ask("kill", member="history-1")
        control.ask("start", member="history-1")
        assert versions_of(control)["history-1"] == NEW
        with pytest.raises(MemberUnknown, match="postgres does not run the Temporal server"):
            control.ask("restart", member="postgres", version=NEW)
        with pytest.raises(ClusterExecutableMissing, match=r"of Temporal 1\.30\.0 is not on this machine"):
            control.ask("restart", member="history-2", version="1.30.0")
        assert control.ask("status")["state"] == "ready"
        for role in ("history", "matching", "worker", "frontend"):
            status = control.ask("restart", member=role, version=NEW)
        assert status["version"] == NEW
    assert control.folder.read()["declaration"]["version"] == NEW


def test_a_patient_is_reset_to_its_version(control: ClusterControl) -> None:
    """The next run begins with the declared version again."""
    with control.started(BEFORE, patient=True):
        control.ask("restart", member="matching", version=NEW)
        status = control.ask("reset", declaration=BEFORE.to_json())
        assert status["version"] == OLD
        assert set(versions_of(control).values()) == {OLD}


def test_a_schema_that_is_too_old_for_the_server(control: ClusterControl) -> None:
    """The start fails before any role ends because of it, and says how the schema is updated."""
    with control.started(BEFORE):
        for store in ("temporal", "temporal_visibility"):
            with database_access.connect(control.folder) as connection:
                connection.ask(f"CREATE DATABASE {store}")
            with database_access.connect(control.folder, store) as connection:
                connection.ask("CREATE TABLE schema_version (curr_version text)")
                connection.ask("INSERT INTO schema_version VALUES ('1.9')")
    template = next((Paths.default().cache / "cluster" / "templates").glob(f"*-temporal-{NEW}-*"), None)
    if template is None:
        with ClusterControl("maker", Paths.default()).started(Cluster(version=NEW)):
            pass
        ClusterControl("maker", Paths.default()).delete()
        (template,) = (Paths.default().cache / "cluster" / "templates").glob(f"*-temporal-{NEW}-*")
    wanted = template / SCHEMAS
    wanted.write_text(json.dumps({"temporal": "1.10", "temporal_visibility": "1.9"}))
    try:
        older = f"has an older schema than Temporal {NEW} needs"
        for _ in range(2):
            with pytest.raises(ClusterStartFailed, match=older) as caught, control.started(Cluster(version=NEW)):
                pass
        assert list(caught.value.details) == ["temporal has version 1.9, and needs 1.10"]
        assert f"start it with --version {OLD}" in str(caught.value.hint)
        assert f"devserver cluster update-schema --cluster {control.folder.name} {NEW}" in str(caught.value.hint)
        with control.started(BEFORE) as status:
            assert status["state"] == "ready"
            assert database_access.schemas_wanted(control.folder, NEW)["temporal"] == "1.10"
    finally:
        wanted.unlink()
