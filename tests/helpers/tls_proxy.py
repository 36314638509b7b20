"""A TLS proxy on loopback in front of a server, with certificates created by the openssl command."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import ssl
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from temporaltest.workers.background_loop import BackgroundLoop

NAME = "temporal.test"
START_SECONDS = 60.0


@dataclass(frozen=True)
class Certificates:
    """A CA with certificates for a server (called `NAME`) and for a client, and another CA."""

    folder: Path

    def path(self, name: str) -> str:
        """Return a file: `ca.pem`, `other-ca.pem`, `server.pem`, `server.key`, `client.pem`, `client.key`."""
        return str(self.folder / name)


def make_certificates(folder: Path) -> Certificates:
    """Create them; skip the test with a reason if openssl is not installed."""
    if shutil.which("openssl") is None:
        pytest.skip("NO TLS: tests of it need the openssl command (make system)")
    folder.mkdir()
    for authority in ("ca", "other-ca"):
        _openssl(folder, "req", "-x509", *_new_key(authority), "-out", f"{authority}.pem", "-subj", f"/CN={authority}")
    for name, subject, more in (("server", NAME, ",IP:127.0.0.1"), ("client", "tests", "")):
        _openssl(folder, "req", "-new", *_new_key(name), "-out", f"{name}.csr", "-subj", f"/CN={subject}")
        (folder / f"{name}.ext").write_text(f"subjectAltName=DNS:{subject}{more}\n")
        signing = ["-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", "2", "-extfile", f"{name}.ext"]
        _openssl(folder, "x509", "-req", "-in", f"{name}.csr", "-out", f"{name}.pem", *signing)
    return Certificates(folder)


def _new_key(name: str) -> list[str]:
    return ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", f"{name}.key"]


def _openssl(folder: Path, *args: str) -> None:
    subprocess.run(["openssl", *args], cwd=folder, check=True, capture_output=True)


@contextlib.contextmanager
def tls_proxy(target: str, certificates: Certificates, *, clients: bool = False) -> Iterator[str]:
    """Run a proxy to `target` and return its address; with `clients` it requires a client certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificates.path("server.pem"), certificates.path("server.key"))
    context.set_alpn_protocols(["h2"])
    if clients:
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(certificates.path("ca.pem"))
    loop = BackgroundLoop()
    accepted: list[asyncio.StreamWriter] = []
    try:
        server = loop.run(_serve(target, context, accepted), START_SECONDS)
        yield f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
        loop.run(_close(server, accepted), START_SECONDS)  # in its own loop: asyncio is not safe across threads
    finally:
        loop.close()


async def _close(server: asyncio.Server, accepted: list[asyncio.StreamWriter]) -> None:
    server.close()
    for writer in accepted:  # some clients have not closed their connection yet
        writer.transport.abort()


async def _serve(target: str, context: ssl.SSLContext, accepted: list[asyncio.StreamWriter]) -> asyncio.Server:
    host, _, port = target.rpartition(":")

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        accepted.append(writer)
        there, back = await asyncio.open_connection(host, int(port))
        await asyncio.gather(_copy(reader, back), _copy(there, writer))

    return await asyncio.start_server(connected, "127.0.0.1", 0, ssl=context)


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    except OSError:
        return
    finally:
        writer.close()
