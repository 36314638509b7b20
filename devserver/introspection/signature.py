"""What a workflow, a handler, an activity or an operation takes and gives, with what is written about it."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from .docstrings import doc_of, parameter_docs
from .hints import MISSING, Field, annotated_doc, bare, hints_of
from .module import Activity, Workflow

_OPEN = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)


@dataclass(frozen=True)
class Signature:
    """Parameters in their order; `result` is MISSING where nothing is said.

    `raw` takes any arguments: a dynamic definition, or one with `*args`.
    """

    parameters: tuple[Field, ...]
    result: Any
    doc: str = ""
    raw: bool = False


def of_workflow(workflow: Workflow) -> Signature:
    """Of its run method; the docs are the class's, or else that method's."""
    found = signature(workflow.definition.run_fn, method=True, dynamic=workflow.name is None)
    return Signature(found.parameters, found.result, doc_of(workflow.cls) or found.doc, found.raw)


def of_handler(definition: Any) -> Signature:
    """Of a signal, a query or an update, by the SDK's definition of it."""
    found = signature(definition.fn, method=definition.is_method, dynamic=definition.name is None)
    return Signature(found.parameters, found.result, definition.description or found.doc, found.raw)


def of_activity(activity: Activity) -> Signature:
    """Of the function or the method."""
    function = activity.function
    if isinstance(function, type):
        return signature(vars(function)["__call__"], method=True, dynamic=activity.name is None)
    if not inspect.isroutine(function):
        found = signature(vars(type(function))["__call__"], method=True, dynamic=activity.name is None)
        return Signature(found.parameters, found.result, doc_of(type(function)) or found.doc, found.raw)
    return signature(function, method=not activity.bound, dynamic=activity.name is None)


def signature(function: Callable[..., Any], *, method: bool, dynamic: bool = False) -> Signature:
    """Of any function; of an unbound method without its first parameter."""
    hints, docs = hints_of(function), parameter_docs(function)
    parameters = list(inspect.signature(function).parameters.values())[1 if method else 0 :]
    raw = dynamic or any(each.kind in _OPEN for each in parameters)
    # Temporal hands arguments over by position; what has a keyword only keeps its default.
    taken = [each for each in parameters if each.kind is not each.KEYWORD_ONLY]
    fields = tuple(
        Field(
            each.name,
            each.name,
            bare(hints.get(each.name, Any)),
            each.default is each.empty,
            MISSING if each.default is each.empty else each.default,
            annotated_doc(hints.get(each.name)) or docs.get(each.name, ""),
        )
        for each in taken
    )
    return Signature(() if raw else fields, bare(hints.get("return", MISSING)), doc_of(function), raw)
