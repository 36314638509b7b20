"""The built wheel: its page on the package index, what is in it, and first steps by each way to install or run it.

`make wheel-check` does the same with downloaded dependencies and other versions of Python.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import sysconfig
import venv
import zipfile
from collections.abc import Iterator, Mapping
from email.message import Message
from email.parser import Parser
from importlib.metadata import distribution
from pathlib import Path

import pytest
import yaml

from devserver.executables.models import Executable
from scripts import build_hooks, wheel_check
from tests.conftest import CLI_LIMIT, Run
from tests.helpers.checkout import ROOT
from tests.helpers.wheelhouse import rebuild, wheelhouse

SOURCE = "https://example.org/shop"


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from this checkout."""
    return wheel_check.build(tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="session")
def names(wheel: Path) -> list[str]:
    """The files in the wheel."""
    return zipfile.ZipFile(wheel).namelist()


@pytest.fixture(scope="session")
def metadata(wheel: Path, names: list[str]) -> Message:
    """What the package index shows."""
    (name,) = [name for name in names if name.endswith(".dist-info/METADATA")]
    return Parser().parsestr(zipfile.ZipFile(wheel).read(name).decode())


def test_no_link_of_its_page_is_dead(metadata: Message) -> None:
    """Every link is absolute; those into the repository lead to files of the release that exist."""
    urls = dict(value.split(", ", 1) for value in metadata.get_all("Project-URL", []))
    base = re.escape(urls["Source"])
    text = str(metadata.get_payload())
    prose = re.sub(r"(?ms)^```.*?^```$", "", text)
    targets = re.findall(r"\]\(([^)\s]+)\)", prose) + re.findall(r"(?:src|href)=[\"']([^\"']+)", prose)
    ours = [re.fullmatch(rf"{base}/(blob|tree|raw)/v{metadata['Version']}/([^#]+)(#.*)?", target) for target in targets]
    assert sum(match is not None for match in ours) > 30
    for target, match in zip(targets, ours, strict=True):
        if match is None:
            assert target.startswith("https://"), target
            continue
        assert (ROOT / match[2]).is_dir() if match[1] == "tree" else (ROOT / match[2]).is_file(), target
    assert any(target.endswith(".png") and "/raw/" in target for target in targets)
    assert text.startswith("# temporal-devserver\n")
    assert metadata["Description-Content-Type"] == "text/markdown"


def test_the_index_shows_where_things_are(metadata: Message) -> None:
    """URLs of source, docs, changes and issues; versions of Python; the license."""
    urls = dict(value.split(", ", 1) for value in metadata.get_all("Project-URL", []))
    assert {"Source", "Documentation", "Changelog", "Issues"} <= set(urls)
    assert all(url.startswith("https://") for url in urls.values())
    classifiers = metadata.get_all("Classifier", [])
    assert {f"Programming Language :: Python :: {version}" for version in wheel_check.PYTHONS} <= set(classifiers)
    assert (metadata["License-Expression"], metadata["Requires-Python"]) == ("MIT", ">=3.10")


def test_its_files(wheel: Path, names: list[str]) -> None:
    """Docs, examples and templates are in it; tests and what was left in folders of a checkout are not."""
    assert {page.name for page in (ROOT / "docs").rglob("*.md")} <= {
        Path(name).name for name in names if name.startswith("devserver/docs/")
    }
    assert {"devserver/examples/hello.py", "devserver/projects/files/common/.gitignore.j2"} <= set(names)
    assert "devserver/examples/gamedays/imports.py" in names
    assert "devserver/rehearsal/gameday/templates/debrief.html" in names
    assert "devserver/examples/shop/.github/workflows/test.yml" in names
    assert {name.partition("/")[0].partition("-")[0] for name in names} == {
        "devserver",
        "temporaltest",
        "temporal_devserver",
    }
    assert not any(re.search(r"__pycache__|\.pyc$|\.pytest_cache|\.png$", name) for name in names)
    (entry,) = [name for name in names if name.endswith("entry_points.txt")]
    entry_points = zipfile.ZipFile(wheel).read(entry).decode()
    assert "devserver = devserver.__main__:main\ntemporal-devserver = devserver.__main__:main\n" in entry_points


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("[a](README.md)", f"[a]({SOURCE}/blob/v1/README.md)"),
        ("[a](docs/trace.md#x) [b](docs)", f"[a]({SOURCE}/blob/v1/docs/trace.md#x) [b]({SOURCE}/tree/v1/docs)"),
        ("![a](docs/images/ui.png)", f"![a]({SOURCE}/raw/v1/docs/images/ui.png)"),
        (
            "[![a](docs/images/ui.png)](LICENSE)",
            f"[![a]({SOURCE}/raw/v1/docs/images/ui.png)]({SOURCE}/blob/v1/LICENSE)",
        ),
        ("[a](https://temporal.io) [b](#part) [c](mailto:a@b)", "[a](https://temporal.io) [b](#part) [c](mailto:a@b)"),
        ("```\n[a](gone)\n```\n[b](LICENSE)", f"```\n[a](gone)\n```\n[b]({SOURCE}/blob/v1/LICENSE)"),
    ],
)
def test_links(text: str, shown: str) -> None:
    """Files, folders and images get their own kind of URL; other links and code stay."""
    assert build_hooks.absolute(text, SOURCE, "1", ROOT) == shown


