"""A module as plain data: what JSON shows of it, and what a page is written from."""

from __future__ import annotations

from typing import Any

from . import signature
from .docstrings import doc_of
from .hints import MISSING, Field, bare, text_of
from .module import Activity, Module, NexusService, Workflow
from .schema import schema_of
from .value_parsing import plain

FORM = 1


def describe(module: Module) -> dict[str, Any]:
    """The whole module; the keys are told in docs/json.md."""
    return {
        "form": FORM,
        "module": module.name,
        "file": str(module.file) if module.file else None,
        "task_queue": module.task_queue,
        "data_converter": _converter(module),
        "plugins": [each.name() for each in module.plugins],
        "workflows": [_workflow(each) for each in module.workflows],
        "activities": [_activity(each) for each in module.activities],
        "nexus_services": [_service(each) for each in module.nexus_services],
        "notes": list(module.notes),
    }


def _converter(module: Module) -> str:
    if module.data_converter is None:
        return "default"
    name = module.data_converter.payload_converter_class.__name__
    return "pydantic" if name == "PydanticPayloadConverter" else name


def _workflow(workflow: Workflow) -> dict[str, Any]:
    definition = workflow.definition
    behaviour = definition.versioning_behavior
    return {
        "type": workflow.name,
        "class": workflow.cls.__qualname__,
        "place": workflow.place,
        **_told(signature.of_workflow(workflow)),
        "signals": [_handler(each) for each in definition.signals.values()],
        "queries": [_handler(each) for each in definition.queries.values()],
        "updates": [
            {**_handler(each), "validated": each.validator is not None} for each in definition.updates.values()
        ],
        "versioning": behaviour.name.lower() if behaviour else None,
        "failure_exception_types": [each.__qualname__ for each in definition.failure_exception_types],
        "sandboxed": definition.sandboxed,
    }


def _handler(definition: Any) -> dict[str, Any]:
    return {"name": definition.name, **_told(signature.of_handler(definition))}


def _activity(activity: Activity) -> dict[str, Any]:
    told = _told(signature.of_activity(activity))
    return {"name": activity.name, "place": activity.place, **told, "async": activity.is_async}


def _service(service: NexusService) -> dict[str, Any]:
    operations = [
        {
            "name": each.name,
            "input": _type(bare(each.input_type)),
            "output": _type(bare(each.output_type)),
            "doc": doc_of(getattr(service.cls, each.method_name, None)),
        }
        for each in service.definition.operation_definitions.values()
    ]
    return {
        "name": service.name,
        "class": service.cls.__qualname__,
        "place": service.place,
        "doc": doc_of(service.cls),
        "operations": operations,
    }


def _told(found: signature.Signature) -> dict[str, Any]:
    return {
        "doc": found.doc,
        "parameters": None if found.raw else [_field(each) for each in found.parameters],
        "result": None if found.result is MISSING else _type(found.result),
    }


def _field(field: Field) -> dict[str, Any]:
    default = {} if field.default is MISSING else {"default": plain(field.default)}
    return {"name": field.name, **_type(field.hint), "required": field.required, **default, "doc": field.doc}


def _type(hint: Any) -> dict[str, Any]:
    return {"type": text_of(hint), "schema": schema_of(hint)}
