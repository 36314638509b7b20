"""The server's programs from container images: a real Docker engine, and images with fake programs."""

from __future__ import annotations

import json
import tarfile
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from devserver.cluster import ClusterBuildFailed, ClusterControl, executable, images
from devserver.cluster.programs import SERVER, TOOLS
from devserver.system.paths import Paths
from devserver.system.progress import Silent
from tests.devserver.cluster.conftest import SMALL
from tests.devserver.cluster.test_ring import cluster_command
from tests.helpers.docker_engine import Engine, engine
from tests.helpers.fake_cluster import VERSION, fake_programs

pytestmark = pytest.mark.slow

ALL = [SERVER, *TOOLS.values()]


@pytest.fixture(scope="module")
def docker_engine() -> Iterator[Engine]:
    """A Docker engine."""
    with engine() as found:
        yield found


@pytest.fixture
def host(docker_engine: Engine, roles_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Engine:
    """The engine, which commands find; no executable is given."""
    monkeypatch.setenv("DOCKER_HOST", docker_engine.host)
    monkeypatch.delenv(executable.VARIABLE)
    return docker_engine


def image(found: Engine, folder: Path, name: str, programs: list[str]) -> str:
    """An image with some programs where the official ones have them."""
    fake_programs(folder)
    with tempfile.NamedTemporaryFile(suffix=".tar") as layer:
        with tarfile.open(layer.name, "w") as tar:
            for program in programs:
                tar.add(folder / program, f"usr/local/bin/{program}")
        found.client.api.import_image_from_file(layer.name, repository=name, tag="latest")
    return f"{name}:latest"


def test_programs_from_images(host: Engine, control: ClusterControl, tmp_path: Path) -> None:
    """They are taken out of two images, nothing runs there, and a cluster runs on them as processes."""
    server = image(host, tmp_path, "cluster-server", [SERVER])
    tools = image(host, tmp_path, "cluster-tools", list(TOOLS.values()))
    before = host.client.containers.list(all=True, ignore_removed=True)
    done = cluster_command("pull", "--image", server, "--tools-image", tools, "--json")
    assert done.returncode == 0, done.stderr
    folder = Path(json.loads(done.stdout)["executable"])
    assert sorted(path.name for path in folder.iterdir()) == sorted(ALL)
    assert executable.find(VERSION, Paths.default()) == folder
    assert host.client.containers.list(all=True, ignore_removed=True) == before
    with control.started(SMALL) as status:
        assert status["state"] == "ready"
        assert control.ask("restart", member="history-1")["state"] == "ready"
    asked = [line for line in (folder / "sql").read_text().splitlines() if line.startswith("temporal ")]
    assert asked[0] == "temporal create"


def test_images_that_do_not_fit(host: Engine, tmp_path: Path) -> None:
    """An image without the program, of another version, or that cannot be pulled: an error, and nothing is kept."""
    server = image(host, tmp_path, "cluster-server", [SERVER])
    with pytest.raises(ClusterBuildFailed, match="has no /usr/local/bin/temporal-sql-tool") as caught:
        images.take("1.31.0", Paths.default(), Silent(), server_image=server, tools_image=server)
    assert "--tools-image" in str(caught.value.hint)
    both = image(host, tmp_path, "cluster-both", ALL)
    with pytest.raises(ClusterBuildFailed, match=rf"the images have Temporal {VERSION}, not 1\.31\.0"):
        images.take("1.31.0", Paths.default(), Silent(), server_image=both, tools_image=both)
    with pytest.raises(ClusterBuildFailed, match=r"cannot pull the image 127\.0\.0\.1:1/nothing:latest"):
        images.take("1.31.0", Paths.default(), Silent(), server_image="127.0.0.1:1/nothing:latest", tools_image=both)
    with pytest.raises(ClusterBuildFailed, match="nothing is downloaded offline"):
        images.take("1.31.0", Paths.default(), Silent(), server_image="nothing:1", tools_image=both, offline=True)
    assert not executable.official("1.31.0", Paths.default()).exists()


def test_without_a_docker_engine(roles_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The error says so, and names the other way."""
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/none.sock")
    with pytest.raises(ClusterBuildFailed, match="no Docker engine answers") as caught:
        images.take("1.31.0", Paths.default(), Silent())
    assert "devserver cluster build" in str(caught.value.hint)
