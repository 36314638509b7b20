"""Which server is used: options, variables, profiles and managed instances, and contradictions between them."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from temporalio.client import Client
from temporalio.service import TLSConfig

from devserver import DevServer
from devserver.client.connection import Connection
from devserver.client.target import connect, find_target
from devserver.errors import CannotAsk, OptionError
from devserver.executables.models import Executable
from tests.helpers.work import QUEUE, Hello, worker

PROFILES = """
[profile.prod]
address = "prod.example:7233"
namespace = "orders"
api_key = "secret"
[profile.default]
address = "unasked.example:7233"
api_key = "unasked"
"""


@pytest.fixture
def profiles(tmp_path: Path) -> dict[str, str]:
    """The variables of a user with client profiles."""
    path = tmp_path / "temporal.toml"
    path.write_text(PROFILES)
    return {"TEMPORAL_CONFIG_FILE": str(path)}


@pytest.mark.parametrize(
    ("options", "environ", "address", "namespace"),
    [
        ({"address": "a:1"}, {}, "a:1", "default"),
        ({}, {"TEMPORAL_ADDRESS": "a:1", "TEMPORAL_NAMESPACE": "shop"}, "a:1", "shop"),
        ({"address": "b:2", "namespace": "x"}, {"TEMPORAL_ADDRESS": "a:1", "TEMPORAL_NAMESPACE": "shop"}, "b:2", "x"),
        ({"profile": "prod"}, {}, "prod.example:7233", "orders"),
        ({}, {"TEMPORAL_PROFILE": "prod"}, "prod.example:7233", "orders"),
        ({"profile": "prod", "namespace": "x"}, {}, "prod.example:7233", "x"),
        ({"profile": "prod", "address": "a:1"}, {}, "a:1", "orders"),
        ({"address": "a:1"}, {"DEVSERVER_NAME": "mine"}, "a:1", "default"),
    ],
)
def test_external_servers(
    profiles: dict[str, str], options: dict[str, Any], environ: dict[str, str], address: str, namespace: str
) -> None:
    """An option overrides a variable, and that overrides the profile, as in Temporal's own tools."""
    target = find_target(Connection(**options), profiles | environ)
    assert (target.address, target.namespace, target.name) == (address, namespace, None)


def test_tls_and_keys(profiles: dict[str, str], tmp_path: Path) -> None:
    """Certificates and keys come from options, variables and profiles; an API key turns on TLS."""
    (tmp_path / "ca.pem").write_text("the CA")
    connection = Connection(address="a:1", tls_server_name="server", tls_server_ca_cert_path=str(tmp_path / "ca.pem"))
    tls = find_target(connection, profiles).connect["tls"]
    assert isinstance(tls, TLSConfig)
    assert (tls.domain, tls.server_root_ca_cert) == ("server", b"the CA")
    assert find_target(Connection(profile="prod"), profiles).connect == {"api_key": "secret", "tls": True}
    keyed = find_target(Connection(address="a:1"), profiles | {"TEMPORAL_API_KEY": "k"})
    assert keyed.connect == {"api_key": "k", "tls": True}
    assert find_target(Connection(address="a:1", api_key="k", tls=False), profiles).connect["tls"] is False


def test_headers_and_codec_server_of_a_connection(profiles: dict[str, str]) -> None:
    """gRPC headers reach the server; a profile's codec server is used with that profile only; options win."""
    found = find_target(Connection(address="a:1", grpc_meta=("tenant=shop", "x=a=b")), profiles)
    assert found.connect == {"rpc_metadata": {"tenant": "shop", "x": "a=b"}}
    with Path(profiles["TEMPORAL_CONFIG_FILE"]).open("a", encoding="utf-8") as file:
        file.write('[profile.prod.codec]\nendpoint = "http://c:1/"\nauth = "secret"\nheaders = { Tenant = "shop" }\n')
    codec = find_target(Connection(profile="prod"), profiles).codec
    assert codec is not None
    assert (codec.url("x"), codec.auth, codec.headers) == ("http://c:1", "secret", {"Tenant": "shop"})
    assert "secret" not in repr(codec)
    assert find_target(Connection(address="a:1"), profiles).codec is None
    given = find_target(Connection(profile="prod", codec_endpoint="http://d:2/{namespace}"), profiles).codec
    assert given is not None
    assert given.url("shop") == "http://d:2/shop"


