"""`devserver up --tls`: clients for the cloud, tried at home."""

from __future__ import annotations

import asyncio
import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from temporalio.client import Client
from temporalio.envconfig import ClientConfigProfile
from temporalio.service import RPCError, TLSConfig

from devserver.cli.main import run as run_command
from devserver.network.certificates import CertificateFiles
from devserver.system.paths import Paths
from tests.conftest import Run, processes_of

from .conftest import StatusOf

KEY = "key-of-a-rehearsal"
EVERYTHING = ("--tls-client-auth", "--tls-hostname", "orders.a1b2c.tmprl.cloud", "--api-key", KEY)


def variables(devserver: Run, *words: str) -> dict[str, str]:
    """What `devserver env` prints."""
    found: dict[str, str] = json.loads(devserver("env", "--json", *words).stdout)["variables"]
    return found


def tls_of(env: dict[str, str], **changes: Any) -> TLSConfig:
    """The files that the variables name, as the SDK takes them."""
    files = {
        "server_root_ca_cert": "TEMPORAL_TLS_SERVER_CA_CERT_PATH",
        "client_cert": "TEMPORAL_TLS_CLIENT_CERT_PATH",
        "client_private_key": "TEMPORAL_TLS_CLIENT_KEY_PATH",
    }
    found = {field: Path(env[name]).read_bytes() for field, name in files.items() if name in env}
    return TLSConfig(**{**found, **changes})


async def refusal(address: str, **how: Any) -> str:
    """Why the SDK cannot connect."""
    with pytest.raises(RuntimeError) as caught:
        await asyncio.wait_for(Client.connect(address, **how), 60)
    return str(caught.value)


async def start_large(client: Client, workflow_id: str) -> int:
    """Start a workflow with more input than HTTP/2 sends without permission; returns the size that the server has."""
    handle = await client.start_workflow("Order", "x" * 400_000, id=workflow_id, task_queue="orders")
    history = await handle.fetch_history()
    return len(history.events[0].workflow_execution_started_event_attributes.input.payloads[0].data)


async def try_everything(env: dict[str, str]) -> None:
    """Clients of the SDK: one that is configured right, and one for each mistake."""
    address, tls = env["TEMPORAL_ADDRESS"], tls_of(env)
    client = await Client.connect(address, tls=tls, api_key=KEY)
    assert await start_large(client, "order-1") == 400_002
    client.api_key = "an-old-key"
    for _ in range(3):  # more than one window of HTTP/2 together: what a rejected call sent is given back
        with pytest.raises(RPCError) as caught:
            await start_large(client, "order-2")
        assert caught.value.status.name == "UNAUTHENTICATED"
    client.api_key = KEY
    assert await start_large(client, "order-2") == 400_002
    cloud = await Client.connect(address, tls=tls_of(env, domain="orders.a1b2c.tmprl.cloud"), api_key=KEY)
    assert await cloud.service_client.check_health()
    for key in (None, "wrong"):
        assert "Unauthenticated" in await refusal(address, tls=tls, api_key=key)
    assert "transport error" in await refusal(address, tls=False, api_key=KEY)
    assert "UnknownIssuer" in await refusal(address, tls=True, api_key=KEY)
    assert "NotValidForName" in await refusal(address, tls=tls_of(env, domain="example.com"), api_key=KEY)
    await refusal(address, tls=tls_of(env, client_cert=None, client_private_key=None), api_key=KEY)


def test_clients_with_certificates_and_a_key(quick_up: Run, devserver: Run, status_of: StatusOf, home: Path) -> None:
    """What `devserver env` prints connects the SDK, the official CLI and our own commands; each mistake fails as it
    does in the cloud.
    """
    banner = quick_up(*EVERYTHING).stdout
    found, env = status_of(), variables(devserver)
    assert env["TEMPORAL_ADDRESS"] == found["tls"]["address"] != found["address"]
    assert env["TEMPORAL_API_KEY"] == KEY
    assert KEY not in banner + json.dumps(found) + devserver("list").stdout
    for text in (banner, devserver("status").stdout):
        assert all(value in text for value in found["tls"].values() if isinstance(value, str))
        assert "required; devserver env prints it" in text
    assert found["tls"]["address"] in devserver("list").stdout
    asyncio.run(try_everything(env))
    # the official CLI, by options and by variables
    official = [found["executable"], "workflow", "count", "-o", "json"]
    options = ["--tls-ca-path", env["TEMPORAL_TLS_SERVER_CA_CERT_PATH"], "--api-key", KEY, "--address"]
    options += [env["TEMPORAL_ADDRESS"], "--tls-cert-path", env["TEMPORAL_TLS_CLIENT_CERT_PATH"]]
    options += ["--tls-key-path", env["TEMPORAL_TLS_CLIENT_KEY_PATH"]]
    clean = {"HOME": str(home), "PATH": "/usr/bin:/bin"}
    for words, variables_ in ((options, {}), ([], env)):
        done = subprocess.run(
            [*official, *words], env=clean | variables_, capture_output=True, text=True, timeout=120, check=False
        )
        assert done.returncode == 0, done.stderr
        assert json.loads(done.stdout)["count"] == "2"
    wrong = [*official, *options, "--api-key", "wrong"]
    done = subprocess.run(wrong, env=clean, capture_output=True, text=True, timeout=120, check=False)
    assert (done.returncode, "unauthenticated" in done.stderr) == (1, True)
    # our own commands, by variables and by options
    for words, variables_ in (([], env), (options, {})):
        done = devserver("trace", "order-1", *words, env=variables_)
        assert (done.returncode, done.stderr) == (0, "")
        assert "Order order-1" in done.stdout
    done = devserver("stuck", env={**env, "TEMPORAL_API_KEY": "wrong-key"})
    assert done.returncode == 4
    assert "wrong-key" not in done.stderr
    # a profile of the official configuration
    assert devserver("env", "--write-profile", "cloud").returncode == 0
    done = devserver("trace", "order-2", "--profile", "cloud")
    assert (done.returncode, done.stderr) == (0, "")
    # without it
    assert variables(devserver, "--no-tls") == {"TEMPORAL_ADDRESS": found["address"], "TEMPORAL_NAMESPACE": "default"}
    assert devserver("env", "--no-tls", "--write-profile", "cloud").returncode == 0
    path = home / ".config" / "temporalio" / "temporal.toml"
    profile = ClientConfigProfile.load("cloud", config_source=path, disable_env=True)
    assert (profile.address, profile.tls, profile.api_key) == (found["address"], None, None)


