"""The one line for clients and workers: large payloads go to a folder, histories keep a reference."""

from __future__ import annotations

import dataclasses
import weakref
from collections.abc import Awaitable, Callable
from pathlib import Path

import temporalio.service
from temporalio.api.workflowservice.v1 import GetClusterInfoRequest
from temporalio.client import ClientConfig
from temporalio.converter import DataConverter, ExternalStorage
from temporalio.plugin import SimplePlugin
from temporalio.service import ConnectConfig, RPCError, ServiceClient
from temporalio.worker import ReplayerConfig, WorkerConfig

from .blobs import default_folder
from .claims import ANY_SERVER, valid_server
from .converter import ConverterSettings, keeps_bytes, with_folder, without_folder
from .driver import FolderDriver
from .errors import PayloadOptionError
from .failures import with_payload_failures, without_payload_failures
from .limits import LARGEST, MOST, parse_size
from .references import is_reference

NAME = "devserver.LargePayloads"
THRESHOLD = "256KiB"


class LargePayloads(SimplePlugin):
    """Keeps large payloads in a folder. Give it to the client; its workers take it from there, and a `Replayer` needs
    one of its own:

        client = await Client.connect("127.0.0.1:7233", plugins=[LargePayloads()])
        Replayer(workflows=[...], plugins=[LargePayloads()])

    Every process that starts, runs or reads these workflows must have the plugin and the same folder.
    Your own data converter and codec stay: the codec comes first, so an encrypted payload is encrypted in the folder.

    Args:
        folder: Where; None is `DEVSERVER_PAYLOADS`, or a folder of this user's data, the same for all programs.
        threshold: From which size on a payload goes to the folder, in bytes or as "256KiB".
        largest: The most that one payload may have; a larger one fails the activity or the workflow.
        most: The most that the folder may have in all; when it is full, tasks are retried until there is room.
        sync: Whether a payload is on the disk (fsync) before a history refers to it.

    Raises:
        PayloadOptionError: A size or the folder cannot be used; or, when a client is made with it, the client's data
            converter has an external storage of another kind.
    """

    def __init__(
        self,
        folder: str | Path | None = None,
        *,
        threshold: int | str = THRESHOLD,
        largest: int | str = LARGEST,
        most: int | str = MOST,
        sync: bool = True,
    ) -> None:
        super().__init__(NAME)
        self.threshold = parse_size(threshold, "threshold")
        chosen = default_folder() if folder is None else folder
        self._driver = FolderDriver(chosen, largest=largest, most=most, sync=sync)
        self._servers: weakref.WeakKeyDictionary[ServiceClient, str] = weakref.WeakKeyDictionary()

    @property
    def folder(self) -> Path:
        """Where payloads are kept."""
        return self._driver.blobs.folder

    async def connect_service_client(
        self,
        config: ConnectConfig,
        next: Callable[[ConnectConfig], Awaitable[ServiceClient]],  # noqa: A002 - the SDK's name, given by keyword or not
    ) -> ServiceClient:
        """Connect, and learn which server it is: payloads are kept by server, so that they can be cleaned up."""
        service = await next(config)
        if not config.lazy:
            self._servers[service] = await _server_of(service)
        return service

    def configure_client(self, config: ClientConfig) -> ClientConfig:
        """Put the folder below the client's data converter."""
        config = super().configure_client(config)
        converter = config["data_converter"]
        before = own_driver(converter)  # of a client whose configuration this one is made of
        server = self._servers.get(config["service_client"], ANY_SERVER) if before is None else before.server
        config["data_converter"] = self._with_folder(converter, self._driver.of(server), keeps=True)
        return config

    def configure_worker(self, config: WorkerConfig) -> WorkerConfig:
        """See that the worker's client has the folder too: converting is the client's part.

        Raises:
            PayloadOptionError: It has not.
        """
        config = super().configure_worker(config)
        if own_driver(config["client"].data_converter) is None:
            raise PayloadOptionError(
                "LargePayloads was given to a worker whose client does not have it",
                hint="give it to Client.connect(..., plugins=[LargePayloads()]): its workers take it from there",
            )
        return config

    def configure_replayer(self, config: ReplayerConfig) -> ReplayerConfig:
        """Let a replay read the folder."""
        config = super().configure_replayer(config)
        converter = config.get("data_converter") or DataConverter.default
        config["data_converter"] = self._with_folder(converter, self._driver.reading(), keeps=False)
        return config

    def _with_folder(self, converter: DataConverter, driver: FolderDriver, *, keeps: bool) -> DataConverter:
        if converter.external_storage is not None and own_driver(converter) is None:
            names = ", ".join(each.name() for each in converter.external_storage.drivers)
            raise PayloadOptionError(
                f"the data converter has an external storage already: {names}",
                hint="leave out LargePayloads, or use its driver (devserver.payloads.FolderDriver) in that storage",
            )
        inner = without_folder(converter.payload_converter_class)
        shortcut = ConverterSettings(
            driver.blobs,
            driver.server,
            driver.largest,
            direct=converter.payload_codec is None,
            keeps=keeps,
            plain_bytes=keeps_bytes(inner()),
        )
        below = driver.below() if converter.payload_codec is None else driver
        storage = ExternalStorage(
            drivers=[below],
            driver_selector=lambda _, payload: None if is_reference(payload) else below,
            payload_size_threshold=self.threshold,
        )
        return dataclasses.replace(
            converter,
            external_storage=storage,
            payload_converter_class=with_folder(inner, shortcut),
            failure_converter_class=with_payload_failures(without_payload_failures(converter.failure_converter_class)),
        )


def own_driver(converter: DataConverter) -> FolderDriver | None:
    """The folder driver of a data converter, if that is all it stores with."""
    drivers = converter.external_storage.drivers if converter.external_storage is not None else ()
    (driver,) = drivers if len(drivers) == 1 else (None,)
    return driver if isinstance(driver, FolderDriver) else None


async def _server_of(service: temporalio.service.ServiceClient) -> str:
    """The cluster id of a server; one that does not tell is any server."""
    try:
        found = (await service.workflow_service.get_cluster_info(GetClusterInfoRequest())).cluster_id
    except RPCError:
        return ANY_SERVER
    return found if valid_server(found) else ANY_SERVER
