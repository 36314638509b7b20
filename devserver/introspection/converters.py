"""The data converter and the plugins of the SDK for clients and workers of a module: its own, or named by options."""

from __future__ import annotations

import sys
import typing
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import fields, is_dataclass, replace
from functools import reduce
from types import ModuleType
from typing import TYPE_CHECKING, Any

from ..client.target import Target, connect
from ..errors import DevServerError
from .errors import IntrospectionError, ModuleFailed, NotInModule, UnexpectedObject
from .hints import bare, fields_of
from .import_module import call, load_one, summary_of, users_traceback
from .module import Module, nearest
from .module_scan import why_not_callable
from .module_spec import parse

if TYPE_CHECKING:
    from temporalio.client import Client
    from temporalio.converter import DataConverter

    from .module_scan import Definitions

PLUGINS = "plugins"
DATA_CONVERTER = "data_converter"
CONVERTER_FORM = "name it as MODULE:NAME, such as temporalio.contrib.pydantic:pydantic_data_converter"
PLUGIN_FORM = (
    "name it as MODULE:NAME, such as app.plugins:tracing: a plugin, a list of plugins, or a function that returns them"
)
PART = "make a data converter of it: DataConverter(payload_codec=..., payload_converter_class=...)"


def with_options(module: Module, converter: str | None, plugins: Iterable[str]) -> Module:
    """The module with the named data converter in place of its own, and the named plugins after its own.

    Each name is `MODULE:NAME`: of the object, or of a function or class without arguments that returns it.

    Raises:
        IntrospectionError: The name does not exist or is something else, or its module raises.
    """
    if converter is not None:
        module = replace(module, data_converter=_converter(converter))
    more = [plugin for name in plugins for plugin in _plugins(name)]
    return replace(module, plugins=(*module.plugins, *more))


def plugins_of(modules: Sequence[ModuleType]) -> tuple[Any, ...]:
    """The list `plugins` of a module, if it contains only plugins of the SDK."""
    for module in modules:
        for name in (PLUGINS, PLUGINS.upper()):
            own = vars(module).get(name)
            if isinstance(own, (list, tuple)) and own and all(map(_is_plugin, own)):
                return tuple(own)
    return ()


async def client_options(module: Module, *, large_payloads: bool = True) -> dict[str, Any]:
    """The keywords of `connect` for the module: data converter and plugins, including the one for large payloads.

    That one is left out if the data converter has an external storage.

    Raises:
        IntrospectionError: A plugin raises.
    """
    plugins = _client_plugins(module)
    used = await converter_in_use(module)
    if large_payloads and (used is None or used.external_storage is None):
        from ..payloads import LargePayloads

        plugins.append(LargePayloads())
    converter = {} if module.data_converter is None else {"data_converter": module.data_converter}
    return {"plugins": plugins, **converter}


async def connect_for(module: Module, target: Target, *, large_payloads: bool = True, **more: Any) -> Client:
    """A client for the module; `more` are further keywords of `connect`.

    Raises:
        IntrospectionError: A plugin raises.
        DevServerError: The client cannot connect.
    """
    options = await client_options(module, large_payloads=large_payloads)
    try:
        return await connect(target, **options, **more)
    except DevServerError:
        raise
    except Exception as error:
        if not module.plugins:
            raise
        raise plugin_failed(error, module) from error


def plugin_failed(error: Exception, module: Module) -> ModuleFailed:
    """The error for an exception of a plugin, with its part of the traceback."""
    return ModuleFailed(f"a plugin raises {summary_of(error)}", details=users_traceback(error, module.project))


async def converter_in_use(module: Module) -> DataConverter | None:
    """The data converter after the module's plugins have changed it; None is the SDK's default. Does not connect.

    Raises:
        IntrospectionError: A plugin raises.
    """
    from temporalio.client import Client
    from temporalio.converter import DataConverter
    from temporalio.service import ConnectConfig, ServiceClient

    plugins = _client_plugins(module)
    if not plugins:
        return module.data_converter
    lazy = await ServiceClient.connect(ConnectConfig(target_host="127.0.0.1:1", lazy=True))
    converter = module.data_converter or DataConverter.default
    try:
        return Client(lazy, data_converter=converter, plugins=plugins).data_converter
    except DevServerError:
        raise
    except Exception as error:
        raise plugin_failed(error, module) from error


