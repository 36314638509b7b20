"""`LargePayloads`: the plugin that stores large payloads of clients and workers in a folder."""

from __future__ import annotations

import dataclasses
import weakref
from collections.abc import Awaitable, Callable
from pathlib import Path

from temporalio.api.workflowservice.v1 import GetClusterInfoRequest
from temporalio.client import ClientConfig
from temporalio.converter import DataConverter, ExternalStorage
from temporalio.plugin import SimplePlugin
from temporalio.service import ConnectConfig, RPCError, ServiceClient
from temporalio.worker import ReplayerConfig, WorkerConfig

from .blobs import default_folder
from .claims import ANY_SERVER, is_valid_server
from .converter import ConverterSettings, keeps_bytes, with_folder, without_folder
from .driver import FolderDriver
from .errors import PayloadOptionError
from .failures import with_payload_failures, without_payload_failures
from .limits import MAX_FOLDER_SIZE, MAX_PAYLOAD_SIZE, parse_size
from .references import is_reference

NAME = "devserver.LargePayloads"
THRESHOLD = "256KiB"


class LargePayloads(SimplePlugin):
    """Stores large payloads in a folder. Give it to the client; its workers use it too. A `Replayer` needs its own:

        client = await Client.connect("127.0.0.1:7233", plugins=[LargePayloads()])
        Replayer(workflows=[...], plugins=[LargePayloads()])

    Every process that starts, runs or reads these workflows needs the plugin and the same folder. Your own data
    converter and codec stay in use. The codec runs first: an encrypted payload is encrypted in the folder.

    Args:
        folder: The path; None is `DEVSERVER_PAYLOADS`, or a folder in this user's data folder for all programs.
        threshold: Payloads of this size or more are stored in the folder, in bytes or as "256KiB".
        max_payload_size: The limit of one payload; a larger one fails the activity or the workflow.
        max_folder_size: The limit of the whole folder; while it is full, tasks are retried.
        sync: Whether a payload is on the disk (fsync) before a history refers to it.

    Raises:
        PayloadOptionError: A size or the folder is invalid; or, for a client, its data converter has another external
            storage.
    """

    def __init__(
        self,
        folder: str | Path | None = None,
        *,
        threshold: int | str = THRESHOLD,
        max_payload_size: int | str = MAX_PAYLOAD_SIZE,
        max_folder_size: int | str = MAX_FOLDER_SIZE,
        sync: bool = True,
    ) -> None:
        super().__init__(NAME)
        self.threshold = parse_size(threshold, "threshold")
        self._driver = FolderDriver(
            default_folder() if folder is None else folder,
            max_payload_size=max_payload_size,
            max_folder_size=max_folder_size,
            sync=sync,
        )
        self._servers: weakref.WeakKeyDictionary[ServiceClient, str] = weakref.WeakKeyDictionary()

    @property
    def folder(self) -> Path:
        """The folder of the payloads."""
        return self._driver.blobs.folder

    async def connect_service_client(
        self,
        config: ConnectConfig,
        next: Callable[[ConnectConfig], Awaitable[ServiceClient]],  # noqa: A002 - the SDK may pass it by this name
    ) -> ServiceClient:
        """Connect, and get the server's id: payloads are stored by server, so that they can be pruned."""
        service = await next(config)
        if not config.lazy:
            self._servers[service] = await _server_of(service)
        return service

    def configure_client(self, config: ClientConfig) -> ClientConfig:
        """Add the folder to the client's data converter."""
        config = super().configure_client(config)
        converter = config["data_converter"]
        driver = folder_driver_of(converter)  # of a client from whose configuration this one is made
        server = self._servers.get(config["service_client"], ANY_SERVER) if driver is None else driver.server
        config["data_converter"] = self._with_folder(converter, self._driver.for_server(server), stores=True)
        return config

    def configure_worker(self, config: WorkerConfig) -> WorkerConfig:
        """Check that the worker's client has the plugin too: the client converts.

        Raises:
            PayloadOptionError: The client does not have it.
        """
        config = super().configure_worker(config)
        if folder_driver_of(config["client"].data_converter) is None:
            raise PayloadOptionError(
                "the worker has LargePayloads, but its client does not",
                hint="give it to the client: Client.connect(..., plugins=[LargePayloads()]); its workers use it too",
            )
        return config

    def configure_replayer(self, config: ReplayerConfig) -> ReplayerConfig:
        """Let a replay read the folder."""
        config = super().configure_replayer(config)
        converter = config.get("data_converter") or DataConverter.default
        config["data_converter"] = self._with_folder(converter, self._driver.for_replay(), stores=False)
        return config

    def _with_folder(self, converter: DataConverter, driver: FolderDriver, *, stores: bool) -> DataConverter:
        if converter.external_storage is not None and folder_driver_of(converter) is None:
            names = ", ".join(other.name() for other in converter.external_storage.drivers)
            raise PayloadOptionError(
                f"the data converter already has an external storage: {names}",
                hint="remove LargePayloads, or use its driver (devserver.payloads.FolderDriver) in that storage",
            )
        inner = without_folder(converter.payload_converter_class)
        has_codec = converter.payload_codec is not None
        settings = ConverterSettings(
            driver.blobs,
            driver.server,
            driver.max_payload_size,
            direct=not has_codec,
            stores=stores,
            plain_bytes=keeps_bytes(inner()),
        )
        used = driver if has_codec else driver.for_folder_converter()
        storage = ExternalStorage(
            drivers=[used],
            driver_selector=lambda _, payload: None if is_reference(payload) else used,
            payload_size_threshold=self.threshold,
        )
        return dataclasses.replace(
            converter,
            external_storage=storage,
            payload_converter_class=with_folder(inner, settings),
            failure_converter_class=with_payload_failures(without_payload_failures(converter.failure_converter_class)),
        )


def folder_driver_of(converter: DataConverter) -> FolderDriver | None:
    """The folder driver of a data converter whose only storage it is."""
    drivers = converter.external_storage.drivers if converter.external_storage is not None else ()
    (driver,) = drivers if len(drivers) == 1 else (None,)
    return driver if isinstance(driver, FolderDriver) else None


async def _server_of(service: ServiceClient) -> str:
    """The cluster id of a server; `any` for one that does not report a usable id."""
    try:
        server = (await service.workflow_service.get_cluster_info(GetClusterInfoRequest())).cluster_id
    except RPCError:
        return ANY_SERVER
    return server if is_valid_server(server) else ANY_SERVER
