"""A user's choice of a server: the options of a command, as environment variables and options of the Temporal CLI."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields

# The options of the command line that are not spelled as the fields of `Connection`.
FLAGS: Mapping[str, str] = {
    "tls_server_ca_cert_path": "--tls-ca-path",
    "tls_client_cert_path": "--tls-cert-path",
    "tls_client_key_path": "--tls-key-path",
}
OURS = ("name", "tls_disable_host_verification", "grpc_meta", "codec_endpoint", "codec_auth", "codec_header")
# The options of the Temporal CLI with the same meaning.
_CLI_FLAGS = {
    "address": "--address",
    "namespace": "--namespace",
    "profile": "--profile",
    "tls_server_name": "--tls-server-name",
    **FLAGS,
}


@dataclass(frozen=True)
class Connection:
    """A user's choice of a server; None for what was not chosen. Fields are settings of the SDK, except `OURS`."""

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
    tls_disable_host_verification: bool | None = None
    grpc_meta: tuple[str, ...] = ()
    codec_endpoint: str | None = None
    codec_auth: str | None = None
    codec_header: tuple[str, ...] = ()

    def variables(self) -> dict[str, str]:
        """The choice as the SDK's environment variables."""
        values = {setting.name: getattr(self, setting.name) for setting in fields(self) if setting.name not in OURS}
        return {
            f"TEMPORAL_{name.upper()}": str(value).lower() if isinstance(value, bool) else value
            for name, value in values.items()
            if value is not None
        }

    def cli_words(self) -> list[str]:
        """The choice as options of the Temporal CLI; keys stay in the environment."""
        words = [] if self.tls is None else ["--tls" if self.tls else "--tls=false"]
        for name, flag in _CLI_FLAGS.items():
            value = getattr(self, name)
            if value is not None:
                words += [flag, value]
        return words
