"""Windows, simulated: the library's pure parts can be imported, and commands that cannot work say what does."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.helpers.checkout import ROOT

PURE = (
    *("devserver", "devserver.client", "devserver.history", "devserver.trace", "devserver.search", "devserver.stuck"),
    *("devserver.replay", "devserver.schedules", "devserver.deployments", "devserver.payloads", "devserver.metrics"),
    *("devserver.introspection", "devserver.otel", "devserver.outages", "devserver.rehearsal", "devserver.schemas"),
    *("devserver.projects", "devserver.services.manager", "devserver.cli.main", "devserver.cli.up"),
    *("devserver.cli.workflow.trace", "devserver.cli.workflow.search", "temporaltest", "temporaltest.plugin"),
)
IMPORTS = f"""
import importlib
for name in {PURE!r}:
    module = importlib.import_module(name)
    for public in getattr(module, "__all__", ()):
        getattr(module, public)
"""


def on_windows(script: str) -> subprocess.CompletedProcess[str]:
    """Run a script in an interpreter without what Windows does not have."""
    words = [sys.executable, "-c", f"from tests.helpers.windows import simulate\nsimulate()\n{script}"]
    return subprocess.run(words, capture_output=True, text=True, cwd=ROOT)


def test_pure_parts_are_imported() -> None:
    """Each package of the library and all its public names can be imported there."""
    done = on_windows(IMPORTS)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("name", ["up", "workflow replay", "doctor"])
def test_commands_name_the_way_out(name: str, home: object) -> None:
    """A command that needs Linux or macOS fails at once and names WSL; its help is shown; `doctor` says it too."""
    words = name.split()
    call = "import sys\nsys.argv = {!r}\nfrom devserver.__main__ import main\nmain()"
    done = on_windows(call.format(["devserver", *words]))
    if name == "doctor":
        assert "servers run on Linux and macOS; use WSL" in done.stdout
        assert "bug:" not in done.stderr
        return
    assert done.returncode != 0
    assert f"error: `devserver {words[-1]}` runs on Linux and macOS, not on Windows itself\n" in done.stderr
    assert "hint: use WSL 2, where everything works: run `wsl --install` once" in done.stderr
    assert "Usage: devserver" in on_windows(call.format(["devserver", *words, "--help"])).stdout
