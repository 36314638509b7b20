"""`devserver env`: connection settings for shells, files and Temporal's own tools."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest
from temporalio.envconfig import ClientConfigProfile

from devserver.cli.env import FORMATS
from tests.conftest import Run, command

from .conftest import StatusOf

# A namespace that needs quoting wherever quoting is possible.
ODD = "it's-\\'-$HOME-\"x\"-\\\\-`id`"
SHELLS = {
    "sh": ("sh", 'eval "$({})"; printf "%s|%s" "$TEMPORAL_ADDRESS" "$TEMPORAL_NAMESPACE"'),
    "bash": ("bash", 'eval "$({})"; printf "%s|%s" "$TEMPORAL_ADDRESS" "$TEMPORAL_NAMESPACE"'),
    "zsh": ("zsh", 'eval "$({})"; printf "%s|%s" "$TEMPORAL_ADDRESS" "$TEMPORAL_NAMESPACE"'),
    "fish": ("fish", '{} --format fish | source; printf "%s|%s" $TEMPORAL_ADDRESS $TEMPORAL_NAMESPACE'),
    "powershell": (
        "pwsh",
        '{} --format powershell | Out-String | Invoke-Expression; "$Env:TEMPORAL_ADDRESS|$Env:TEMPORAL_NAMESPACE"',
    ),
}


@pytest.mark.parametrize("shell", SHELLS)
def test_shells_evaluate_it(quick_up: Run, status_of: StatusOf, shell: str) -> None:
    """Real shells evaluate the line that --help shows, with a namespace that needs quoting."""
    program, script = SHELLS[shell]
    if shutil.which(program) is None:
        pytest.skip(f"{program} is not installed")
    quick_up("-n", ODD)
    words = [program, "-c", script.format(" ".join([*command("env")]))]
    done = subprocess.run(words, capture_output=True, text=True, timeout=180, check=False)
    assert (done.stdout.strip(), done.stderr) == (f"{status_of()['address']}|{ODD}", "")


def test_sh_is_the_default(quick_up: Run, devserver: Run, status_of: StatusOf) -> None:
    """Simple values are not quoted."""
    quick_up("-n", "orders")
    done = devserver("env")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == (f"export TEMPORAL_ADDRESS={status_of()['address']}\nexport TEMPORAL_NAMESPACE=orders\n")


def test_dotenv_quotes_only_where_needed(quick_up: Run, devserver: Run, status_of: StatusOf) -> None:
    """Some readers (`docker run --env-file`) treat quotes as part of the value."""
    quick_up("-n", "orders")
    lines = devserver("env", "--format", "dotenv").stdout.splitlines()
    assert lines == [f"TEMPORAL_ADDRESS={status_of()['address']}", "TEMPORAL_NAMESPACE=orders"]
    assert FORMATS["dotenv"]("KEY", "a b") == "KEY='a b'"


def test_dotenv_can_be_sourced(quick_up: Run, devserver: Run, tmp_path: Path) -> None:
    """A shell that reads the file gets the value and evaluates nothing in it."""
    quick_up("-n", ODD)
    (tmp_path / ".env").write_text(devserver("env", "--format", "dotenv").stdout)
    words = ["sh", "-c", '. ./.env; printf "%s" "$TEMPORAL_NAMESPACE"']
    done = subprocess.run(words, capture_output=True, text=True, timeout=180, check=False, cwd=tmp_path)
    assert (done.stdout, done.stderr) == (ODD, "")


def test_powershell_quotes_are_doubled() -> None:
    """Single quotes are doubled; no other character is special there."""
    assert FORMATS["powershell"]("KEY", "it's $HOME") == "$Env:KEY = 'it''s $HOME'"


def test_github_actions_get_it_in_their_file(
    quick_up: Run, devserver: Run, status_of: StatusOf, tmp_path: Path
) -> None:
    """Settings are appended to the file of GITHUB_ENV; without that variable they are printed."""
    quick_up()
    expected = f"TEMPORAL_ADDRESS={status_of()['address']}\nTEMPORAL_NAMESPACE=default\n"
    assert devserver("env", "--format", "github").stdout == expected
    file = tmp_path / "github_env"
    file.write_text("OTHER=1\n")
    done = devserver("env", "--format", "github", env={"GITHUB_ENV": str(file)})
    assert (done.returncode, done.stdout) == (0, "")
    assert file.read_text() == "OTHER=1\n" + expected
    done = devserver("env", "--format", "github", env={"GITHUB_ENV": str(tmp_path)})
    assert (done.returncode, done.stderr) == (
        1,
        (
            f"error: cannot write {tmp_path}: Is a directory\n"
            "hint: GITHUB_ENV should name the file that GitHub Actions reads\n"
        ),
    )


@pytest.mark.parametrize("place", ["usual", "named"])
def test_a_profile_for_temporals_own_tools(
    quick_up: Run, devserver: Run, status_of: StatusOf, home: Path, tmp_path: Path, place: str
) -> None:
    """The SDK's reader finds the server in the default file or in TEMPORAL_CONFIG_FILE."""
    quick_up("-n", "orders")
    path = home / ".config" / "temporalio" / "temporal.toml" if place == "usual" else tmp_path / "new" / "t.toml"
    env = {} if place == "usual" else {"TEMPORAL_CONFIG_FILE": str(path)}
    done = devserver("env", "--write-profile", "dev", env=env)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == f"wrote the profile dev to {path}; use it with TEMPORAL_PROFILE=dev\n"
    read = ClientConfigProfile.load("dev", config_source=path, disable_env=True)
    assert (read.address, read.namespace) == (status_of()["address"], "orders")


