"""`devserver config schema`: JSON schemas of settings files and reports, for editors and scripts."""

from __future__ import annotations

import click

from ...errors import OptionError
from ...schemas import schema_names, schema_text
from ..options.common import json_option
from ..render.output import echo_form, echo_lines


@click.command()
@click.argument("schema_name", metavar="[NAME]", default="settings")
@click.option("--list", "list_all", is_flag=True, help="List the names of all schemas.")
@json_option
def schema(schema_name: str, list_all: bool, as_json: bool) -> None:
    """Print the JSON schema NAME: of temporal-devserver.toml (default: settings), of pyproject.toml, or of a report.

    \b
    devserver config schema > temporal-devserver.schema.json
    and as the first line of temporal-devserver.toml:
    #:schema ./temporal-devserver.schema.json
    """
    names = schema_names()
    if list_all:
        if as_json:
            echo_form(schemas=names)
        else:
            echo_lines(names)
        return
    if schema_name not in names:
        raise OptionError(f"there is no schema {schema_name}", details=[f"schemas: {', '.join(names)}"])
    click.echo(schema_text(schema_name), nl=False)
