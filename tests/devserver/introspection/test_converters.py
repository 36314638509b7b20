"""Data converter and plugins of a module, given on the command line or in the module itself."""

from __future__ import annotations

import asyncio

import pytest
from temporalio.converter import DataConverter

from devserver.client.target import Target
from devserver.introspection import IntrospectionError, find
from devserver.introspection.converters import (
    client_options,
    connect_for,
    converter_in_use,
    with_options,
    worker_plugins,
)
from devserver.payloads import LargePayloads
from tests.helpers.user_code import ORDER, Write

SEALING = """
import dataclasses
import temporalio.worker
from temporalio.converter import DataConverter, ExternalStorage, PayloadCodec, StorageDriver
from temporalio.plugin import SimplePlugin

class Codec(PayloadCodec):
    async def encode(self, payloads): return list(payloads)
    async def decode(self, payloads): return list(payloads)

sealed = DataConverter(payload_codec=Codec())

def by_factory(): return sealed
def with_keys(keys): return sealed
def broken(): raise KeyError("SHOP_KEY")

class Sealing(SimplePlugin):
    def __init__(self):
        super().__init__("sealing", data_converter=lambda given: dataclasses.replace(given, payload_codec=Codec()))

class OfWorkers(temporalio.worker.Plugin):
    def configure_worker(self, config): return config
    async def run_worker(self, worker, next): await next(worker)
    def configure_replayer(self, config): return config
    def run_replayer(self, replayer, histories, next): return next(replayer, histories)

class Driver(StorageDriver):
    def name(self): return "own"
    async def store(self, context, payloads): raise NotImplementedError
    async def retrieve(self, context, claims): raise NotImplementedError

class Storing(SimplePlugin):
    def __init__(self):
        storage = ExternalStorage(drivers=[Driver()])
        super().__init__("storing", data_converter=lambda given: dataclasses.replace(given, external_storage=storage))

class Failing(SimplePlugin):
    def __init__(self):
        super().__init__("failing", data_converter=lambda given: given.nothing)

class Locked(SimplePlugin):
    def __init__(self):
        super().__init__("locked")

    async def connect_service_client(self, config, next):
        raise KeyError("SHOP_KEY")

both = [Sealing(), OfWorkers()]
"""


@pytest.fixture
def shop(write: Write) -> None:
    """A module without a converter, and another one with several."""
    write("shop.py", ORDER)
    write("sealing.py", SEALING)


@pytest.mark.usefixtures("shop")
def test_a_data_converter_by_name() -> None:
    """It is a value or a factory in a module or file, or one of the SDK's; it overrides the module's own."""
    from temporalio.contrib.pydantic import pydantic_data_converter

    for name in ("sealing:sealed", "sealing.py:sealed", "sealing:by_factory"):
        converter = with_options(find("shop"), name, []).data_converter
        assert type(getattr(converter, "payload_codec", None)).__name__ == "Codec"
    found = with_options(find("shop"), "temporalio.contrib.pydantic:pydantic_data_converter", [])
    assert found.data_converter is pydantic_data_converter


@pytest.mark.usefixtures("shop")
@pytest.mark.parametrize(
    ("converter", "plugin", "message", "hint"),
    [
        ("nix:sealed", "", "cannot use the data converter nix:sealed: there is no module nix", "name it as"),
        ("sealing", "", "cannot use the data converter sealing: this names only a module", "MODULE:NAME"),
        (
            "sealing:saeled",
            "",
            "cannot use the data converter sealing:saeled: sealing has no saeled",
            "did you mean sealed?",
        ),
        ("sealing:with_keys", "", "it cannot be called: it needs keys", "MODULE:NAME"),
        ("sealing:broken", "", "broken() raises KeyError: 'SHOP_KEY'", "None"),
        ("sealing:Codec", "", "sealing:Codec is not a data converter, but <sealing.Codec", "payload_codec=..."),
        ("", "sealing:sealed", "sealing:sealed is not a plugin of the SDK, but DataConverter(", "SimplePlugin"),
        ("", "sealing:bth", "cannot use the plugin sealing:bth: sealing has no bth", "did you mean both?"),
    ],
)
def test_invalid_names(converter: str, plugin: str, message: str, hint: str) -> None:
    """The error shows what was looked up, and the valid forms of a name."""
    with pytest.raises(IntrospectionError) as caught:
        with_options(find("shop"), converter or None, [plugin] if plugin else [])
    assert message in caught.value.message
    assert hint in str(caught.value.hint)


@pytest.mark.usefixtures("shop")
def test_plugins(write: Write) -> None:
    """The module's own plugins come first, then the named ones; classes are instantiated; each is for clients,
    workers or both."""
    write("own.py", ORDER + "\nfrom sealing import Sealing\nplugins = [Sealing()]\n")
    write("other.py", ORDER + "\nplugins = ['no plugin of the SDK']\n")
    assert find("other").plugins == ()
    found = with_options(find("own"), None, ["sealing:both", "sealing:Storing"])
    assert [type(plugin).__name__ for plugin in found.plugins] == ["Sealing", "Sealing", "OfWorkers", "Storing"]
    assert [type(plugin).__name__ for plugin in worker_plugins(found)] == ["OfWorkers"]


@pytest.mark.usefixtures("shop")
def test_client_options() -> None:
    """Plugins may change the converter; with external storage, large payloads need no folder."""

    def given(*plugins: str, large: bool = True) -> list[str]:
        module = with_options(find("shop"), None, plugins)
        options = asyncio.run(client_options(module, large_payloads=large))
        return [type(plugin).__name__ for plugin in options["plugins"]]

    assert given() == ["LargePayloads"]
    assert given(large=False) == []
    assert given("sealing:both") == ["Sealing", "LargePayloads"]
    assert given("sealing:Storing") == ["Storing"]
    assert given(f"{LargePayloads.__module__}:LargePayloads") == ["LargePayloads"]
    sealed = asyncio.run(converter_in_use(with_options(find("shop"), None, ["sealing:Sealing"])))
    assert isinstance(sealed, DataConverter)
    assert sealed.payload_codec is not None
    with pytest.raises(IntrospectionError, match="a plugin raises AttributeError"):
        given("sealing:Failing")
    locked = with_options(find("shop"), None, ["sealing:Locked"])
    with pytest.raises(IntrospectionError, match="a plugin raises KeyError: 'SHOP_KEY'"):
        asyncio.run(connect_for(locked, Target("127.0.0.1:1", "default")))