def worker_plugins(module: Module) -> list[Any]:
    """The plugins that a worker does not get from its client."""
    from temporalio.client import Plugin

    return [plugin for plugin in module.plugins if not isinstance(plugin, Plugin)]


def _client_plugins(module: Module) -> list[Any]:
    from temporalio.client import Plugin

    return [plugin for plugin in module.plugins if isinstance(plugin, Plugin)]


def _is_plugin(thing: Any) -> bool:
    import temporalio.client
    import temporalio.worker

    return isinstance(thing, (temporalio.client.Plugin, temporalio.worker.Plugin))


def _converter(name: str) -> DataConverter:
    from temporalio.converter import DataConverter, PayloadCodec, PayloadConverter

    found = _named(name, "data converter", lambda value: isinstance(value, DataConverter), CONVERTER_FORM)
    if not isinstance(found, DataConverter):
        part = isinstance(found, (PayloadCodec, PayloadConverter))
        raise UnexpectedObject(f"{name} is not a data converter, but {found!r}", hint=PART if part else CONVERTER_FORM)
    return found


def _plugins(name: str) -> Sequence[Any]:
    found = _named(name, "plugin", _is_plugin, PLUGIN_FORM)
    plugins = found if isinstance(found, (list, tuple)) else [found]
    for plugin in plugins:
        if not _is_plugin(plugin):
            raise UnexpectedObject(
                f"{name} is not a plugin of the SDK, but {plugin!r}",
                hint="use a temporalio.plugin.SimplePlugin, temporalio.client.Plugin or temporalio.worker.Plugin",
            )
    return plugins


def _named(text: str, kind: str, matches: Callable[[Any], bool], form: str) -> Any:
    """The object of that name, or what a function or class of that name returns."""
    try:
        spec = parse(text)
        if spec.name is None:
            raise NotInModule("this names only a module", hint=form)
        module = load_one(spec)
        try:
            found = reduce(getattr, spec.name.split("."), module)
        except AttributeError:
            known = [name for name, value in vars(module).items() if matches(value) or _may_return(value, module)]
            raise NotInModule(f"{spec.module} has no {spec.name}", hint=nearest(spec.name, known)) from None
        if matches(found) or not callable(found):
            return found
        reason = why_not_callable(found)
        if reason is not None:
            raise UnexpectedObject(f"it cannot be called: {reason}", hint=form)
        return call(found, f"{spec.name}()", spec)
    except IntrospectionError as error:
        error.message = f"cannot use the {kind} {text}: {error.message}"
        raise


def _may_return(value: Any, module: ModuleType) -> bool:
    return isinstance(value, (list, tuple)) or getattr(value, "__module__", None) == module.__name__


def converter_of(modules: Sequence[ModuleType], found: Definitions) -> DataConverter | None:
    """The `data_converter` of a module, else Pydantic's if a signature has a model, else None: the SDK's default."""
    from temporalio.converter import DataConverter

    for module in modules:
        for name in (DATA_CONVERTER, DATA_CONVERTER.upper()):
            own = vars(module).get(name)
            if isinstance(own, DataConverter):
                return own
    pydantic = sys.modules.get("pydantic")
    if pydantic is None or not any(_mentions(hint, pydantic.BaseModel, {}) for hint in _hints(found)):
        return None
    from temporalio.contrib.pydantic import pydantic_data_converter

    return pydantic_data_converter


def _hints(found: Definitions) -> Iterator[Any]:
    """The types of all parameters and results."""
    definitions = [activity.definition for activity in found.activities]
    for workflow in found.workflows:
        run = workflow.definition
        definitions += [run, *run.signals.values(), *run.queries.values(), *run.updates.values()]
    for definition in definitions:
        yield from definition.arg_types or ()
        yield getattr(definition, "ret_type", None)
    for service in found.services:
        for operation in service.definition.operation_definitions.values():
            yield from (operation.input_type, operation.output_type)


def _mentions(hint: Any, model: type, seen: dict[int, Any]) -> bool:
    hint = bare(hint)
    if id(hint) in seen:
        return False
    seen[id(hint)] = hint  # keeps it alive, so that its id stays its own
    if isinstance(hint, type) and issubclass(hint, model):
        return True
    parts = [*typing.get_args(hint), *(field.hint for field in fields_of(hint) or ())]
    if is_dataclass(hint):
        parts += [field.type for field in fields(hint)]  # `fields_of` has no hints if one of them is unknown
    return any(_mentions(part, model, seen) for part in parts)
