"""A codec server that reverses data, requires a key and counts its requests."""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

ENCODING = base64.b64encode(b"binary/encrypted").decode()
KEY = "Bearer sesame"


def reversed_payload(payload: dict[str, Any]) -> dict[str, Any]:
    """A payload of Protobuf's JSON as this server encodes it."""
    data = base64.b64encode(json.dumps(payload).encode()[::-1]).decode()
    return {"metadata": {"encoding": ENCODING}, "data": data}


@dataclass
class Requests:
    """The server's URL, and what it was asked: the path and the headers of each request."""

    url: str = ""
    seen: list[tuple[str, dict[str, str]]] = field(default_factory=list)


@contextmanager
def codec_server() -> Iterator[Requests]:
    """Run the server."""
    requests = Requests()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            requests.seen.append((self.path, dict(self.headers.items())))
            if self.headers["Authorization"] != KEY:
                self.send_error(403, "no entry")
                return
            answer = [
                json.loads(base64.b64decode(payload["data"])[::-1])
                if payload["metadata"]["encoding"] == ENCODING
                else payload
                for payload in body["payloads"]
            ]
            data = json.dumps({"payloads": answer}).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_: object) -> None:
            """Be quiet."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        requests.url = f"http://127.0.0.1:{server.server_address[1]}"
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield requests
        finally:
            server.shutdown()
            thread.join()
