"""The values of options: names of instances and namespaces, KEY=VALUE pairs."""

from __future__ import annotations

import json
import re
from typing import Any

from ..errors import OptionError

DEFAULT_NAME = "default"
PREFIX = "DEVSERVER_"  # of the variables of settings
SYSTEM_NAMESPACE = "temporal-system"  # of the server itself
LONGEST_NAMESPACE_BYTES = 1000

IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_.]*\Z")  # search attributes and keys of the dynamic configuration

_NAME = re.compile(r"[A-Za-z0-9~][A-Za-z0-9._-]{0,62}\Z")


def variable(key: str) -> str:
    """The environment variable of a setting."""
    return PREFIX + key.replace("-", "_").upper()


NAME = variable("name")


def check_name(name: str, *, new: bool = False) -> str:
    """Check the name of an instance, which is also the name of a folder.

    Args:
        name: The name.
        new: Whether a user chooses the name: then it must not begin with `~`, which marks anonymous instances.

    Returns:
        The name.

    Raises:
        OptionError: The name is invalid.
    """
    if not _NAME.match(name) or (new and name.startswith("~")):
        raise OptionError(
            f"{name!r} is not a valid instance name",
            hint="use at most 63 letters, digits, dots, dashes and underscores, beginning with a letter or digit",
        )
    return name


def check_namespace(name: str) -> None:
    """Check the name of a namespace before anything is started.

    Raises:
        OptionError: Temporal, or its tools, cannot use the name.
    """
    if not name or len(name.encode()) > LONGEST_NAMESPACE_BYTES:
        raise OptionError(
            f"the name of a namespace must have 1 to {LONGEST_NAMESPACE_BYTES} bytes, not {len(name.encode())}",
            hint="choose another name with --namespace",
        )
    if name == SYSTEM_NAMESPACE:
        raise OptionError(f"the namespace {SYSTEM_NAMESPACE} is reserved for the server", hint="choose another name")
    if any(character.isspace() or not character.isprintable() for character in name) or "/" in name:
        raise OptionError(
            f"the namespace {name!r} contains a space, a slash or a control character",
            hint="Temporal's own tools cannot address such a namespace; use letters, digits, dots and dashes",
        )
    if not name.isascii():
        raise OptionError(
            f"the namespace {name!r} contains a character that is not ASCII",
            details=["the server creates it and then serves no call in it: clients send the name in a gRPC header"],
            hint="use letters, digits, dots and dashes",
        )


def parse_pair(text: str, option: str, form: str, example: str) -> tuple[str, str]:
    """Key and value of the text of a repeatable option.

    Args:
        text: The text, such as `Customer=Keyword`.
        option: The option, for the error.
        form: The form that the option takes, for the error, such as `NAME=TYPE`.
        example: A text of that form, for the error.

    Raises:
        OptionError: The text has another form.
    """
    key, separator, value = text.partition("=")
    if not separator or not key.strip() or not value.strip():
        raise OptionError(f"{option} {text!r} does not have the form {form}", hint=f"for example {option} {example}")
    return key.strip(), value.strip()


def dynamic_value(key: str, text: str) -> Any:
    """The value of a key of the dynamic configuration, from its JSON.

    Raises:
        OptionError: The key has another form, or the text is not JSON.
    """
    if not IDENTIFIER.match(key):
        raise OptionError(f"{key!r} is not a valid dynamic configuration key")
    try:
        return json.loads(text)
    except ValueError as error:
        raise OptionError(
            f"the value of the dynamic configuration {key} is not JSON: {text}",
            details=[str(error)],
            hint=f"quote strings twice, for example --dynamic-config-value '{key}=\"1s\"'",
        ) from error
