"""Finds the server that a command uses, and connects to it: a managed instance by its name, or any other server by the
SDK's environment configuration (flags win over variables, variables over a client profile).

Importing this module does not import `temporalio`.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Any

from ..config.option_values import DEFAULT_NAME
from ..config.option_values import NAME as NAME
from ..errors import CannotAsk, DevServerError, OptionError
from .call_errors import unreachable
from .codec_options import CodecOptions, find_codec, pairs
from .connection import FLAGS, Connection
from .deferred_sdk import run_body

if TYPE_CHECKING:
    from temporalio.client import Client

ADDRESS, PROFILE, NAMESPACE = "TEMPORAL_ADDRESS", "TEMPORAL_PROFILE", "TEMPORAL_NAMESPACE"
DEFAULT_NAMESPACE = "default"
CONNECT_SECONDS = 10.0
OTHER_SERVER = "choose another server with --address or --profile"


@dataclass(frozen=True)
class Target:
    """A server to connect to.

    Attributes:
        address: `host:port`.
        name: The managed instance's name; None for any other server.
        cli: The words that call the Temporal CLI for this server.
        connect: Further arguments of `Client.connect`.
        codec: The codec server for values.
        any_host: Accept a certificate of another host name, if it is trusted otherwise.
    """

    address: str
    namespace: str
    name: str | None = None
    cli: tuple[str, ...] = ("temporal",)
    connect: Mapping[str, Any] = field(default_factory=dict, repr=False)
    codec: CodecOptions | None = None
    any_host: bool = False

    @property
    def plain(self) -> bool:
        """Whether a connection needs neither TLS nor keys nor a codec."""
        return self.codec is None and not self.any_host and not self.connect.keys() - {"rpc_metadata"}

    @property
    def label(self) -> str:
        """The address, with the instance's name unless that is the default one."""
        return self.address if self.name in (None, DEFAULT_NAME) else f"{self.address} (instance {self.name})"


def find_target(chosen: Connection, environ: Mapping[str, str] = os.environ) -> Target:
    """The server of a user's choice.

    A flag wins over a variable: `--name`, then `--address` or `--profile`, then `DEVSERVER_NAME`, then
    `TEMPORAL_ADDRESS` or `TEMPORAL_PROFILE`; without any of them it is the instance that the project's
    settings name, or `default`.

    Raises:
        OptionError: The options contradict each other, or the SDK cannot read its configuration.
        CannotAsk: The instance is not running.
    """
    managed = managed_name(chosen, environ)
    if managed is None:
        found = _configured(chosen, environ)
    else:
        named = chosen.name or environ.get(NAME)
        found = _managed(chosen, managed, None if named else environ.get(NAMESPACE))
    metadata = {**found.connect.get("rpc_metadata", {}), **pairs(chosen.grpc_meta or (), "--grpc-meta")}
    return replace(
        found,
        connect={**found.connect, "rpc_metadata": metadata} if metadata else found.connect,
        codec=codec_of(chosen, environ, managed=found.name is not None),
        any_host=bool(chosen.tls_disable_host_verification),
    )


def managed_name(chosen: Connection, environ: Mapping[str, str] = os.environ) -> str | None:
    """The managed instance of a user's choice, which may not exist; None for another server.

    Raises:
        OptionError: The options contradict each other, or an instance has no use for one of them.
    """
    other = chosen.address is not None or chosen.profile is not None
    if chosen.name is not None and other:
        raise OptionError(
            "--name is a managed instance, --address and --profile are other servers", hint="use only one of them"
        )
    named = chosen.name or (None if other else environ.get(NAME))
    if not named and (other or environ.get(ADDRESS) or environ.get(PROFILE)):
        return None
    managed = named or _default_instance(environ)
    own = chosen.variables().keys() - {NAMESPACE}
    if own:
        names = (name.removeprefix("TEMPORAL_").lower() for name in own)
        flags = ", ".join(sorted(FLAGS.get(name) or "--" + name.replace("_", "-") for name in names))
        raise OptionError(f"{flags}: the managed instance {managed} uses neither TLS nor keys", hint=OTHER_SERVER)
    return managed


def _default_instance(environ: Mapping[str, str]) -> str:
    from ..config.settings import default_instance  # takes as long to import as all the rest here

    return default_instance(environ)


def codec_of(
    chosen: Connection, environ: Mapping[str, str] = os.environ, *, managed: bool = False
) -> CodecOptions | None:
    """The codec server of a user's choice; None if there is none.

    Raises:
        OptionError: Its options are malformed.
    """
    profile = None if managed else chosen.profile or environ.get(PROFILE) or (None if chosen.address else "default")
    return find_codec(chosen.codec_endpoint, chosen.codec_auth, chosen.codec_header or (), environ, profile)


