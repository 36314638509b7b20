"""kill -9 of `devserver install`, which fetches an executable from a loopback download service."""

from __future__ import annotations

import hashlib
import os
import random
import shutil
import subprocess
from pathlib import Path

from devserver.executables.models import BinaryRequest
from devserver.executables.resolve import find_available
from devserver.system.files import sha256_of
from tests.helpers.download_service import VERSION, DownloadService, script, tar_gz

from ..rounds import Round
from .loaded import Loaded

PADDING = 24_000_000  # so that fetching, unpacking, hashing and moving take as long as starting Python


def executable_text() -> bytes:
    """A program that answers `--version`, and is long."""
    return script() + b"exit\n" + random.Random(0).randbytes(PADDING)


class Service:
    """The download service, and the words that ask for its executable."""

    def __init__(self) -> None:
        content = executable_text()
        self.sha256 = hashlib.sha256(content).hexdigest()
        self.service = DownloadService(tar_gz(("temporal", content)))
        self._serving = self.service.serving()
        self._serving.__enter__()

    @property
    def options(self) -> list[str]:
        """The options of `install`."""
        return [
            *("install", VERSION, "--source", "release"),
            *("--base-url", self.service.url, "--accept-sha256", self.sha256),
        ]

    @property
    def request(self) -> BinaryRequest:
        """The same request, for the library."""
        return BinaryRequest(
            version=VERSION, source="release", base_url=self.service.url, accept_sha256=self.sha256, offline=True
        )

    def close(self) -> None:
        """Stop serving."""
        self._serving.__exit__(None, None, None)


class InstallKilled(Loaded):
    """kill -9 of `devserver install`, beside a server under load."""

    name = "install"
    shown = "`install`"

    def set_up(self, folder: Path) -> None:
        """Serve, start the server that runs meanwhile, and install once."""
        self.service = Service()
        super().set_up(folder)
        for _ in range(2):  # the first one compiles bytecode
            self.measured(lambda: self.install(self.log))
            self._remove()

    def install(self, log: Path) -> subprocess.Popen[bytes]:
        """Begin an installation."""
        return self.home.devserver(*self.service.options, log=log)

    def round(self, round: Round) -> None:
        """Whatever is in the store after the kill is whole, and the next installation works."""
        workflow_id = self.begin(round)
        while not self.kill(round, self.install(round.log)):
            self._remove()
        self.check(round)
        self._check_store(round)
        self.done(self.install(round.log), round.log)
        if find_available(self.service.request, paths=self.home.paths) is None:
            round.report("failed", ["the installation succeeds, and the executable is not in the store"])
        self._check_store(round)
        self.check_files(round, ".tmp-*", "*.failed", "*.owner")
        self.verify(round, workflow_id)
        self._remove()

    def _check_store(self, round: Round) -> None:
        folder = self.home.paths.store / self.service.sha256
        path = folder / "temporal"
        if folder.exists() and not (path.is_file() and sha256_of(path) == self.service.sha256):
            round.report("stale", [f"{folder} is not what its name says"])
        if path.exists() and not os.access(path, os.X_OK):
            round.report("stale", [f"{path} cannot be executed"])

    def _remove(self) -> None:
        shutil.rmtree(self.home.paths.store / self.service.sha256, ignore_errors=True)

    def close(self, *, keep: bool = False) -> None:
        """Stop serving."""
        self.service.close()
        super().close(keep=keep)
