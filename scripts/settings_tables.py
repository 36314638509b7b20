"""Writes the tables of settings: every key and every environment variable, from the code that reads them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from devserver.config.declarations import ENDPOINT_KEYS, SCHEDULE_KEYS
from devserver.config.setting_kinds import Kind
from devserver.config.settings_keys import KEYS, OTHER_VARIABLES, variable
from devserver.config.trust import DATABASE, DYNAMIC, GUARDED


def _keys() -> Iterator[str]:
    yield "| key | variable | option | value | default | |"
    yield "|---|---|---|---|---|---|"
    for key, setting in KEYS.items():
        option = f"`{setting.option}`" if setting.option else ""
        trust = " ([needs trust](#trust))" if key in GUARDED else ""
        trust = " ([may need trust](#trust))" if key in (DATABASE, DYNAMIC) else trust
        cells = (f"`{key}`", f"`{variable(key)}`", option, setting.kind.name, setting.default, setting.text + trust)
        yield f"| {' | '.join(cells)} |"


def _nested(keys: Mapping[str, tuple[Kind, bool, str]]) -> Iterator[str]:
    yield "| key | value | |"
    yield "|---|---|---|"
    for key, (kind, required, text) in keys.items():
        yield f"| `{key}`{' (required)' if required else ''} | {kind.name} | {text} |"


def _variables() -> Iterator[str]:
    yield "| variable | |"
    yield "|---|---|"
    for name, text in OTHER_VARIABLES.items():
        yield f"| `{name}` | {text} |"


TABLES: dict[str, Callable[[], Iterator[str]]] = {
    "settings": _keys,
    "settings.endpoints": lambda: _nested(ENDPOINT_KEYS),
    "settings.schedules": lambda: _nested(SCHEDULE_KEYS),
    "settings.variables": _variables,
}
