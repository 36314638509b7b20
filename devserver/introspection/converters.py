"""What clients and workers of a module are given besides: a data converter and plugins of the SDK, named or its own."""

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
from .import_module import calling, load_one, said_of, users_traceback
from .module import Module, nearest
from .module_scan import unmakeable
from .module_spec import parse

if TYPE_CHECKING:
    from temporalio.converter import DataConverter

    from .module_scan import Definitions

if TYPE_CHECKING:
    from temporalio.client import Client
    from temporalio.converter import DataConverter

PLUGINS = "plugins"
DATA_CONVERTER = "data_converter"
CONVERTER_FORM = "it is named as MODULE:NAME, such as temporalio.contrib.pydantic:pydantic_data_converter"
PLUGIN_FORM = "it is named as MODULE:NAME, such as app.plugins:tracing: a plugin, a list of them, or what makes them"
PART = "that is a part of one: DataConverter(payload_codec=..., payload_converter_class=...)"


def with_given(module: Module, converter: str | None, plugins: Iterable[str]) -> Module:
    """The module with the data converter of that name in place of its own, and with these plugins after its own.

    Each name is `MODULE:NAME`, of a value or of a function or class without arguments that gives it.

    Raises:
        IntrospectionError: There is none of that name, it is something else, or its module fails.
    """
    if converter is not None:
        module = replace(module, data_converter=_converter(converter))
    more = [each for name in plugins for each in _plugins(name)]
    return replace(module, plugins=(*module.plugins, *more))


def plugins_of(modules: Sequence[ModuleType]) -> tuple[Any, ...]:
    """The list `plugins` of a module, if all in it are plugins of the SDK."""
    for module in modules:
        for name in (PLUGINS, PLUGINS.upper()):
            own = vars(module).get(name)
            if isinstance(own, (list, tuple)) and own and all(map(_is_plugin, own)):
                return tuple(own)
    return ()


async def client_options(module: Module, *, large_payloads: bool = True) -> dict[str, Any]:
    """What `connect` takes for the module: its data converter, its plugins, and the folder of large payloads.

    The folder is left out where the converter has an external storage of its own.

    Raises:
        IntrospectionError: A plugin raises.
    """
    plugins = _for_clients(module)
    used = await converter_in_use(module)
    if large_payloads and (used is None or used.external_storage is None):
        from ..payloads import LargePayloads

        plugins.append(LargePayloads())
    converter = {} if module.data_converter is None else {"data_converter": module.data_converter}
    return {"plugins": plugins, **converter}


async def connect_for(module: Module, target: Target, *, large_payloads: bool = True, **more: Any) -> Client:
    """A client with all that; `more` is what else `connect` takes.

    Raises:
        IntrospectionError: A plugin raises.
        DevServerError: There is no connection.
    """
    options = await client_options(module, large_payloads=large_payloads)
    try:
        return await connect(target, **options, **more)
    except DevServerError:
        raise
    except Exception as error:
        if not module.plugins:
            raise
        raise plugin_fails(error, module) from error


def plugin_fails(error: Exception, module: Module) -> ModuleFailed:
    """Our error for what a plugin raises, with its part of the traceback."""
    return ModuleFailed(f"a plugin fails: {said_of(error)}", details=users_traceback(error, module.project))


async def converter_in_use(module: Module) -> DataConverter | None:
    """The data converter as the module's plugins leave it; None: the SDK's default. No server is asked.

    Raises:
        IntrospectionError: A plugin raises.
    """
    from temporalio.client import Client
    from temporalio.converter import DataConverter
    from temporalio.service import ConnectConfig, ServiceClient

    plugins = _for_clients(module)
    if not plugins:
        return module.data_converter
    nowhere = await ServiceClient.connect(ConnectConfig(target_host="127.0.0.1:1", lazy=True))
    converter = module.data_converter or DataConverter.default
    try:
        return Client(nowhere, data_converter=converter, plugins=plugins).data_converter
    except DevServerError:
        raise
    except Exception as error:
        raise plugin_fails(error, module) from error


def for_workers(module: Module) -> list[Any]:
    """The plugins that a worker does not take from its client."""
    from temporalio.client import Plugin

    return [each for each in module.plugins if not isinstance(each, Plugin)]


def _for_clients(module: Module) -> list[Any]:
    from temporalio.client import Plugin

    return [each for each in module.plugins if isinstance(each, Plugin)]


def _is_plugin(thing: Any) -> bool:
    import temporalio.client
    import temporalio.worker

    return isinstance(thing, (temporalio.client.Plugin, temporalio.worker.Plugin))


def _converter(name: str) -> DataConverter:
    from temporalio.converter import DataConverter, PayloadCodec, PayloadConverter

    found = _named(name, "data converter", lambda thing: isinstance(thing, DataConverter), CONVERTER_FORM)
    if not isinstance(found, DataConverter):
        part = isinstance(found, (PayloadCodec, PayloadConverter))
        raise UnexpectedObject(f"{name} is no data converter, but {found!r}", hint=PART if part else CONVERTER_FORM)
    return found


def _plugins(name: str) -> Sequence[Any]:
    found = _named(name, "plugin", _is_plugin, PLUGIN_FORM)
    plugins = found if isinstance(found, (list, tuple)) else [found]
    for each in plugins:
        if not _is_plugin(each):
            raise UnexpectedObject(
                f"{name} is no plugin of the SDK, but {each!r}",
                hint="they are of temporalio.plugin.SimplePlugin, temporalio.client.Plugin or temporalio.worker.Plugin",
            )
    return plugins


def _named(text: str, what: str, fits: Callable[[Any], bool], form: str) -> Any:
    """The value of that name; what a function or class of that name gives, unless it fits itself."""
    try:
        spec = parse(text)
        if spec.name is None:
            raise NotInModule("that names a module only", hint=form)
        module = load_one(spec)
        try:
            found = reduce(getattr, spec.name.split("."), module)
        except AttributeError:
            known = [name for name, value in vars(module).items() if fits(value) or _may_give(value, module)]
            raise NotInModule(f"{spec.module} has no {spec.name}", hint=nearest(spec.name, known)) from None
        if fits(found) or not callable(found):
            return found
        why = unmakeable(found)
        if why is not None:
            raise UnexpectedObject(f"it cannot be called: {why}", hint=form)
        return calling(found, f"{spec.name}()", spec)
    except IntrospectionError as error:
        error.message = f"the {what} {text} cannot be had: {error.message}"
        raise


def _may_give(value: Any, module: ModuleType) -> bool:
    return isinstance(value, (list, tuple)) or getattr(value, "__module__", None) == module.__name__


def converter_of(modules: Sequence[ModuleType], found: Definitions) -> DataConverter | None:
    """The value `data_converter` of a module, else Pydantic's if a signature has a model, else None: the SDK's."""
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
    """Every type that goes in or comes out."""
    definitions = [each.definition for each in found.activities]
    for each in found.workflows:
        of = each.definition
        definitions += [of, *of.signals.values(), *of.queries.values(), *of.updates.values()]
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
    seen[id(hint)] = hint  # kept, so that nothing else gets its id
    if isinstance(hint, type) and issubclass(hint, model):
        return True
    parts = [*typing.get_args(hint), *(each.hint for each in fields_of(hint) or ())]
    if is_dataclass(hint):
        parts += [each.type for each in fields(hint)]  # those of `fields_of` need all of their names
    return any(_mentions(part, model, seen) for part in parts)
