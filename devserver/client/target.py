"""Which server a command asks, and how it is reached: a managed instance by its name, or any server as the SDK's
environment configuration says (flags over variables over a client profile).
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any

from ..config.server_options import DEFAULT_NAME
from ..errors import CannotAsk, DevServerError, OptionError
from .errors import unreachable

if TYPE_CHECKING:
    from temporalio.client import Client

NAME = "DEVSERVER_NAME"
ADDRESS, PROFILE, NAMESPACE = "TEMPORAL_ADDRESS", "TEMPORAL_PROFILE", "TEMPORAL_NAMESPACE"
DEFAULT_NAMESPACE = "default"
CONNECT_SECONDS = 10.0
ELSEWHERE = "or name another server with --address or --profile"


@dataclass(frozen=True)
class Connection:
    """What the user said about the server; None is what was not said. Fields but `name` are the SDK's own settings."""

    name: str | None = None
    address: str | None = None
    namespace: str | None = None
    profile: str | None = None
    api_key: str | None = None
    tls: bool | None = None
    tls_server_name: str | None = None
    tls_server_ca_cert_path: str | None = None
    tls_client_cert_path: str | None = None
    tls_client_key_path: str | None = None

    def variables(self) -> dict[str, str]:
        """What was said, as the SDK's environment variables of those names."""
        values = {each.name: getattr(self, each.name) for each in fields(self) if each.name != "name"}
        return {
            f"TEMPORAL_{name.upper()}": str(value).lower() if isinstance(value, bool) else value
            for name, value in values.items()
            if value is not None
        }


@dataclass(frozen=True)
class Target:
    """A server that can be reached: its address, the namespace, and what `Client.connect` takes besides.

    `name` is the instance's, None for a server that is not managed. `cli` is how to call the Temporal CLI for it.
    """

    address: str
    namespace: str
    name: str | None = None
    cli: tuple[str, ...] = ("temporal",)
    connect: Mapping[str, Any] = field(default_factory=dict, repr=False)

    @property
    def label(self) -> str:
        """The server in a few words."""
        return self.address if self.name in (None, DEFAULT_NAME) else f"{self.address} (instance {self.name})"


def find_target(said: Connection, environ: Mapping[str, str] = os.environ) -> Target:
    """The server that is meant.

    A flag wins over a variable: `--name`, then `--address` or `--profile`, then `DEVSERVER_NAME`, then
    `TEMPORAL_ADDRESS` or `TEMPORAL_PROFILE`; with none of them it is the instance `default`.

    Raises:
        OptionError: What was said contradicts itself, or the SDK cannot read its configuration.
        CannotAsk: The instance does not run.
    """
    elsewhere = said.address is not None or said.profile is not None
    if said.name is not None and elsewhere:
        raise OptionError(
            "--name is a managed instance, --address and --profile are other servers", hint="give one of them"
        )
    managed = said.name or (None if elsewhere else environ.get(NAME))
    if managed:
        return _managed(said, managed, None)
    if elsewhere or environ.get(ADDRESS) or environ.get(PROFILE):
        return _configured(said, environ)
    return _managed(said, DEFAULT_NAME, environ.get(NAMESPACE))


async def connect(target: Target, *, limit: float = CONNECT_SECONDS, **more: Any) -> Client:
    """A client of that server, which has answered within `limit` seconds.

    Args:
        more: What else `Client.connect` takes, as `data_converter`.

    Raises:
        OptionError: The address or the certificates cannot be used.
        CannotAsk: The server does not answer.
    """
    import asyncio

    from temporalio.client import Client

    _check_address(target.address)
    keywords = {**target.connect, "namespace": target.namespace, **more}
    try:
        return await asyncio.wait_for(Client.connect(target.address, **keywords), limit)
    except ValueError as error:
        raise OptionError(f"there can be no connection to {target.address}: {error}") from None
    except asyncio.TimeoutError:
        raise unreachable(target.address, f"no answer within {limit:g} s") from None
    except RuntimeError as error:
        raise unreachable(target.address, str(error)) from None


def _check_address(address: str) -> None:
    _, colon, port = address.rpartition(":")
    if "://" in address or (colon and not port.isdecimal()):
        raise OptionError(f"{address} is not host:port", hint="as in 127.0.0.1:7233")


def _managed(said: Connection, name: str, namespace: str | None) -> Target:
    from ..instances.dev_server import DevServer

    own = said.variables().keys() - {NAMESPACE}
    if own:
        flags = ", ".join(sorted("--" + each.removeprefix("TEMPORAL_").lower().replace("_", "-") for each in own))
        raise OptionError(f"{flags}: the managed instance {name} has neither TLS nor keys", hint=ELSEWHERE[3:])
    try:
        server = DevServer.attach(name)
    except OptionError:
        raise
    except DevServerError as error:
        hint = f"{error.hint}, {ELSEWHERE}" if error.hint else ELSEWHERE[3:]
        raise CannotAsk(error.message, details=error.details, hint=hint) from None
    chosen = said.namespace or namespace or server.namespace
    cli = ["devserver", "temporal", *(() if name == DEFAULT_NAME else ("--name", name)), "--"]
    if chosen != server.namespace:
        cli += ["--namespace", chosen]
    return Target(server.address, chosen, name, tuple(cli))


def _configured(said: Connection, environ: Mapping[str, str]) -> Target:
    from temporalio.envconfig import ClientConfigProfile

    merged = {**environ, **said.variables()}
    # The key of a stored profile must not go to an address that somebody named for this call.
    stored = said.address is None or bool(merged.get(PROFILE))
    try:
        profile = ClientConfigProfile.load(said.profile, disable_file=not stored, override_env_vars=merged)
        keywords = dict(profile.to_client_connect_config())
    except Exception as error:  # noqa: BLE001 - the SDK's own ConfigError is a plain Exception without a public name
        raise OptionError(f"the client's configuration cannot be used: {error}") from None
    address = keywords.pop("target_host", None)
    namespace = keywords.pop("namespace", None) or DEFAULT_NAMESPACE
    if not address:
        raise OptionError(
            f"the client profile {said.profile or merged[PROFILE]} has no address", hint="give one with --address"
        )
    return Target(str(address), str(namespace), cli=("temporal", *_words(said)), connect=keywords)


# How the Temporal CLI calls what was said here; keys stay in the environment.
_CLI_FLAGS = {
    "address": "--address",
    "namespace": "--namespace",
    "profile": "--profile",
    "tls_server_name": "--tls-server-name",
    "tls_server_ca_cert_path": "--tls-ca-path",
    "tls_client_cert_path": "--tls-cert-path",
    "tls_client_key_path": "--tls-key-path",
}


def _words(said: Connection) -> list[str]:
    words = [] if said.tls is None else ["--tls" if said.tls else "--tls=false"]
    for name, flag in _CLI_FLAGS.items():
        value = getattr(said, name)
        if value is not None:
            words += [flag, value]
    return words
