"""Where the codec server is that decodes values: options, environment variables, the client profile.

Importing this module does not import `temporalio`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..config.settings_file import read_toml
from ..errors import OptionError
from ..system.redact import shown
from .profile_file import profile_file

ENDPOINT, AUTH, HEADERS = "TEMPORAL_CODEC_ENDPOINT", "TEMPORAL_CODEC_AUTH", "TEMPORAL_CODEC_HEADERS"
NAMESPACE = "{namespace}"


@dataclass(frozen=True)
class CodecOptions:
    """A codec server.

    Attributes:
        endpoint: Its URL without `/decode`; `{namespace}` in it stands for the namespace.
        auth: The value of the header `Authorization`.
        headers: Further headers of each request.
        named: Whether it was named on the command line, and not by the environment or a profile.
    """

    endpoint: str
    auth: str = field(default="", repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    named: bool = False

    def __post_init__(self) -> None:
        if not self.endpoint.startswith(("http://", "https://")):
            raise OptionError(
                f"the codec endpoint {shown(self.endpoint)} is not a URL",
                hint="write for example http://127.0.0.1:8234",
            )

    def url(self, namespace: str) -> str:
        """The endpoint for a namespace."""
        return self.endpoint.replace(NAMESPACE, namespace).rstrip("/")


def find_codec(
    endpoint: str | None, auth: str | None, headers: Sequence[str], environ: Mapping[str, str], profile: str | None
) -> CodecOptions | None:
    """The codec server of a user's choice: options win over variables, variables over the client profile.

    Args:
        profile: The client profile that is used; None: none, so that its keys go to no other server.

    Raises:
        OptionError: A header or the endpoint is malformed, or there are options without an endpoint.
    """
    stored = _stored(profile, environ) if profile is not None else {}
    found = endpoint or environ.get(ENDPOINT) or _text(stored, "endpoint")
    if not found:
        if auth or headers:
            raise OptionError(
                "--codec-auth and --codec-header need a codec server", hint="name it with --codec-endpoint URL"
            )
        return None
    more = [line for line in environ.get(HEADERS, "").splitlines() if line.strip()]
    own = stored.get("headers") if isinstance(stored.get("headers"), Mapping) else {}
    return CodecOptions(
        endpoint=found,
        auth=auth or environ.get(AUTH) or _text(stored, "auth"),
        headers={
            **{str(key): str(value) for key, value in (own or {}).items()},
            **pairs([*more, *headers], "--codec-header"),
        },
        named=endpoint is not None,
    )


def pairs(texts: Sequence[str], what: str) -> dict[str, str]:
    """`KEY=VALUE` texts as a mapping. They may be secret, so that no message has one.

    Raises:
        OptionError: One has no `=`.
    """
    found: dict[str, str] = {}
    for text in texts:
        key, sign, value = text.partition("=")
        if not sign or not key.strip():
            raise OptionError(f"a value of {what} is not KEY=VALUE", hint="write for example Tenant=shop")
        found[key.strip()] = value.strip()
    return found


def _stored(profile: str, environ: Mapping[str, str]) -> Mapping[str, Any]:
    named = environ.get("TEMPORAL_CONFIG_FILE")
    path = Path(named) if named else profile_file()
    try:
        content = read_toml(path)
    except (OSError, ValueError, RecursionError):
        return {}  # the SDK reports what is wrong with the file
    profiles = content.get("profile")
    found = profiles.get(profile) if isinstance(profiles, Mapping) else None
    codec = found.get("codec") if isinstance(found, Mapping) else None
    return codec if isinstance(codec, Mapping) else {}


def _text(stored: Mapping[str, Any], name: str) -> str:
    value = stored.get(name)
    return value if isinstance(value, str) else ""
