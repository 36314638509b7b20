"""A module as plain data, for `devserver inspect --json`; docs/json.md lists the keys."""

from __future__ import annotations

from typing import Any

from ..system.json_form import FORM
from . import signature
from .docstrings import doc_of
from .hints import MISSING, Field, bare, text_of
from .module import Activity, Module, NexusService, Workflow
from .schema import schema_of
from .value_parsing import plain


def module_json(module: Module) -> dict[str, Any]:
    """The whole module."""
    return {
        "form": FORM,
        "module": module.name,
        "file": str(module.file) if module.file else None,
        "task_queue": module.task_queue,
        "data_converter": _converter(module),
        "plugins": [plugin.name() for plugin in module.plugins],
        "workflows": [_workflow(workflow) for workflow in module.workflows],
        "activities": [_activity(activity) for activity in module.activities],
        "nexus_services": [_service(service) for service in module.nexus_services],
        "notes": list(module.notes),
    }


def _converter(module: Module) -> str:
    if module.data_converter is None:
        return "default"
    name = module.data_converter.payload_converter_class.__name__
    return "pydantic" if name == "PydanticPayloadConverter" else name


def _workflow(workflow: Workflow) -> dict[str, Any]:
    definition = workflow.definition
    behavior = definition.versioning_behavior
    return {
        "type": workflow.name,
        "class": workflow.cls.__qualname__,
        "place": workflow.place,
        **_signature(signature.of_workflow(workflow)),
        "signals": [_handler(handler) for handler in definition.signals.values()],
        "queries": [_handler(handler) for handler in definition.queries.values()],
        "updates": [
            {**_handler(handler), "validated": handler.validator is not None} for handler in definition.updates.values()
        ],
        "versioning": behavior.name.lower() if behavior else None,
        "failure_exception_types": [cls.__qualname__ for cls in definition.failure_exception_types],
        "sandboxed": definition.sandboxed,
    }


def _handler(definition: Any) -> dict[str, Any]:
    return {"name": definition.name, **_signature(signature.of_handler(definition))}


def _activity(activity: Activity) -> dict[str, Any]:
    described = _signature(signature.of_activity(activity))
    return {"name": activity.name, "place": activity.place, **described, "async": activity.is_async}


def _service(service: NexusService) -> dict[str, Any]:
    operations = [
        {
            "name": operation.name,
            "input": _type(bare(operation.input_type)),
            "output": _type(bare(operation.output_type)),
            "doc": doc_of(getattr(service.cls, operation.method_name, None)),
        }
        for operation in service.definition.operation_definitions.values()
    ]
    return {
        "name": service.name,
        "class": service.cls.__qualname__,
        "place": service.place,
        "doc": doc_of(service.cls),
        "operations": operations,
    }


def _signature(found: signature.Signature) -> dict[str, Any]:
    return {
        "doc": found.doc,
        "parameters": None if found.raw else [_field(parameter) for parameter in found.parameters],
        "result": None if found.result is MISSING else _type(found.result),
    }


def _field(field: Field) -> dict[str, Any]:
    default = {} if field.default is MISSING else {"default": plain(field.default)}
    return {"name": field.name, **_type(field.hint), "required": field.required, **default, "doc": field.doc}


def _type(hint: Any) -> dict[str, Any]:
    return {"type": text_of(hint), "schema": schema_of(hint)}
