"""The download service: its form, its faults, and what is done about them."""

from __future__ import annotations

import datetime
import email.utils
import socket
from pathlib import Path

import httpx
import pytest

from devserver.errors import ArchiveError, BinaryNotFound, DownloadFailed, OptionError
from devserver.executables.models import BinaryRequest, Goal
from devserver.executables.sources import http
from devserver.executables.sources.http import Http
from devserver.executables.sources.release import Release
from devserver.executables.sources.source import Fetched
from devserver.system.platforms import Platform, current, platform_of
from tests.helpers.download_service import (
    VERSION,
    DownloadService,
    Handler,
    body,
    cut_midway,
    redirect,
    reset_midway,
    script,
    status,
)
from tests.helpers.recorder import Recorder


class Client:
    """The source with a clock of its own: waits are kept, not slept."""

    def __init__(self, service: DownloadService, folder: Path, recorder: Recorder) -> None:
        self.service, self.recorder = service, recorder
        self.waits: list[float] = []
        self.work = folder / "work"
        self.work.mkdir()

    def fetch(self, base_url: str | None = None, platform: Platform | None = None) -> Fetched:
        """Fetch version 9.9.9."""
        request = BinaryRequest(version=VERSION, base_url=base_url or self.service.url)
        goal = Goal(request, VERSION, platform or current(), None, None)
        return Release(Http(self.recorder, self.waits.append)).fetch(goal, self.work, self.recorder)


@pytest.fixture
def client(service: DownloadService, tmp_path: Path, recorder: Recorder) -> Client:
    """A client of the loopback service."""
    return Client(service, tmp_path, recorder)


def test_the_service_is_asked_in_the_form_of_the_official_one(client: Client) -> None:
    """Version in the path, platform, architecture and format in the query."""
    fetched = client.fetch(platform=Platform("darwin", "arm64"))
    client.fetch(platform=Platform("windows", "amd64"))
    assert client.service.asked == [
        f"/cli/v{VERSION}?platform=darwin&arch=arm64&format=tar.gz",
        f"/cli/v{VERSION}?platform=windows&arch=amd64&format=zip",
    ]
    assert fetched.path.read_bytes() == script()
    assert "secret" not in fetched.origin


@pytest.mark.parametrize(("machine", "arch"), [("aarch64", "arm64"), ("arm64", "arm64"), ("x86_64", "amd64")])
def test_a_machine_gets_its_own_archive(client: Client, machine: str, arch: str) -> None:
    """An arm64 machine under Linux, whatever it calls itself, downloads that of arm64."""
    client.fetch(platform=platform_of("linux", machine))
    assert client.service.asked == [f"/cli/v{VERSION}?platform=linux&arch={arch}&format=tar.gz"]


def test_progress_is_told_up_to_the_end(client: Client) -> None:
    """The last step is the whole."""
    client.fetch()
    what, done, total = client.recorder.steps[-1]
    assert (what, done) == (f"temporal {VERSION}", total)


@pytest.mark.parametrize("code", [408, 429, 500, 502, 503, 504])
@pytest.mark.parametrize("kind", ["metadata", "archive"])
def test_a_busy_service_is_asked_again(client: Client, code: int, kind: str) -> None:
    """Back-off grows, and each retry is told."""
    client.service.faults[kind].extend([status(code)] * 4)
    assert client.fetch().path.exists()
    assert len(client.waits) == 4
    assert all(0.25 * 2**n <= wait <= 0.75 * 2**n for n, wait in enumerate(client.waits))
    assert all(str(code) in note for note in client.recorder.notes)


def test_a_service_that_stays_busy_is_given_up_with_its_reason(client: Client) -> None:
    """The error tells attempts, answer and address."""
    client.service.faults["metadata"].extend([status(503)] * 9)
    with pytest.raises(DownloadFailed, match=r"after 5 attempts: the server answers 503") as caught:
        client.fetch()
    assert client.service.url in str(caught.value)
    assert len(client.waits) == 4


def test_retry_after_is_obeyed_as_seconds_and_as_a_date(client: Client) -> None:
    """The service's own word replaces the back-off."""
    later = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=20)
    client.service.faults["metadata"].append(status(429, Retry_After="7"))
    client.service.faults["metadata"].append(status(503, Retry_After=email.utils.format_datetime(later)))
    client.fetch()
    assert client.waits[0] == 7
    assert 15 < client.waits[1] <= 20


def test_retry_after_nonsense_is_ignored(client: Client) -> None:
    """A header that is neither leaves the back-off in place."""
    client.service.faults["metadata"].append(status(429, Retry_After="soon"))
    client.fetch()
    assert client.waits[0] < 1


def test_a_wait_of_an_hour_is_not_waited(client: Client) -> None:
    """The user is told instead."""
    client.service.faults["metadata"].append(status(429, Retry_After="3600"))
    with pytest.raises(DownloadFailed, match="asks to wait 3600 s"):
        client.fetch()
    assert client.waits == []


@pytest.mark.parametrize("fault", [reset_midway, cut_midway])
def test_a_connection_that_breaks_is_made_again(client: Client, fault: object) -> None:
    """Half an archive is thrown away, and the whole one is had the next time."""
    client.service.faults["archive"].extend([fault, fault])  # type: ignore[list-item]
    assert client.fetch().path.read_bytes() == script()
    assert client.service.archives == 3
    assert all("the connection broke" in note for note in client.recorder.notes)