async def connect(target: Target, *, timeout: float = CONNECT_SECONDS, reading: bool = False, **options: Any) -> Client:
    """A client that is connected to the server.

    Args:
        timeout: Seconds to wait for the connection.
        reading: Only read with it, without code of the user: a lighter client is enough (`reading_client`).
        options: Further arguments of `Client.connect`, such as `data_converter`.

    Raises:
        OptionError: The address or the certificates cannot be used.
        CannotAsk: The server does not answer.
    """
    import asyncio

    _check_address(target.address)
    if reading and not options and target.plain:
        from .reading_client import reading_client

        sdk, metadata = partial(connect, target, timeout=timeout), target.connect.get("rpc_metadata", {})
        with _connection_errors(target.address, timeout):
            client = await asyncio.wait_for(reading_client(target.address, target.namespace, metadata, sdk), timeout)
        if client is not None:
            return client
    from temporalio.client import Client

    run_body()
    keywords = {**target.connect, "namespace": target.namespace, **options}
    if target.codec is not None:
        from .remote_codec import with_codec

        keywords["data_converter"] = with_codec(keywords.get("data_converter"), target.codec, target.namespace)
    if target.any_host:
        from .host_names import named_by_server

        keywords["tls"] = await named_by_server(target.address, keywords.get("tls"))
    with _connection_errors(target.address, timeout):
        return await asyncio.wait_for(Client.connect(target.address, **keywords), timeout)


@contextlib.contextmanager
def _connection_errors(address: str, timeout: float) -> Iterator[None]:
    """Errors of a connection as ours."""
    import asyncio

    try:
        yield
    except ValueError as error:
        raise OptionError(f"cannot connect to {address}: {error}") from None
    except asyncio.TimeoutError:
        raise unreachable(address, f"no answer within {timeout:g} s") from None
    except RuntimeError as error:
        raise unreachable(address, str(error)) from None


def _check_address(address: str) -> None:
    _, colon, port = address.rpartition(":")
    if "://" in address or (colon and not port.isdecimal()):
        raise OptionError(f"{address} is not host:port", hint="write for example 127.0.0.1:7233")


def _managed(chosen: Connection, name: str, namespace: str | None) -> Target:
    from ..instances.dev_server import DevServer

    try:
        server = DevServer.attach(name)
    except OptionError:
        raise
    except DevServerError as error:
        hint = f"{error.hint}, or {OTHER_SERVER}" if error.hint else OTHER_SERVER
        raise CannotAsk(error.message, details=error.details, hint=hint) from None
    selected = chosen.namespace or namespace or server.namespace
    cli = ["devserver", "temporal", *(() if name == DEFAULT_NAME else ("--name", name)), "--"]
    if selected != server.namespace:
        cli += ["--namespace", selected]
    return Target(server.address, selected, name, tuple(cli))


def _configured(chosen: Connection, environ: Mapping[str, str]) -> Target:
    merged = {**environ, **chosen.variables()}
    # The key of a stored profile must not go to an address that was chosen for this call.
    stored = chosen.address is None or bool(merged.get(PROFILE))
    if chosen.address and not stored and _only_address(merged):  # the SDK would say the same, and takes long to import
        return Target(chosen.address, merged.get(NAMESPACE) or DEFAULT_NAMESPACE, cli=("temporal", *chosen.cli_words()))
    from temporalio.envconfig import ClientConfigProfile

    try:
        profile = ClientConfigProfile.load(chosen.profile, disable_file=not stored, override_env_vars=merged)
        keywords = dict(profile.to_client_connect_config())
    except Exception as error:  # noqa: BLE001 - the SDK's own ConfigError is a plain Exception without a public name
        raise OptionError(f"cannot use the client configuration: {error}") from None
    address = keywords.pop("target_host", None)
    namespace = keywords.pop("namespace", None) or DEFAULT_NAMESPACE
    if not address:
        of = chosen.profile or merged.get(PROFILE)
        what = f"the client profile {of} has no address" if of else "the address is empty"
        raise OptionError(what, hint="add one with --address HOST:PORT")
    return Target(str(address), str(namespace), cli=("temporal", *chosen.cli_words()), connect=keywords)


def _only_address(variables: Mapping[str, str]) -> bool:
    """Whether these variables choose nothing but an address and a namespace."""
    return not any(name.startswith("TEMPORAL_") and name not in (ADDRESS, NAMESPACE) for name in variables)
