"""`devserver describe`: what a module has for a worker, with types and docs."""

from __future__ import annotations

import json

import click

from .options.module_type import ModuleType, all_names
from .options.server import json_option


@click.command()
@click.argument("spec", metavar="MODULE[:NAME]", type=ModuleType(all_names))
@json_option
def describe(spec: str, as_json: bool) -> None:
    """Print what a module has: package.module or path/to/file.py, narrowed to one workflow or activity with :NAME.

    Workflows with their input, output, signals, queries and updates, activities and Nexus services, with their types
    and docs. The module is imported; no server is asked.
    """
    from ..introspection import find

    module = find(spec)
    if as_json:
        from ..introspection.module_json import describe as told

        click.echo(json.dumps(told(module), indent=2))
        return
    from .render.module import page

    for line in page(module):
        click.echo(line)
