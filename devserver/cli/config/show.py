"""`devserver config show`: each setting and where it comes from."""

from __future__ import annotations

import shlex
from typing import Any

import click

from ...config.settings_origin import SettingValue, explain, other_variables, unknown_variables
from ..options.common import json_option
from ..render.output import echo_form, echo_note
from ..render.table import echo_table
from ..render.terminal import clean

COLUMNS = ("SETTING", "VALUE", "FROM")


@click.command()
@click.option("--set", "set_only", is_flag=True, help="Show only what is set, without the defaults.")
@json_option
def show(set_only: bool, as_json: bool) -> None:
    """Show each setting and where it comes from: a variable, a line of the project's file, or the default.

    Options of a command override all of them.
    """
    settings = [value for value in explain() if not set_only or value.origin != "default"]
    others, unknown = other_variables(), unknown_variables()
    if as_json:
        echo_form(
            settings=[_data(value) for value in settings],
            variables=others,
            unknown_variables=[{"name": name, "nearest": near} for name, near in unknown.items()],
        )
        return
    rows = [(value.key, _value(value), _origin(value)) for value in settings]
    rows += [(name, value, "environment") for name, value in others.items()]
    if rows:
        echo_table(COLUMNS, rows)
    else:
        click.echo("nothing is set")
    for name, near in unknown.items():
        echo_note(f"{name} is set, but no such setting exists" + (f"; did you mean {near}?" if near else ""))
    for file in sorted({value.file for value in settings if value.file and not value.counts}):
        echo_note(f"if you trust the settings of {file}: devserver trust {shlex.quote(str(file.parent))}")


def _data(value: SettingValue) -> dict[str, Any]:
    return {**vars(value), "file": str(value.file) if value.file else None}


def _value(value: SettingValue) -> str:
    return clean(_text(value.value)) if value.origin != "default" else value.default.replace("`", "")


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list):
        return ", ".join(map(_text, value))
    if isinstance(value, dict):  # of tables, their names
        return ", ".join(key if isinstance(item, dict) else f"{key}={_text(item)}" for key, item in value.items())
    return str(value)


def _origin(value: SettingValue) -> str:
    if value.origin == "environment":
        return value.variable
    if value.file is None:
        return "default"
    place = clean(f"{value.file}:{value.line}" if value.line else str(value.file))
    return place if value.counts else f"{place}, does not count: not trusted"
