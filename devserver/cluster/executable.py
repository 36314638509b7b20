"""The executable that has all roles of the server, the schema tools and tdbg: where it is, and how it is built.

There is no official one: Temporal's releases have the server, the tools and tdbg apart, and for containers. So Go
builds one from `main.go`, of the packages of the server's own Go module.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from ..system.filelocks import LockedFile
from ..system.files import private_folder
from ..system.parent_death import bound_to_parent
from ..system.paths import Paths, which, whole
from ..system.progress import Reporter
from .declaration import check_version
from .errors import ClusterBuildFailed, ClusterExecutableMissing
from .programs import complete, programs

VARIABLE = "DEVSERVER_CLUSTER_BINARY"
SOURCE = Path(__file__).with_name("main.go")
NAME = "temporal-cluster"
MODULE = "go.temporal.io/server"
PACKAGES = 1770  # that go compiles, about
PACKAGES_A_NOTE = 100
VERSION_SECONDS = 60.0
COST = "about 20 minutes of CPU time and 3 GB in Go's caches the first time, seconds afterwards; the result has 150 MB"


def find(version: str, paths: Paths) -> Path:
    """The executable of this version of the server: that of `DEVSERVER_CLUSTER_BINARY` if it has it, or a built one.

    Raises:
        ClusterExecutableMissing: There is none, or the given one is of another version.
        OptionError: The version is not one.
    """
    given = os.environ.get(VARIABLE)
    if given:
        path = whole(Path(given))
        if not os.access(path, os.X_OK) or not complete(path):
            raise ClusterExecutableMissing(
                f"{VARIABLE} names no executable file, and no folder with the official programs: {path}",
                hint="build one with: devserver cluster build",
            )
        found = version_of(path)
        if found != version and not complete(_made(version, paths)):
            raise ClusterExecutableMissing(
                f"{VARIABLE} names an executable of Temporal {found}, not {version}: {path}",
                hint=f"start the cluster with --version {found}, or build {version}: devserver cluster build {version}",
            )
        if found == version:
            return path
    path = _made(version, paths)
    if not complete(path):
        raise ClusterExecutableMissing(
            f"the executable of a cluster of Temporal {version} is not on this machine",
            details=[f"looked for {path}; {VARIABLE} is not set"],
            hint=f"build it with: devserver cluster build {version} (needs Go; {COST}); "
            f"or take it out of container images with: devserver cluster pull {version}",
        )
    return path


def _made(version: str, paths: Paths) -> Path:
    """What was built of this version; else what was taken out of images, or will be built."""
    found = built(version, paths)
    taken = official(version, paths)
    return found if found.is_file() or not complete(taken) else taken


def built(version: str, paths: Paths) -> Path:
    """Where the built executable of this version is, or will be."""
    return paths.cache / "cluster" / check_version(version) / NAME


def official(version: str, paths: Paths) -> Path:
    """The folder with the official programs of this version, where they are or will be."""
    return built(version, paths).with_name("official")


def build(version: str, paths: Paths, reporter: Reporter, *, offline: bool = False) -> Path:
    """Build the executable with Go; the path of the finished file. A build that is broken off leaves nothing behind.

    Go fetches the server's module as it is configured to (GOPROXY, GOFLAGS), and checks it against its checksum
    database; with `offline` it takes what is in its cache.

    Raises:
        ClusterBuildFailed: Go is missing or fails, or another process is building.
        OptionError: The version is not one.
    """
    target = built(version, paths)
    if target.is_file():
        return target
    go = which("go")
    if go is None:
        raise ClusterBuildFailed(
            "Go is not installed, or not on PATH",
            hint=f"install Go (go.dev/doc/install), or set {VARIABLE} to an executable that was built elsewhere",
        )
    folder = private_folder(target.parent)
    lock = LockedFile.attempt(folder / "lock", str(os.getpid()))
    if lock is None:
        raise ClusterBuildFailed(f"another process is building Temporal {version}", hint="wait until it has finished")
    work = folder / "build"
    with lock:
        shutil.rmtree(work, ignore_errors=True)  # of a build that was killed
        try:
            _build(go, version, private_folder(work), reporter, {"GOPROXY": "off"} if offline else {})
            (work / NAME).replace(target)
        finally:
            shutil.rmtree(work, ignore_errors=True)
    return target


def _build(go: str, version: str, work: Path, reporter: Reporter, environ: Mapping[str, str]) -> None:
    shutil.copyfile(SOURCE, work / SOURCE.name)
    reporter.note(f"building Temporal {version} with Go: {COST}")
    _go([go, "mod", "init", NAME], work, environ)
    _go([go, "get", f"{MODULE}@v{version}"], work, environ)
    reporter.note("fetching the modules that it needs ...")
    _go([go, "mod", "tidy"], work, environ)
    _go([go, "build", "-v", "-trimpath", "-ldflags", "-s -w", "-o", NAME, "."], work, environ, reporter)
    found = version_of(work / NAME)
    if found != version:
        raise ClusterBuildFailed(
            f"the executable that was built says that it is Temporal {found}, not {version}",
            hint="remove what Go has cached of it with: go clean -modcache",
        )


def _go(command: Sequence[str], work: Path, more: Mapping[str, str], reporter: Reporter | None = None) -> None:
    """Run Go, and count the packages that it compiles."""
    environ = {**os.environ, "GOWORK": "off", "CGO_ENABLED": "0", **more}  # a static executable, also for containers
    process = subprocess.Popen(
        bound_to_parent(list(command)),
        cwd=work,
        env=environ,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    )
    last: list[str] = []
    count = 0
    with process:
        try:
            for line in process.stdout or ():
                last = [*last, line.rstrip()][-12:]
                count += 1
                if reporter is not None and count % PACKAGES_A_NOTE == 0:
                    reporter.note(f"compiled {count:,} of about {PACKAGES:,} packages")
        except BaseException:
            process.kill()
            raise
    if process.returncode:
        raise ClusterBuildFailed(
            f"{' '.join(command[1:3])} failed (exit code {process.returncode})",
            details=last,
            hint="Go needs to reach a module proxy (go env GOPROXY) and 3 GB of free disk; run the command again",
        )


def version_of(executable: Path) -> str:
    """The version of the server that an executable says it has.

    Raises:
        ClusterExecutableMissing: It cannot be run, or is another program.
    """
    try:
        done = subprocess.run(
            programs(executable).version(),
            capture_output=True,
            text=True,
            errors="replace",
            check=True,
            timeout=VERSION_SECONDS,
            stdin=subprocess.DEVNULL,
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise ClusterExecutableMissing(
            f"{executable} is not an executable of a cluster",
            details=[f"{type(error).__name__}: {error}"],
            hint="build one with: devserver cluster build",
        ) from error
    return done.stdout.strip().rpartition(" ")[2]
