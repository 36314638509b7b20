"""Client profiles with secrets."""

from __future__ import annotations

import importlib
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from devserver import DevServer
from devserver.client import write_profile
from devserver.errors import DevServerError

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


@pytest.mark.parametrize(
    ("said", "keys"),
    [('Error: profile "mine" not found', ["address", "namespace"]), ("Error: the file is locked", None)],
    ids=["new-profile", "failure"],
)
def test_keys_of_another_server_that_stay(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, said: str, keys: list[str] | None
) -> None:
    """If the secrets of another server cannot be removed, its profile does not get our address; a new one has none."""
    file, calls, program = tmp_path / "temporal.toml", tmp_path / "calls", tmp_path / "temporal"
    file.write_text(BEFORE)
    monkeypatch.setenv("TEMPORAL_CONFIG_FILE", str(file))
    program.write_text(f"#!/bin/sh\n[ $2 = set ] && echo $8 >>{calls} && exit 0\necho '{said}' >&2\nexit 1\n")
    program.chmod(0o755)
    server = cast(DevServer, SimpleNamespace(executable=program, address="127.0.0.1:7233", namespace="default"))
    if keys is None:
        with pytest.raises(DevServerError, match="cannot write the client profile mine") as caught:
            write_profile(server, "mine")
        assert caught.value.details == (said,)
        assert not calls.exists()
    else:
        assert write_profile(server, "mine") == file
        assert calls.read_text().split() == keys
