"""A module as lines for a terminal: the signature of each workflow and activity, its docs, and its fields."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click

from .terminal import clean, wrapped

if TYPE_CHECKING:
    from ...introspection import Module, NexusService, Workflow
    from ...introspection.hints import Field
    from ...introspection.signature import Signature

INDENT = "    "


def page(module: Module) -> Iterator[str]:
    """The lines of a module."""
    from ...introspection.signature import of_activity

    yield from wrapped(f"{module.spec}: task queue {module.task_queue}")
    if module.is_empty:
        yield from wrapped("no workflow, activity or Nexus service found")
    for workflow in module.workflows:
        yield ""
        yield from _workflow(workflow)
    for activity in module.activities:
        yield ""
        yield from _callable("activity", activity.label, of_activity(activity), "")
    for service in module.nexus_services:
        yield ""
        yield from _service(service)
    for note in module.notes:
        yield ""
        yield from wrapped(f"note: {note}")


def _workflow(workflow: Workflow) -> Iterator[str]:
    from ...introspection.signature import of_handler, of_workflow

    definition = workflow.definition
    yield from _callable("workflow", workflow.label, of_workflow(workflow), "")
    for text in _traits(definition):
        yield from wrapped(text, INDENT)
    for kind in ("signals", "queries", "updates"):
        for value in getattr(definition, kind).values():
            word = {"signals": "signal", "queries": "query", "updates": "update"}[kind]
            more = ", validated" if getattr(value, "validator", None) else ""
            name = value.name or "(dynamic)"
            yield from _callable(word, name, of_handler(value), INDENT, more, quiet=kind == "signals")


def _traits(definition: Any) -> Iterator[str]:
    if definition.versioning_behavior:
        yield f"versioning: {definition.versioning_behavior.name.lower().replace('_', '-')}"
    if definition.failure_exception_types:
        yield f"fails with: {', '.join(type_name.__name__ for type_name in definition.failure_exception_types)}"
    if not definition.sandboxed:
        yield "runs outside of the sandbox"


def _service(service: NexusService) -> Iterator[str]:
    from ...introspection.docstrings import doc_of
    from ...introspection.hints import text_of

    yield from _headed("Nexus service", service.name, "", "")
    yield from _paragraphs(doc_of(service.cls), INDENT)
    for definition in service.definition.operation_definitions.values():
        types = f"({text_of(definition.input_type)}) -> {text_of(definition.output_type)}"
        yield from _headed("operation", definition.name, types, INDENT)
        yield from _paragraphs(doc_of(getattr(service.cls, definition.method_name, None)), INDENT * 2)


def _callable(
    word: str, name: str, of: Signature, indent: str, more: str = "", *, quiet: bool = False
) -> Iterator[str]:
    from ...introspection.cli_inputs import InputOptions
    from ...introspection.hints import MISSING, text_of

    taken = "..." if of.raw else ", ".join(_field(parameter) for parameter in of.parameters)
    given = "" if quiet or of.result is MISSING else f" -> {text_of(of.result)}"
    yield from _headed(word, name, f"({taken}){given}{more}", indent)
    yield from _paragraphs(of.doc, indent + INDENT)
    options = [
        option for option in InputOptions(of).options() if "." in option.flag or option.field not in of.parameters
    ]
    documented = [parameter for parameter in of.parameters if parameter.doc]
    rows = [(item.name, item) for item in documented] + [(option.flag, option.field) for option in options]
    column = max((len(flag) for flag, _ in rows), default=0)
    for flag, field in rows:
        doc = f"  {' '.join(field.doc.split())}" if field.doc else ""
        text = f"{flag:<{column}}  {_type(field)}{doc}"
        yield from wrapped(text, indent + INDENT, " " * (column + 2))


def _field(field: Field) -> str:
    return f"{field.name}: {_type(field)}"


def _type(field: Field) -> str:
    from ...introspection.hints import MISSING, text_of
    from ...introspection.value_parsing import plain

    if field.required:
        return text_of(field.hint)
    default = "..." if field.default is MISSING else repr(plain(field.default))
    return f"{text_of(field.hint)} = {default}"


def _headed(word: str, name: str, rest: str, indent: str) -> Iterator[str]:
    lines = wrapped(f"{word} {name}{rest}", indent, INDENT)
    head = f"{indent}{word} {clean(name)}"
    if lines[0].startswith(head):
        lines[0] = f"{indent}{word} {click.style(clean(name), bold=True)}{lines[0][len(head) :]}"
    yield from lines


def _paragraphs(text: str, indent: str) -> Iterator[str]:
    for paragraph in text.split("\n\n") if text else ():
        yield from wrapped(" ".join(paragraph.split()), indent)
