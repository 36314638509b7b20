"""A node of Cassandra: its address, its configuration, its command line.

Each node has a network of its own (`isolation/`), so all have the same ports, as the server's driver expects.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ...system.files import private_folder, write_private
from ..declaration import NODE
from ..isolation.host_networks import address_of
from .jars import CassandraPrograms

CQL_PORT = 9042
STORAGE_PORT = 7000
JMX_PORT = 7199  # on 127.0.0.1 of the node's own network
RING_DELAY_MS = 2000
HEAP = "256M"
DATA = "data"
ARCHIVE = "classes.jsa"
CLUSTER_NAME = "devserver"
KEYSPACE = "temporal"  # Temporal's tables

# What Cassandra's own start script opens to it on Java 17 (conf/jvm17-server.options).
EXPORTS = {
    "java.base": ("jdk.internal.misc", "java.lang.ref", "sun.nio.ch", "jdk.internal.ref"),
    "java.management.rmi": ("com.sun.jmx.remote.internal.rmi",),
    "java.rmi": ("sun.rmi.registry", "sun.rmi.server", "sun.rmi.transport.tcp"),
    "java.sql": ("java.sql",),
    "jdk.unsupported": ("sun.misc",),
    "jdk.attach": ("sun.tools.attach",),
    "jdk.compiler": ("com.sun.tools.javac.file",),
}
OPENS = {
    "java.base": (
        *("java.lang", "java.lang.module", "java.lang.reflect", "java.io", "java.math", "java.net", "java.util"),
        *("java.util.concurrent", "java.util.concurrent.atomic", "java.nio", "java.nio.charset", "java.nio.file.spi"),
        *("sun.nio.ch", "jdk.internal.loader", "jdk.internal.ref", "jdk.internal.reflect", "jdk.internal.math"),
        *("jdk.internal.module", "jdk.internal.util.jar"),
    ),
    "jdk.management": ("com.sun.management.internal",),
    "jdk.management.jfr": ("jdk.management.jfr",),
    "jdk.compiler": ("com.sun.tools.javac.tree",),
}
LOGBACK = """<configuration>
  <appender name="STDOUT" class="ch.qos.logback.core.ConsoleAppender">
    <encoder><pattern>%-5level %date{ISO8601} %logger{0} - %msg%n</pattern></encoder>
  </appender>
  <root level="INFO"><appender-ref ref="STDOUT"/></root>
</configuration>
"""
QUIET = "<configuration/>\n"


@dataclass(frozen=True)
class RingNode:
    """One node: its number, from 1, and the folder of its files."""

    number: int
    folder: Path

    @property
    def name(self) -> str:
        """Its name as a member."""
        return f"{NODE}-{self.number}"

    @property
    def address(self) -> str:
        """Its address."""
        return address_of(self.number)

    def write(self, seeds: Sequence[int]) -> None:
        """Write its configuration.

        Args:
            seeds: The numbers of the nodes that it asks for the ring.
        """
        private_folder(self.folder)
        write_private(self.folder / "cassandra.yaml", json.dumps(self._configuration(seeds), indent=2))
        write_private(self.folder / "logback.xml", LOGBACK)

    def command(self, programs: CassandraPrograms, archive: Path | None = None, *, make: bool = False) -> list[str]:
        """Its command line; options and class path are in a file beside its configuration.

        Args:
            programs: Java and Cassandra's jars.
            archive: The archive of loaded classes, which makes the start faster; with `make` it is written at the end.
        """
        properties = {
            "logback.configurationFile": str(self.folder / "logback.xml"),
            "cassandra.config": f"file://{self.folder / 'cassandra.yaml'}",
            "cassandra.storagedir": str(self.folder / DATA),
            "cassandra.logdir": str(self.folder),
            "cassandra.jmx.local.port": str(JMX_PORT),
            "cassandra.ring_delay_ms": str(RING_DELAY_MS),
            "cassandra.skip_wait_for_gossip_to_settle": "0",
            "cassandra.consistent.rangemovement": "false",  # else a node does not join soon after another one
            "cassandra-foreground": "yes",
            "java.awt.headless": "true",
        }
        flags = [f"-Xms{HEAP}", f"-Xmx{HEAP}", "-XX:+UseSerialGC", "-Xss512k", "-XX:TieredStopAtLevel=1"]
        flags += ["-XX:MaxDirectMemorySize=128M", "-XX:-UsePerfData", "-XX:+ExitOnOutOfMemoryError"]
        if archive is not None and (make or archive.is_file()):
            flags.append(f"-XX:{'ArchiveClassesAtExit' if make else 'SharedArchiveFile'}={archive}")
        flags += [*opened(), *(f"-D{key}={value}" for key, value in properties.items())]
        words = [*flags, "-cp", programs.class_path, "org.apache.cassandra.service.CassandraDaemon"]
        return [programs.java, arguments(self.folder / "java.options", words)]

    def _configuration(self, seeds: Sequence[int]) -> Mapping[str, object]:
        data = self.folder / DATA
        return {
            "cluster_name": CLUSTER_NAME,
            "num_tokens": 16,
            "partitioner": "org.apache.cassandra.dht.Murmur3Partitioner",
            "endpoint_snitch": "SimpleSnitch",
            "seed_provider": [
                {
                    "class_name": "org.apache.cassandra.locator.SimpleSeedProvider",
                    "parameters": [{"seeds": ",".join(address_of(number) for number in seeds)}],
                }
            ],
            "listen_address": self.address,
            "rpc_address": self.address,
            "storage_port": STORAGE_PORT,
            "native_transport_port": CQL_PORT,
            "data_file_directories": [str(data / "sstables")],
            "commitlog_directory": str(data / "commitlog"),
            "saved_caches_directory": str(data / "saved_caches"),
            "hints_directory": str(data / "hints"),
            "cdc_raw_directory": str(data / "cdc_raw"),
            "commitlog_sync": "periodic",
            "commitlog_sync_period": "1000ms",
            "commitlog_segment_size": "8MiB",
            "memtable_heap_space": "32MiB",
            "memtable_offheap_space": "32MiB",
            "concurrent_compactors": 1,
            "auto_snapshot": False,
        }


def opened() -> list[str]:
    """Java's options that open its own modules to Cassandra."""
    return [
        *(f"--add-exports={module}/{name}=ALL-UNNAMED" for module, names in EXPORTS.items() for name in names),
        *(f"--add-opens={module}/{name}=ALL-UNNAMED" for module, names in OPENS.items() for name in names),
    ]


def arguments(file: Path, words: Sequence[str]) -> str:
    """Write Java's arguments to a file, and return the word that names it."""
    write_private(file, "".join(f"{json.dumps(word, ensure_ascii=False)}\n" for word in words))
    return f"@{file}"