def test_a_stored_key_is_not_sent_to_another_server(profiles: dict[str, str]) -> None:
    """An explicit address does not get the API key of the default profile, and no key is printed."""
    assert find_target(Connection(address="a:1"), profiles).connect == {}
    assert "secret" not in repr(find_target(Connection(profile="prod"), profiles))


def test_options_of_the_temporal_cli(profiles: dict[str, str]) -> None:
    """Options are passed on in the CLI's own spelling; API keys are not."""
    connection = Connection(address="a:1", namespace="x", api_key="k", tls=True, tls_server_ca_cert_path="/ca")
    assert connection.variables()["TEMPORAL_TLS_SERVER_CA_CERT_PATH"] == "/ca"
    words = ("temporal", "--tls", "--address", "a:1", "--namespace", "x", "--tls-ca-path", "/ca")
    connection = Connection(address="a:1", namespace="x", api_key="k", tls=True)
    assert find_target(connection, profiles).cli == words[:-2]
    assert find_target(Connection(), profiles | {"TEMPORAL_ADDRESS": "a:1"}).cli == ("temporal",)


@pytest.mark.parametrize(
    ("options", "environ", "message"),
    [
        ({"name": "a", "address": "a:1"}, {}, "--name is a managed instance"),
        ({"name": "a", "profile": "prod"}, {}, "--name is a managed instance"),
        ({"name": "a", "tls": True}, {}, "--tls: the managed instance a uses neither TLS nor keys"),
        ({"api_key": "k", "tls_client_key_path": "/k"}, {}, "--api-key, --tls-key-path: the managed instance"),
        ({"profile": "nix"}, {}, "cannot use the client configuration: .*nix"),
        ({"profile": "nix"}, {"TEMPORAL_CONFIG_FILE": "/dev/null"}, "cannot use the client configuration"),
        ({"address": "a:1", "tls_server_ca_cert_path": "/nix"}, {}, "cannot use the client configuration: .*/nix"),
    ],
)
def test_invalid_settings(
    profiles: dict[str, str], options: dict[str, Any], environ: dict[str, str], message: str
) -> None:
    """A contradiction or an unreadable setting is wrong usage, and the error names it."""
    with pytest.raises(OptionError, match=message):
        find_target(Connection(**options), profiles | environ)


@pytest.mark.parametrize("address", ["http://a:1", "a:port"])
def test_invalid_addresses(address: str) -> None:
    """They are refused at once, not by the first call."""
    with pytest.raises(OptionError, match=address):
        asyncio.run(connect(find_target(Connection(address=address), {})))


@pytest.mark.parametrize("options", [{}, {"name": "nix"}])
def test_an_instance_that_is_not_running(options: dict[str, Any]) -> None:
    """The error says how to start it, or how to use another server."""
    with pytest.raises(CannotAsk, match="there is no instance") as caught:
        find_target(Connection(**options), {})
    assert "devserver up" in (caught.value.hint or "")
    assert "--address" in (caught.value.hint or "")


def test_a_managed_instance(installed: Executable) -> None:
    """It is found by name, from an option or a variable, in its default namespace or another; a client works."""

    async def hello(client: Client) -> str:
        async with worker(client):
            return await client.execute_workflow(Hello.run, "World", id="hello", task_queue=QUEUE)

    with DevServer.start("mine", ui=False, port=0, ephemeral=True, namespaces=["shop"]) as server:
        target = find_target(Connection(name="mine"), {"TEMPORAL_ADDRESS": "a:1"})
        assert (target.address, target.namespace, target.name) == (server.address, "shop", "mine")
        assert target.cli == ("devserver", "temporal", "--name", "mine", "--")
        assert target.label == f"{server.address} (instance mine)"
        assert find_target(Connection(), {"DEVSERVER_NAME": "mine", "TEMPORAL_ADDRESS": "a:1"}) == target
        other = find_target(Connection(name="mine", namespace="default"), {})
        assert (other.namespace, other.cli[-2:]) == ("default", ("--namespace", "default"))

        async def greeting() -> str:
            return await hello(await connect(target))

        assert asyncio.run(greeting()) == "Hello, World!"