def test_an_unknown_version_is_not_asked_for_again(client: Client) -> None:
    """404 is an answer."""
    client.service.faults["metadata"].append(status(404))
    with pytest.raises(BinaryNotFound, match=f"has no temporal {VERSION}") as caught:
        client.fetch()
    assert "404" in str(caught.value)
    assert client.waits == []


def test_a_refusal_is_not_repeated(client: Client) -> None:
    """403 names the address and the way out."""
    client.service.faults["metadata"].append(status(403))
    with pytest.raises(DownloadFailed, match="403"):
        client.fetch()
    assert client.waits == []


def test_a_truncated_archive_is_told(client: Client) -> None:
    """An archive that is complete by length and still cut is an error of its own."""
    client.service.archive = client.service.archive[:-20]
    with pytest.raises(ArchiveError, match=f"temporal {VERSION}: .*truncated") as caught:
        client.fetch()
    assert f"{client.service.url}/archive" in str(caught.value)


def test_a_name_that_cannot_be_resolved_is_given_up_at_once(client: Client) -> None:
    """No network, no patience: other sources wait for their turn."""
    with pytest.raises(DownloadFailed, match="cannot be resolved"):
        client.fetch("http://no-such-host.invalid")
    assert client.waits == []


def test_a_refused_connection_is_tried_only_once_more(client: Client) -> None:
    """A port nobody listens on."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        with pytest.raises(DownloadFailed, match="no connection"):
            client.fetch(f"http://127.0.0.1:{unused.getsockname()[1]}")
    assert len(client.waits) == 1


@pytest.mark.parametrize(
    "answer",
    [
        b"<html>hello</html>",
        b"[]",
        b"{}",
        b'{"archiveUrl": 1, "fileToExtract": "x"}',
        b'{"archiveUrl": "x", "fileToExtract": 1}',
        b'{"archiveUrl": "file:///etc/passwd", "fileToExtract": "x"}',
        b"\xff",
    ],
)
def test_an_answer_of_another_form_is_refused(client: Client, answer: bytes) -> None:
    """What a captive portal or a wrong mirror says is shown, not used."""
    client.service.faults["metadata"].append(body(answer))
    with pytest.raises(DownloadFailed):
        client.fetch()


def test_redirects_are_followed(client: Client) -> None:
    """Archives often lie elsewhere."""
    client.service.faults["archive"].append(redirect(f"{client.service.url}/archive?again=1"))
    assert client.fetch().path.exists()


def test_an_archive_address_may_be_relative(client: Client) -> None:
    """A mirror need not know its own name."""
    client.service.archive_url = "/archive"
    assert client.fetch().path.exists()


def test_credentials_go_to_the_mirror_only_and_into_no_message(client: Client) -> None:
    """They are sent to the host they are for, and never shown."""
    mirror = client.service.url.replace("://", "://user:secret@")
    fetched = client.fetch(mirror)
    assert all(client.service.credentials)
    client.service.archive_url = client.service.url.replace("127.0.0.1", "localhost") + "/archive"
    client.service.credentials.clear()
    (client.work / "temporal").unlink()
    client.fetch(mirror)
    assert client.service.credentials[-1] is None
    client.service.faults["metadata"].extend([status(500)] * 5)
    with pytest.raises(DownloadFailed) as caught:
        client.fetch(mirror)
    assert "secret" not in str(caught.value) + fetched.origin + "".join(client.recorder.notes)


@pytest.mark.parametrize(
    "address",
    [
        "http://[::1",
        "http://localhost:99999",
        "http://localhost:x",
        "https://host/x?token=1",
        "https://host/#x",
        "http://",
    ],
)
def test_an_address_that_is_none_is_told_before_anything_is_asked(client: Client, address: str) -> None:
    """Brackets, ports, and what only looks like a part of the path."""
    with pytest.raises(OptionError, match="not the URL of a download service") as caught:
        client.fetch(address)
    assert "token=1" not in str(caught.value)
    assert client.service.asked == []


def test_what_was_asked_for_encrypted_must_come_encrypted(client: Client) -> None:
    """A redirect from https to http is refused, whatever was asked for."""
    request = httpx.Request("GET", "https://secure.example/x")
    response = httpx.Response(200, request=httpx.Request("GET", client.service.url))
    response.history = [httpx.Response(302, request=request)]
    with pytest.raises(DownloadFailed, match=r"https://secure\.example/x leads to http://127"):
        http._judge(response, "it")


def test_an_archive_is_asked_for_as_it_is(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that compresses what it sends would wrap the archive once more."""
    seen = []
    monkeypatch.setattr(Handler, "log_request", lambda self, *args: seen.append(self.headers["Accept-Encoding"]))
    client.fetch()
    assert seen == ["identity"] * 2


def test_a_broken_proxy_setting_is_named(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """A proxy address that makes no sense is told with the variables to look at."""
    monkeypatch.setenv("HTTP_PROXY", "nonsense://proxy")
    monkeypatch.setenv("NO_PROXY", "")
    with pytest.raises(DownloadFailed, match="cannot request") as caught:
        client.fetch()
    assert "HTTPS_PROXY" in str(caught.value)


def test_a_proxy_of_the_environment_is_used(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """What cannot be resolved here is left to the proxy."""
    monkeypatch.setenv("HTTP_PROXY", client.service.url)
    client.service.faults["metadata"].append(body(b"through the proxy"))
    with pytest.raises(DownloadFailed, match="does not answer like a download service"):
        client.fetch("http://no-such-host.invalid")
    assert client.service.asked[0].startswith("http://no-such-host.invalid/cli/")
