"""Client profiles with secrets."""

from __future__ import annotations

import importlib
from pathlib import Path

import pytest

BEFORE = '[profile.other]\naddress = "a:1"\n'


def test_a_key_is_written_for_the_user_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that others could read is private once it has a key; its other profiles and a link to it stay."""
    module = importlib.import_module("devserver.client.profile_file")
    file, link = tmp_path / "real.toml", tmp_path / "temporal.toml"
    file.write_text(BEFORE)
    file.chmod(0o644)
    link.symlink_to(file)
    given: list[str] = []

    def as_the_executable(executable: Path, path: Path, profile: str, key: str, value: str) -> None:
        given.append(value)
        path.write_text(f'{path.read_text()}[profile.{profile}]\n{key} = "{value}"\n')

    monkeypatch.setattr(module, "_set", as_the_executable)
    module._set_secretly(Path("temporal"), link, "mine", "api_key", "s3cret")
    assert given != ["s3cret"]
    assert file.read_text() == f'{BEFORE}[profile.mine]\napi_key = "s3cret"\n'
    assert file.stat().st_mode & 0o777 == 0o600
    assert link.is_symlink()
