"""The project's Dockerfile, built as a whole: on a base image that is made here, with a package index."""

from __future__ import annotations

import os
import shutil
import subprocess
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from docker.errors import BuildError

from devserver.executables.known_releases import DEFAULT_VERSION, PINS
from devserver.system.files import sha256_of
from devserver.system.platforms import current
from tests.helpers.checkout import ROOT
from tests.helpers.docker_engine import Engine, engine

pytestmark = [pytest.mark.image, pytest.mark.timeout(1800)]

CERTIFICATES = "/etc/ssl/certs/ca-certificates.crt"
PACKAGES = "python3,python3-pip,ca-certificates"


@pytest.fixture(scope="module")
def docker() -> Iterator[Engine]:
    """A Docker engine."""
    if os.environ.get("DEVSERVER_TEST_IMAGE") != "1":
        pytest.skip("builds an image over the network: make test-image")
    with engine() as found:
        yield found


@pytest.fixture(scope="module")
def base(docker: Engine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A base image with Python and pip, in place of one of a registry: Debian, by debootstrap.

    It has the certificates and the settings of pip of this machine, and like Python's own image a `python`, and a pip
    that installs anywhere.
    """
    if shutil.which("debootstrap") is None:
        pytest.skip("debootstrap is not installed (make test-image)")
    root = tmp_path_factory.mktemp("base")
    subprocess.run(
        ["debootstrap", "--variant=minbase", f"--include={PACKAGES}", "bookworm", str(root / "files")],
        check=True,
        timeout=1200,
        stdout=subprocess.DEVNULL,
    )
    (root / "files" / "usr" / "bin" / "python").symlink_to("python3")
    shutil.copy(CERTIFICATES, root / "files" / CERTIFICATES.lstrip("/"))
    with tarfile.open(root / "layer.tar", "w") as tar:
        tar.add(root / "files", ".")
    name = f"temporaltest-base-{os.urandom(4).hex()}"
    settings = {name: value for name, value in os.environ.items() if name.startswith("PIP_")}
    words = {**settings, "PIP_CERT": CERTIFICATES, "PIP_BREAK_SYSTEM_PACKAGES": "1", "SSL_CERT_FILE": CERTIFICATES}
    changes = [f"ENV {key}={value}" for key, value in words.items()]
    docker.client.api.import_image_from_file(str(root / "layer.tar"), repository=name, tag="latest", changes=changes)
    shutil.rmtree(root)
    yield name
    docker.client.images.remove(name, force=True)


@pytest.fixture(scope="module")
def image(docker: Engine, base: str) -> Iterator[str]:
    """The image of the whole Dockerfile, from this checkout."""
    name = f"temporaltest-whole-{os.urandom(4).hex()}"
    how = {"dockerfile": "containers/Dockerfile", "buildargs": {"PYTHON": base}, "network_mode": "host"}
    try:
        docker.client.images.build(path=str(ROOT), tag=name, rm=True, forcerm=True, **how)
    except BuildError as error:
        pytest.fail("".join(str(line.get("stream", "")) for line in error.build_log)[-4000:])
    yield name
    docker.client.images.remove(name, force=True)


def test_the_whole_dockerfile(docker: Engine, image: str, tmp_path: Path) -> None:
    """Its result has the pinned executable, which runs, and next to nothing else; its user is not root."""
    said = docker.client.containers.run(image, ["--version"], remove=True).decode()
    assert f"temporal version {DEFAULT_VERSION} " in said
    made = docker.client.containers.create(image)
    try:
        chunks, _ = made.get_archive("/temporal")
        archive = tmp_path / "temporal.tar"
        archive.write_bytes(b"".join(chunks))
    finally:
        made.remove(force=True)
    with tarfile.open(archive) as tar:
        tar.extractall(tmp_path, filter="data")
    assert sha256_of(tmp_path / "temporal") == PINS[DEFAULT_VERSION][current().key]
    about = docker.client.images.get(image).attrs
    assert about["Config"]["User"] == "65532:65532"
    assert about["Size"] < (tmp_path / "temporal").stat().st_size + (1 << 20)
