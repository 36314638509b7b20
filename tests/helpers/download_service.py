"""A loopback server like the official download service, with faults on demand."""

from __future__ import annotations

import contextlib
import io
import json
import socket
import ssl
import struct
import tarfile
import threading
import zipfile
from collections import deque
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

VERSION = "9.9.9"
SERVER_VERSION = "1.99.0"
TRICKLE_SECONDS = 5.0

Fault = Callable[["Handler"], None]


def script(version: str = VERSION, server: str = SERVER_VERSION) -> bytes:
    """Return a tiny program that answers `--version` like the Temporal CLI."""
    return f"#!/bin/sh\necho 'temporal version {version} (Server {server}, UI 2.0.0)'\n".encode()


def tar_gz(*members: tuple[str, bytes], kind: bytes = tarfile.REGTYPE, link: str = "") -> bytes:
    """Return a tar.gz archive; with `kind` and `link`, its members are links."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        for name, content in members:
            info = tarfile.TarInfo(name)
            info.type, info.linkname = kind, link
            info.size = len(content) if kind == tarfile.REGTYPE else 0
            info.mode = 0o755
            archive.addfile(info, io.BytesIO(content))
    return buffer.getvalue()


def zipped(*members: tuple[str, bytes], mode: int = 0o100755) -> bytes:
    """Return a zip archive whose members have that mode."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members:
            info = zipfile.ZipInfo(name)
            info.external_attr = mode << 16
            archive.writestr(info, content)
    return buffer.getvalue()


class DownloadService:
    """What the service serves, the requests it got, and its next faults.

    Attributes:
        archive: Bytes of the archive.
        member: `fileToExtract` of its answer.
        asked: Paths with query of the requests for metadata.
        archives: Number of requests for the archive.
        faults: For `metadata` and `archive`: faults in place of the next answers, one each.
        credentials: `Authorization` headers of the requests.
    """

    def __init__(self, archive: bytes) -> None:
        self.archive = archive
        self.member = "temporal"
        self.asked: list[str] = []
        self.archives = 0
        self.faults: dict[str, deque[Fault]] = {"metadata": deque(), "archive": deque()}
        self.credentials: list[str | None] = []
        self.archive_url: str | None = None
        self.url = ""

    @contextlib.contextmanager
    def serving(self, context: ssl.SSLContext | None = None) -> Iterator[DownloadService]:
        """Serve on a free loopback port, with TLS if a context is given."""
        server = _Server(("127.0.0.1", 0), Handler)
        server.service = self
        self.url = f"{'https' if context else 'http'}://127.0.0.1:{server.server_port}"
        if context:
            server.socket = context.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield self
        finally:
            server.shutdown()
            server.server_close()
            thread.join()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 256
    service: DownloadService

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Ignore killed clients."""


class Handler(BaseHTTPRequestHandler):
    """Handle one request; faults are functions of the handler."""

    protocol_version = "HTTP/1.1"
    server: _Server

    def do_GET(self) -> None:
        """Answer with metadata or the archive, or run a fault."""
        service = self.server.service
        self.close_connection = True
        service.credentials.append(self.headers.get("Authorization"))
        kind = "archive" if urlsplit(self.path).path == "/archive" else "metadata"
        if kind == "archive":
            service.archives += 1
        else:
            service.asked.append(self.path)
        if service.faults[kind]:
            service.faults[kind].popleft()(self)
        elif kind == "archive":
            self.answer(service.archive)
        else:
            self.metadata()

    def metadata(self) -> None:
        """Send the location of the archive."""
        service = self.server.service
        query = parse_qs(urlsplit(self.path).query)
        if set(query) != {"platform", "arch", "format"}:
            self.answer(b"bad query", 400)
            return
        url = service.archive_url or f"{service.url}/archive?signature=secret"
        self.answer(json.dumps({"archiveUrl": url, "fileToExtract": service.member}).encode())

    def answer(self, body: bytes, code: int = 200, **headers: str) -> None:
        """Send a complete answer."""
        self.head(len(body), code, **headers)
        self.wfile.write(body)

    def head(self, length: int, code: int = 200, **headers: str) -> None:
        """Send the head of an answer."""
        self.send_response(code)
        self.send_header("Content-Length", str(length))
        self.send_header("Connection", "close")
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - as http.server has it
        """Log nothing."""


def status(code: int, **headers: str) -> Fault:
    """Answer with that status."""
    return lambda handler: handler.answer(b"no", code, **headers)


def body(content: bytes) -> Fault:
    """Answer with that body."""
    return lambda handler: handler.answer(content)


def redirect(url: str) -> Fault:
    """Redirect the client."""
    return status(302, Location=url)


def reset_midway(handler: Handler) -> None:
    """Send half the archive, then break the connection."""
    archive = handler.server.service.archive
    handler.head(len(archive))
    handler.wfile.write(archive[: len(archive) // 2])
    handler.wfile.flush()
    handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    handler.connection.close()


def cut_midway(handler: Handler) -> None:
    """Announce the complete archive, send half of it and close normally."""
    archive = handler.server.service.archive
    handler.head(len(archive))
    handler.wfile.write(archive[: len(archive) // 2])


def hold(half_sent: threading.Event, go_on: threading.Event, limit: float = 180) -> Fault:
    """Send half the archive, signal that, and send the rest on request; until then send a byte now and then."""

    def fault(handler: Handler) -> None:
        archive = handler.server.service.archive
        sent = len(archive) // 2
        handler.head(len(archive))
        handler.wfile.write(archive[:sent])
        handler.wfile.flush()
        half_sent.set()
        with contextlib.suppress(OSError):
            for _ in range(int(limit / TRICKLE_SECONDS)):
                if go_on.wait(TRICKLE_SECONDS):
                    break
                handler.wfile.write(archive[sent : sent + 1])
                handler.wfile.flush()
                sent += 1
            handler.wfile.write(archive[sent:])

    return fault