def test_other_profiles_are_kept(quick_up: Run, devserver: Run, status_of: StatusOf, home: Path) -> None:
    """Writing a profile updates it and keeps the other content of the file."""
    quick_up()
    path = home / ".config" / "temporalio" / "temporal.toml"
    path.parent.mkdir(parents=True)
    path.write_text(
        '[profile.prod]\naddress = "prod.example:7233"\nnamespace = "prod"\napi_key = "secret"\n'
        '[profile.prod.grpc_meta]\nteam = "a"\n[profile.dev]\naddress = "old:1"\n'
    )
    before = ClientConfigProfile.load("prod", config_source=path, disable_env=True)
    assert (before.api_key, before.grpc_meta) == ("secret", {"team": "a"})
    assert devserver("env", "--write-profile", "dev").returncode == 0
    assert ClientConfigProfile.load("prod", config_source=path, disable_env=True) == before
    dev = ClientConfigProfile.load("dev", config_source=path, disable_env=True)
    assert (dev.address, dev.namespace) == (status_of()["address"], "default")


def test_profile_file_that_is_not_toml(quick_up: Run, devserver: Run, home: Path) -> None:
    """The file is not overwritten; the error shows the parser's message and what to do."""
    quick_up()
    path = home / ".config" / "temporalio" / "temporal.toml"
    path.parent.mkdir(parents=True)
    path.write_text("[profile.prod\n")
    done = devserver("env", "--write-profile", "dev")
    assert done.returncode == 1
    assert done.stderr.splitlines()[0] == f"error: cannot write the client profile dev to {path}"
    assert done.stderr.endswith("hint: see that the file is valid TOML and that you may write it\n")
    assert path.read_text() == "[profile.prod\n"


def test_settings_need_a_running_server(quick_up: Run, devserver: Run) -> None:
    """A stopped server is an error, so that `eval` sets nothing."""
    quick_up()
    devserver("down")
    done = devserver("env")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == ("error: the instance default is not running (stopped)\nhint: start it with: devserver up\n")


def test_help_lists_every_format(devserver: Run) -> None:
    """Every format has a line in --help."""
    text = devserver("env", "--help").stdout
    assert all(name in text.lower() for name in FORMATS)
    assert json.dumps(sorted(FORMATS)) == json.dumps(["dotenv", "fish", "github", "powershell", "sh"])
