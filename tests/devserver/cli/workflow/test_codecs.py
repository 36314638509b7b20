"""Values behind a codec server: decoded by options, environment and client profile, or it is said why not."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conftest import Run
from tests.helpers.codec_server import KEY, codec_server, reversed_payload
from tests.helpers.histories import HistoryDocument, payload


@pytest.fixture
def history(tmp_path: Path) -> Path:
    """A history whose input and failure are encrypted."""
    document = HistoryDocument("order-1", "Order")
    start = document.events[0]["workflowExecutionStartedEventAttributes"]
    start["input"] = {"payloads": [reversed_payload(payload("secret tea"))]}
    encoded = reversed_payload(payload({"message": "no funds", "stack_trace": ""}))
    document.failed({"message": "Encoded failure", "encodedAttributes": encoded, "applicationFailureInfo": {}})
    file = tmp_path / "history.json"
    file.write_bytes(document.data)
    return file


def test_values_are_decoded_by_a_codec_server(devserver: Run, history: Path, tmp_path: Path) -> None:
    """Options, variables and the client profile name the server; trace and search show what it decodes."""
    with codec_server() as requests:
        options = ["--codec-endpoint", f"{requests.url}/{{namespace}}", "--codec-auth", KEY]
        options += ["--codec-header", "Tenant=shop"]
        for text in ('input "secret tea"', "no funds"):
            assert text in devserver("trace", str(history), *options).stdout
        path, headers = requests.seen[0]
        assert path == "/default/decode"
        assert (headers["X-Namespace"], headers["Tenant"]) == ("default", "shop")
        named = {"TEMPORAL_CODEC_ENDPOINT": requests.url, "TEMPORAL_CODEC_AUTH": KEY}
        found = devserver("search", "funds", "--file", str(history), env=named)
        assert (found.returncode, found.stdout.count("order-1")) == (0, 1), found.stderr
        config = tmp_path / "temporal.toml"
        config.write_text(f'[profile.shop.codec]\nendpoint = "{requests.url}"\nauth = "{KEY}"\n')
        shown = devserver("trace", str(history), "--profile", "shop", env={"TEMPORAL_CONFIG_FILE": str(config)})
        assert 'input "secret tea"' in shown.stdout


def test_what_is_not_decoded_is_said_with_the_reason(devserver: Run, history: Path) -> None:
    """Without a codec, with a wrong key and without a server: the reason is shown; search says so too."""
    plain = devserver("trace", str(history)).stdout
    assert "input (encoded: binary/encrypted, " in plain
    assert "this client has no codec that reads it" in plain
    with codec_server() as requests:
        refused = devserver("trace", str(history), "--codec-endpoint", requests.url, env={"COLUMNS": "160"}).stdout
        url = requests.url
    assert f"codec server {url}: 403 no entry" in refused
    away = devserver("trace", str(history), "--codec-endpoint", url, env={"COLUMNS": "160"}).stdout
    assert f"codec server {url}: " in away
    searched = devserver("search", "funds", "--file", str(history))
    assert searched.returncode == 1
    assert "note: 1 failure could not be decoded, so their text was not searched" in searched.stderr


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (["--codec-endpoint", "127.0.0.1:8234"], "the codec endpoint 127.0.0.1:8234 is not a URL"),
        (["--codec-auth", "x"], "need a codec server"),
        (
            ["--codec-endpoint", "http://127.0.0.1:1", "--codec-header", "x"],
            "a value of --codec-header is not KEY=VALUE",
        ),
    ],
)
def test_wrong_options_are_said(devserver: Run, history: Path, words: list[str], text: str) -> None:
    """A malformed option is one sentence and wrong usage."""
    done = devserver("trace", str(history), *words)
    assert done.returncode == 2
    assert text in done.stderr
