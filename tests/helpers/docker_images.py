"""Images for tests of containers: the files that the project's Dockerfile takes, and the result of its last stage."""

from __future__ import annotations

import io
import os
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.helpers.docker_engine import Engine

DOCKERFILE = Path(__file__).parent.parent.parent / "containers" / "Dockerfile"
LAST_STAGE = "FROM ${EXECUTABLE} AS executable"


@contextmanager
def project_image(found: Engine, executable: Path) -> Iterator[str]:
    """The image of the project's Dockerfile, with this executable in place of what its first stage installs.

    The first stage needs a base image and a package index, which tests do not reach.
    """
    own = os.urandom(4).hex()
    files, image = f"temporaltest-files-{own}", f"temporaltest-project-{own}"
    with tempfile.TemporaryDirectory() as folder:
        layer = Path(folder, "layer.tar")
        with tarfile.open(layer, "w") as tar:
            for name in ("image/data", "image/tmp"):
                entry = tarfile.TarInfo(name)
                entry.type, entry.mode = tarfile.DIRTYPE, 0o1777
                tar.addfile(entry)
            entry = tar.gettarinfo(executable.resolve(), "image/temporal")
            entry.mode = 0o755
            with executable.open("rb") as file:
                tar.addfile(entry, file)
        found.client.api.import_image_from_file(str(layer), repository=files, tag="latest")
    try:
        stage = DOCKERFILE.read_text().partition(LAST_STAGE)[2]
        text = f"ARG EXECUTABLE=wheel\n{LAST_STAGE}{stage}"
        found.client.images.build(fileobj=io.BytesIO(text.encode()), tag=image, buildargs={"EXECUTABLE": files})
        yield image
    finally:
        for name in (image, files):
            found.client.images.remove(name, force=True)