def test_a_dead_link_fails_the_build() -> None:
    """The error names it."""
    with pytest.raises(ValueError, match=re.escape("README.md links to docs/gone.md, which")):
        build_hooks.absolute("[a](docs/gone.md)", SOURCE, "1", ROOT)


class Environment:
    """A fresh environment with the wheel; its dependencies are those of the tests' environment: nothing is downloaded.

    Args:
        folder: Where it is made; commands run there.
        wheel: The wheel.
        installer: The command that installs a wheel, before `--python`.
    """

    def __init__(self, folder: Path, wheel: Path, *installer: str) -> None:
        self.folder = folder
        venv.create(folder / "venv", symlinks=True)
        self.scripts = folder / "venv" / "bin"
        self.python = str(self.scripts / "python")
        self.run(*(word.format(python=self.python) for word in installer), str(wheel))
        (site,) = (folder / "venv").glob("lib/python*/site-packages")
        (site / "dependencies.pth").write_text(sysconfig.get_path("purelib"))

    def run(self, *words: str, cwd: Path | None = None, variables: Mapping[str, str] | None = None) -> str:
        """Run a program with those of the environment on PATH; what it printed."""
        environ = os.environ | {"PATH": f"{self.scripts}{os.pathsep}{os.environ['PATH']}"} | dict(variables or {})
        done = subprocess.run(
            words, cwd=cwd or self.folder, env=environ, capture_output=True, text=True, timeout=CLI_LIMIT, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout


PIP = (
    sys.executable,
    "-m",
    "pip",
    "--python={python}",
    "install",
    "--quiet",
    "--no-index",
    "--no-deps",
    "--no-compile",
)
UV = (
    str(Path(sys.executable).with_name("uv")),
    *["pip", "install", "--quiet", "--offline", "--no-deps", "--python={python}"],
)


@pytest.mark.parametrize("installer", [PIP, UV], ids=["pip", "uv"])
def test_a_first_server(installer: tuple[str, ...], wheel: Path, installed: Executable, tmp_path: Path) -> None:
    """It starts, the Temporal CLI finds its extension, and it stops, where only the wheel is installed."""
    environment = Environment(tmp_path, wheel, *installer)
    devserver = str(environment.scripts / "devserver")
    assert "is ready" in environment.run(devserver, "up", "-d", "--ephemeral", "--port", "0")
    try:
        assert environment.run(devserver, "wait").endswith(" is ready\n")
        state = environment.run(str(installed.path), "devserver", "status", "--json")
        assert json.loads(state)["state"] == "ready"
    finally:
        environment.run(devserver, "down")


@pytest.fixture(scope="session")
def offline(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """Variables with which uv, pip and pipx install from wheels of what is installed here, and reach no network.

    pipx would download the newest pip for its own use; here it finds that of the tests' environment.
    """
    folder, shared = tmp_path_factory.mktemp("wheelhouse"), tmp_path_factory.mktemp("pipx") / "shared"
    wheelhouse(folder, wheel, re.findall(r"\w+", wheel_check.EXTRAS))
    venv.create(shared, symlinks=True)
    pip = rebuild(distribution("pip"), folder)
    subprocess.run([*(word.format(python=shared / "bin" / "python") for word in UV), str(pip)], check=True)
    yield {
        "UV_OFFLINE": "1",
        "UV_NO_INDEX": "1",
        "UV_FIND_LINKS": str(folder),
        "UV_NO_CONFIG": "1",
        "PIP_NO_INDEX": "1",
        "PIP_FIND_LINKS": str(folder),
        "PIP_NO_COMPILE": "0",  # which turns it off
        "PIPX_SHARED_LIBS": str(shared),
    }
    shutil.rmtree(folder)
    shutil.rmtree(shared)


@pytest.mark.parametrize("way", ["uvx", "pipx"])
def test_a_server_without_an_installation(way: str, wheel: Path, offline: dict[str, str], home: Path) -> None:
    """`uvx temporal-devserver up` and `pipx run temporal-devserver up` in a new home: the help names the program as it
    was called, and the server starts, is ready and stops."""
    python = ".".join(map(str, sys.version_info[:2]))
    wheel_check.WAYS[way](wheel_check.Place(home, wheel, offline), python)
    shutil.rmtree(home)  # 500 MB
    home.mkdir()


def test_a_first_test(wheel: Path, installed: Executable, tmp_path: Path) -> None:
    """The docs can be read, and a new project's tests pass, where only the wheel is installed."""
    environment = Environment(tmp_path, wheel, *UV)
    modules = "import devserver, temporaltest; print(devserver.__file__, temporaltest.__file__)"
    where = environment.run(environment.python, "-c", modules)
    assert all(file.startswith(str(tmp_path / "venv")) for file in where.split())
    devserver = str(environment.scripts / "devserver")
    assert environment.run(devserver, "docs", "binary").startswith("# The executable\n")
    environment.run(devserver, "new")
    words = (environment.python, "-m", "pytest", "-q", "-p", "no:xdist", "-p", "no:benchmark")
    assert "2 passed" in environment.run(*words, cwd=tmp_path / "hello")


def test_the_steps_of_the_action(wheel: Path, installed: Executable, tmp_path: Path) -> None:
    """The steps of action.yml install the package, start a server, and hand its address to the next steps."""
    environment = Environment(tmp_path, wheel, *PIP)
    files = {name: tmp_path / name.lower() for name in ("GITHUB_OUTPUT", "GITHUB_ENV", "RUNNER_TEMP")}
    files["RUNNER_TEMP"].mkdir()
    values = {
        "inputs.requirement": "temporal-devserver",
        "inputs.version": installed.version,
        "inputs.options": "--ephemeral --port 0 --namespace orders --headless",
    }
    runner = {name: str(path) for name, path in files.items()} | {"PIP_NO_INDEX": "1", "PIP_NO_DEPS": "1"}
    steps = [step for step in yaml.safe_load((ROOT / "action.yml").read_text())["runs"]["steps"] if "run" in step]
    try:
        for step in steps:
            given = {name: values[text.strip("${} ")] for name, text in step["env"].items()}
            environment.run("bash", "-eo", "pipefail", "-c", step["run"], variables=runner | given)
        outputs = dict(line.split("=", 1) for line in files["GITHUB_OUTPUT"].read_text().splitlines())
        variables = dict(line.split("=", 1) for line in files["GITHUB_ENV"].read_text().splitlines())
        assert outputs == {"address": variables["TEMPORAL_ADDRESS"], "namespace": "orders", "ui-url": ""}
        cluster = ("operator", "namespace", "describe")
        assert "Registered" in environment.run(str(installed.path), *cluster, variables=variables)
    finally:
        environment.run(str(environment.scripts / "devserver"), "down")


def test_the_hooks_of_pre_commit(devserver: Run) -> None:
    """Their commands take what pre-commit gives them: the arguments of the project, and files that match."""
    replay, rehearse = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text())
    command, *words = shlex.split(rehearse["entry"])
    assert command == "devserver"
    changed = ("rehearsal_orders.py", "ops/orders_rehearsal.py", "rehearsal_orders/notes.py", "rehearsal_orders.md")
    assert [name for name in changed if re.search(rehearse["files"], name)] == list(changed[:2])
    done = devserver(*words, str(ROOT / "examples" / "rehearsals"))
    assert done.returncode == 0, done.stderr
    assert shlex.split(replay["entry"]) == ["devserver", "replay"]
    assert replay["pass_filenames"] is False
