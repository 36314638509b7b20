"""Where each setting comes from: an environment variable, a line of the project's file, or the default."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from ..system.redact import without_user
from .settings import ProjectFile, Settings, field_of
from .settings_keys import KEYS, OTHER_VARIABLES, PREFIX, known_variables, nearest_variable, variable
from .tls_options import GENERATED

API_KEY, MASK = "api-key", "***"


@dataclass(frozen=True)
class SettingValue:
    """One setting.

    Attributes:
        key: Its key.
        variable: Its environment variable.
        value: Its value, as JSON has it; None where it is not set.
        origin: Where the value comes from.
        file, line: The place in the project's file; None where the value comes from elsewhere.
        counts: Whether it has an effect: a setting of a file that the user has not trusted may have none.
        default: What holds where it is not set, in words.
    """

    key: str
    variable: str
    value: Any
    origin: Literal["environment", "file", "default"]
    file: Path | None
    line: int | None
    counts: bool
    default: str


def explain(environ: Mapping[str, str] = os.environ) -> list[SettingValue]:
    """All settings for the current folder, in the order of the docs.

    Raises:
        ConfigFileError: The project's file is malformed.
        OptionError: An environment variable has an invalid value.
    """
    project = ProjectFile()
    settings, file = Settings.load(environ=environ, project=project), project.file
    table = file.table if file else {}
    found = []
    for key, setting in KEYS.items():
        name = variable(key)
        value = _shown(key, getattr(settings, field_of(key)))
        if environ.get(name, "").strip():
            found.append(SettingValue(key, name, value, "environment", None, None, True, setting.default))
        elif file is not None and key in table:
            counts = key not in settings.untrusted
            shown = value if counts else _plain(settings.untrusted[key])
            line = file.line_of(key)
            found.append(SettingValue(key, name, shown, "file", file.path, line, counts, setting.default))
        else:
            found.append(SettingValue(key, name, None, "default", None, None, True, setting.default))
    return found


def other_variables(environ: Mapping[str, str] = os.environ) -> dict[str, str]:
    """The variables of devserver that are set and are no keys of the settings."""
    return {name: environ[name] for name in OTHER_VARIABLES if name in environ and name.startswith(PREFIX)}


def unknown_variables(environ: Mapping[str, str] = os.environ) -> dict[str, str | None]:
    """The `DEVSERVER_*` variables that are set and that nothing reads -> the one that the user probably meant."""
    names = sorted(name for name in environ if name.startswith(PREFIX) and name not in known_variables())
    return {name: nearest_variable(name) for name in names}


def _shown(key: str, value: Any) -> Any:
    """A value for display: an API key is masked."""
    return MASK if key == API_KEY and value not in (None, GENERATED) else _plain(value)


def _plain(value: Any) -> Any:
    """A value as JSON has it, without credentials."""
    if isinstance(value, Path):
        return str(value)
    if isinstance(value, str):
        return without_user(value) if "://" in value else value
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value
