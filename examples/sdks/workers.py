"""Builds and runs the workers of this demo: one each for Python, TypeScript, Go and Java.

What is built goes into a folder of its own, so that the sources stay as they are. A second build of the same sources
takes no time.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
STAMP = ".built"
END_SECONDS = 20


@dataclass(frozen=True)
class Sdk:
    """An SDK whose worker can be built and run.

    Attributes:
        name: Its folder, and the task queue of its worker.
        tools: The programs that it needs.
        build: The commands that build the worker in its folder.
        run: The command that runs it there.
    """

    name: str
    tools: Sequence[str]
    build: Sequence[Sequence[str]]
    run: Sequence[str]

    @property
    def missing(self) -> Sequence[str]:
        """Its tools that are not on this machine."""
        return [tool for tool in self.tools if shutil.which(tool) is None]


CLASSPATH = "target/classpath"
SDKS = (
    Sdk("python", (), (), (sys.executable, "-m", "devserver", "run", "orders.py", "--no-reload")),
    Sdk("typescript", ("node", "npm"), (("npm", "ci", "--no-progress"),), ("node", "worker.js")),
    Sdk("go", ("go",), (("go", "build", "-o", "orders", "."),), ("./orders",)),
    Sdk(
        "java",
        ("java", "mvn"),
        (("mvn", "-q", "-B", "compile", "dependency:build-classpath", f"-Dmdep.outputFile={CLASSPATH}"),),
        ("java", "-Xmx256m", f"@{CLASSPATH}.options", "shop.Orders"),
    ),
)


class BuildFailed(Exception):
    """A worker cannot be built; the message has the end of the output."""


def build(sdk: Sdk, folder: Path) -> Path:
    """Build the worker of an SDK below `folder`, unless its sources are built there already; the folder to run it in.

    Raises:
        BuildFailed: A command failed.
    """
    source, target = HERE / sdk.name, folder / sdk.name
    state = _state(source)
    stamp = target / STAMP
    if stamp.is_file() and stamp.read_text() == state:
        return target
    shutil.copytree(source, target, dirs_exist_ok=True)
    for words in sdk.build:
        done = subprocess.run(words, cwd=target, capture_output=True, text=True, check=False)
        if done.returncode:
            output = f"{done.stdout[-2000:]}\n{done.stderr[-2000:]}"
            raise BuildFailed(f"{sdk.name}: {' '.join(words)} exited with {done.returncode}\n{output}")
    if sdk.name == "java":
        jars = (target / CLASSPATH).read_text().strip()
        (target / f"{CLASSPATH}.options").write_text(f"-cp target/classes{os.pathsep}{jars}\n")
    stamp.write_text(state)
    return target


def start(sdk: Sdk, folder: Path, address: str) -> subprocess.Popen[bytes]:
    """Start the worker that `build` has put into `folder`; end it with SIGTERM."""
    variables = {**os.environ, "TEMPORAL_ADDRESS": address, "TASK_QUEUE": sdk.name}
    words = [*sdk.run]
    if sdk.name == "python":
        words += ["--task-queue", sdk.name, "--address", address]
    log = (folder / "worker.log").open("wb")
    with log:
        return subprocess.Popen(words, cwd=folder, env=variables, stdout=log, stderr=log)


def _state(source: Path) -> str:
    """A hash of the sources."""
    digest = hashlib.sha256()
    for file in sorted(path for path in source.rglob("*") if path.is_file() and "__pycache__" not in path.parts):
        digest.update(f"{file.relative_to(source)}\n".encode())
        digest.update(file.read_bytes())
    return digest.hexdigest()


def stop(worker: subprocess.Popen[bytes]) -> None:
    """End a worker in order; kill it if it does not end."""
    worker.terminate()
    try:
        worker.wait(END_SECONDS)
    except subprocess.TimeoutExpired:
        worker.kill()
        worker.wait()
