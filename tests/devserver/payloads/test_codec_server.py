"""The codec server: what it shows in the Web UI and the CLI, and which requests it refuses."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import httpx
import pytest

from devserver.payloads import BlobFolder
from devserver.payloads.blob_format import head_of
from devserver.payloads.claims import Claim
from devserver.payloads.codec_server import CodecServer

UI = "http://127.0.0.1:8233"
PLAIN = {"metadata": {"encoding": "anNvbi9wbGFpbg=="}, "data": "MQ=="}


@pytest.fixture
def blobs(tmp_path: Path) -> BlobFolder:
    """A folder for payloads."""
    return BlobFolder(tmp_path / "payloads")


@pytest.fixture
def url(blobs: BlobFolder) -> Iterator[str]:
    """A codec server that shows up to 1,000 bytes to one Web UI."""
    with CodecServer(blobs, origins=lambda: [UI], max_shown=1000) as server:
        yield server.url


def stored(blobs: BlobFolder, data: bytes, encoding: bytes = b"json/plain") -> Claim:
    """A payload in the folder."""
    return blobs.put("here", head_of({"encoding": encoding}, len(data)), data)


def referring(claim: Claim, **more: str) -> dict[str, Any]:
    """The reference in a history, as JSON."""
    data = json.dumps({"driverName": "devserver.folder", "claimData": {**claim.to_data(), **more}})
    metadata = {"encoding": b"json/protobuf", "messageType": b"temporal.api.sdk.v1.ExternalStorageReference"}
    return {
        "metadata": {key: base64.b64encode(value).decode() for key, value in metadata.items()},
        "data": base64.b64encode(data.encode()).decode(),
        "externalPayloads": [{"sizeBytes": str(claim.size)}],
    }


def decoded(url: str, *payloads: Mapping[str, Any], query: str = "") -> list[Any]:
    """The decoded payloads: the JSON in their data."""
    answer = httpx.post(f"{url}/decode{query}", json={"payloads": payloads})
    assert answer.status_code == 200, answer.text
    return [json.loads(base64.b64decode(payload["data"])) for payload in answer.json()["payloads"]]


def test_small_payloads_and_previews_of_large_ones(url: str, blobs: BlobFolder) -> None:
    """Small payloads are shown completely, large ones with their beginning, lost ones as an error."""
    small, large = stored(blobs, b'{"a": 1}'), stored(blobs, b'"' + b"x" * 9000 + b'"')
    binary, lost = stored(blobs, bytes(range(256)) * 9, b"binary/plain"), stored(blobs, b'"gone"')
    blobs.path("here", lost.digest).unlink()
    damaged = stored(blobs, b'"' + b"y" * 9000 + b'"')
    whole = blobs.path("here", damaged.digest).read_bytes()
    blobs.path("here", damaged.digest).write_bytes(whole.replace(b"encoding", b"enc\xff\xffing"))
    shown = decoded(url, PLAIN, *map(referring, (small, large, binary, lost, damaged)))
    assert shown[:2] == [1, {"a": 1}]
    assert shown[2]["stored"] == "9.0 kB"
    assert shown[2]["begins"].startswith('"xxx')
    assert base64.b64decode(shown[3]["begins_in_base64"]) == bytes(range(256))
    assert shown[4]["error"].endswith("is missing")
    assert "is corrupt" in shown[5]["error"]
    assert decoded(f"{url}/some-namespace", referring(small)) == [{"a": 1}]


def test_download(url: str, blobs: BlobFolder) -> None:
    """A preview keeps the form of a reference, so that the Web UI offers a download."""
    large = referring(stored(blobs, b'"' + b"x" * 9000 + b'"'))
    answer = httpx.post(f"{url}/decode?preserveStorageRefs=true", json={"payloads": [large]}).json()["payloads"][0]
    assert {key: answer[key] for key in ("metadata", "externalPayloads")} == {
        key: large[key] for key in ("metadata", "externalPayloads")
    }
    downloaded = httpx.post(f"{url}/download", json={"payloads": [large]}).json()["payloads"][0]
    assert base64.b64decode(downloaded["data"]) == b'"' + b"x" * 9000 + b'"'
    assert httpx.post(f"{url}/encode", json={"payloads": [PLAIN]}).json() == {"payloads": [PLAIN]}


def test_requests_of_other_sites_are_refused(url: str, blobs: BlobFolder) -> None:
    """Only this machine and the Web UI get an answer, not another site's page or another host name."""
    body = {"payloads": [referring(stored(blobs, b'{"a": 1}'))]}

    def send(**headers: str) -> httpx.Response:
        named = {key.replace("_", "-"): value for key, value in headers.items()}
        return httpx.post(f"{url}/decode", json=body, headers=named)

    for origin in (UI, "http://localhost:8233"):
        assert send(Origin=origin).headers["Access-Control-Allow-Origin"] == origin
        preflight = httpx.options(f"{url}/decode", headers={"Origin": origin, "Access-Control-Request-Method": "POST"})
        assert "X-Namespace" in preflight.headers["Access-Control-Allow-Headers"]
    for headers in (
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:8233@evil.example"},
        {"Origin": "http://127.0.0.1:9999"},
        {"Host": "evil.example"},
        {"Host": f"evil.example:{url.rpartition(':')[2]}"},
        {"Sec_Fetch_Site": "cross-site"},
    ):
        refused = send(**headers)
        assert refused.status_code == 403, headers
        assert "Access-Control-Allow-Origin" not in refused.headers
        assert "payloads" not in refused.json()


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("/decode", b"no json", 400),
        ("/decode", b'{"payloads": 1}', 400),
        ("/decode", b'{"payloads": ["x"]}', 400),
        ("/decode", b"[" * 100_000, 400),
        ("/delete", b"{}", 404),
        ("/download", b'{"payloads": [{"data": "MQ=="}]}', 500),
    ],
)
def test_invalid_requests_are_refused(url: str, path: str, body: bytes, status: int) -> None:
    """An invalid request gets an error in JSON, and the server keeps running."""
    answer = httpx.post(f"{url}{path}", content=body)
    assert answer.status_code == status
    assert {"error"} <= answer.json().keys()
    assert httpx.get(url).status_code == 200


def test_a_reference_cannot_lead_out_of_the_folder(url: str, blobs: BlobFolder) -> None:
    """A forged reference is shown as an error."""
    claim = stored(blobs, b"1")
    for more in ({"sha256": "../../../../../../etc/passwd"}, {"server": "../.."}, {"size": "9" * 30}):
        assert "is not one of devserver's" in decoded(url, referring(claim, **more))[0]["error"]
    for data in ("%%%", base64.b64encode(b"[]").decode(), None, 7):
        answer = httpx.post(f"{url}/decode", json={"payloads": [{**referring(claim), "data": data}]})
        assert answer.status_code == 200