def test_it_stays_the_same_after_a_restart(
    quick_up: Run, devserver: Run, status_of: StatusOf, paths: Paths, home: Path
) -> None:
    """CA, client certificate, generated key and port stay; a running server says what it runs with; no process and no
    port is left after its end.
    """
    quick_up("--api-key", "generated")
    files = CertificateFiles(paths.instance("default") / "tls")
    before = variables(devserver), files.ca.read_bytes(), files.client.read_bytes(), status_of()["tls"]
    assert len(before[0]["TEMPORAL_API_KEY"]) == 32
    assert (files.folder / "api-key").stat().st_mode & 0o777 == 0o600
    assert devserver("restart").returncode == 0
    assert (variables(devserver), files.ca.read_bytes(), files.client.read_bytes(), status_of()["tls"]) == before
    asyncio.run(Client.connect(before[3]["address"], tls=tls_of(before[0]), api_key=before[0]["TEMPORAL_API_KEY"]))
    done = devserver("up", "-d", "--api-key", KEY, "--tls-client-auth", "--tls-hostname", "a.example")
    assert done.returncode == 1
    assert "--api-key: running with generated, requested a key" in done.stderr
    assert "--tls-client-auth: running with off, requested on" in done.stderr
    assert "--tls-hostname: running with none, requested a.example" in done.stderr
    assert KEY not in done.stderr
    assert devserver("down").returncode == 0
    assert processes_of(home) == []
    message = asyncio.run(refusal(before[3]["address"], tls=tls_of(before[0]), api_key=KEY))
    assert "Connection refused" in message or "ConnectionRefused" in message
    assert devserver("reset", "--yes").returncode == 0


def test_an_expired_certificate(quick_up: Run, devserver: Run, status_of: StatusOf, tmp_path: Path) -> None:
    """Clients refuse it. It is a setting of the project, as all of this is; `--no-tls` overrides them."""
    (tmp_path / "temporal-devserver.toml").write_text(f'tls-expired = true\napi-key = "{KEY}"\n')
    quick_up()
    env = variables(devserver)
    assert env["TEMPORAL_API_KEY"] == KEY
    assert "Expired" in asyncio.run(refusal(env["TEMPORAL_ADDRESS"], tls=tls_of(env), api_key=KEY))
    done = devserver("config", "show")
    assert KEY not in done.stdout
    assert "***" in done.stdout
    assert devserver("down").returncode == 0
    quick_up("--no-tls")
    assert status_of()["tls"] is None
    assert set(variables(devserver)) == {"TEMPORAL_ADDRESS", "TEMPORAL_NAMESPACE"}


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--no-tls", "--api-key", "k", "--tls-port", "7000"], "--no-tls contradicts --tls-port, --api-key"),
        (["--api-key", "two words"], "--api-key has a space, or a character that is not ASCII"),
        (["--api-key", ""], "--api-key has a space, or a character that is not ASCII, or none at all"),
        (["--tls-hostname", "not/a/host"], "--tls-hostname 'not/a/host' is not a host name or an IP address"),
        (["--tls-port", "70000"], "--tls-port 70000 is not a port"),
        (["--tls-port", "7300", "--port", "7300"], "--port and --tls-port are both 7300"),
    ],
)
def test_wrong_options(capsys: pytest.CaptureFixture[str], words: list[str], message: str) -> None:
    """Nothing is started, and the error names the option; a key is not shown."""
    assert run_command(["up", *words]) == 2
    error = capsys.readouterr().err
    assert message in error
    assert "two words" not in error
