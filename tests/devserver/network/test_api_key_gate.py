"""The check of an API key on an HTTP/2 connection, frame by frame."""

from __future__ import annotations

import random
import struct

import pytest
from hpack import Decoder, Encoder

from devserver.network.api_key_gate import MOST_FRAME, MOST_REJECTED, TABLE_SIZE, ApiKeyGate, NotGrpc
from devserver.network.http2_frames import (
    CONTINUATION,
    DATA,
    END_HEADERS,
    END_STREAM,
    HEADERS,
    PADDED,
    PREFACE,
    PRIORITY,
    RST_STREAM,
    SETTINGS,
    WINDOW_UPDATE,
)

KEY = "right-key"
CALL = [
    (":method", "POST"),
    (":path", "/temporal.api.workflowservice.v1.WorkflowService/GetSystemInfo"),
    ("te", "trailers"),
]
GOOD = [*CALL, ("authorization", f"Bearer {KEY}")]
BAD = [*CALL, ("authorization", "Bearer wrong-key")]
SERVER_SETTINGS = bytes.fromhex("000000040000000000")
Frame = tuple[int, int, int, bytes]


def frame(kind: int, flags: int, stream: int, body: bytes) -> bytes:
    """One frame."""
    return len(body).to_bytes(3, "big") + bytes((kind, flags)) + stream.to_bytes(4, "big") + body


def frames_of(data: bytes) -> list[Frame]:
    """The frames in `data`, each with its kind, flags, stream and body."""
    found = []
    while data:
        size = int.from_bytes(data[:3], "big")
        found.append((data[3], data[4], int.from_bytes(data[5:9], "big"), data[9 : 9 + size]))
        data = data[9 + size :]
    return found


def headers_of(block: bytes, decoder: Decoder | None = None) -> list[tuple[str, str]]:
    """The headers in a block."""
    return [(str(name), str(value)) for name, value in (decoder or Decoder()).decode(block)]


def call(encoder: Encoder, stream: int, headers: list[tuple[str, str]], body: bytes = b"") -> bytes:
    """A call as a client sends it."""
    flags = END_HEADERS | (0 if body else END_STREAM)
    return frame(HEADERS, flags, stream, encoder.encode(headers)) + (
        frame(DATA, END_STREAM, stream, body) if body else b""
    )


@pytest.fixture
def gate() -> ApiKeyGate:
    """A gate whose client and server have sent their settings."""
    opened = ApiKeyGate(KEY)
    assert opened.from_client(PREFACE) == PREFACE
    assert opened.from_server(SERVER_SETTINGS) == SERVER_SETTINGS
    return opened


def test_a_call_with_the_key_arrives_unchanged(gate: ApiKeyGate) -> None:
    """The server gets its headers and its data; the client gets no answer of ours."""
    encoder = Encoder()
    for stream in (1, 3, 5):  # the later ones use the table of the first
        headers, data = frames_of(gate.from_client(call(encoder, stream, GOOD, b"request")))
        assert headers_of(headers[3]) == GOOD
        assert headers[:3] == (HEADERS, END_HEADERS, stream)
        assert data == (DATA, END_STREAM, stream, b"request")
    assert gate.answers() == b""


@pytest.mark.parametrize(
    "headers",
    [
        BAD,
        CALL,
        [*CALL, ("authorization", KEY)],
        [*CALL, ("authorization", f"Basic {KEY}")],
        [*CALL, ("authorization", f"Bearer {KEY} ")],
        [*CALL, ("authorization", f"Bearer {KEY.upper()}")],
        [*BAD, ("authorization", f"Bearer {KEY}")],
        [*CALL, ("x-authorization", f"Bearer {KEY}")],
    ],
)
def test_a_call_without_the_key_is_answered(gate: ApiKeyGate, headers: list[tuple[str, str]]) -> None:
    """The server sees nothing of it; the client gets UNAUTHENTICATED, and may send its other calls as before."""
    encoder = Encoder()
    assert gate.from_client(call(encoder, 1, headers, b"request")) == b""
    answer, reset, window = frames_of(gate.answers())
    assert answer[:3] == (HEADERS, END_HEADERS | END_STREAM, 1)
    assert headers_of(answer[3])[:3] == [
        (":status", "200"),
        ("content-type", "application/grpc"),
        ("grpc-status", "16"),
    ]
    assert reset == (RST_STREAM, 0, 1, bytes(4))
    assert window == (WINDOW_UPDATE, 0, 0, struct.pack(">I", len(b"request")))
    assert frames_of(gate.from_client(call(encoder, 3, GOOD)))[0][:3] == (HEADERS, END_HEADERS | END_STREAM, 3)


def test_the_scheme_can_be_in_lower_case(gate: ApiKeyGate) -> None:
    """As in HTTP."""
    assert gate.from_client(call(Encoder(), 1, [*CALL, ("authorization", f"bearer {KEY}")])) != b""


def test_data_can_arrive_in_any_pieces() -> None:
    """A connection that is cut into single bytes has the same result."""
    encoder = Encoder()
    sent = PREFACE + frame(SETTINGS, 0, 0, b"") + call(encoder, 1, BAD, b"x") + call(encoder, 3, GOOD, b"y" * 300)
    whole, bytewise = ApiKeyGate(KEY), ApiKeyGate(KEY)
    expected = whole.from_client(sent)
    assert b"".join(bytewise.from_client(sent[place : place + 1]) for place in range(len(sent))) == expected
    answers = whole.from_server(SERVER_SETTINGS * 2)
    assert b"".join(bytewise.from_server(SERVER_SETTINGS[i : i + 1]) for _ in "12" for i in range(9)).count(b"") > 0
    assert len(frames_of(answers)) == 5


def test_headers_in_several_frames(gate: ApiKeyGate) -> None:
    """Padding, priority and CONTINUATION frames are understood, and large headers are cut into frames again."""
    headers = [*GOOD, ("large", "x" * 40000)]
    block = Encoder().encode(headers, huffman=False)
    first = bytes((3,)) + bytes(5) + block[:100] + bytes(3)
    sent = frame(HEADERS, PADDED | PRIORITY | END_STREAM, 1, first)
    sent += frame(CONTINUATION, 0, 1, block[100:15000]) + frame(CONTINUATION, END_HEADERS, 1, block[15000:])
    passed = frames_of(gate.from_client(sent))
    assert [(kind, flags) for kind, flags, _, _ in passed] == [
        (HEADERS, END_STREAM),
        (CONTINUATION, 0),
        (CONTINUATION, END_HEADERS),
    ]
    decoder = Decoder(max_header_list_size=1 << 20)
    assert headers_of(b"".join(body for _, _, _, body in passed), decoder) == headers


def test_answers_never_break_a_frame_of_the_server() -> None:
    """They come after the server's first settings, and between its frames and header blocks."""
    opened = ApiKeyGate(KEY)
    opened.from_client(PREFACE + call(Encoder(), 1, BAD))
    assert opened.answers() == b""
    settings = frame(SETTINGS, 0, 0, struct.pack(">HI", TABLE_SIZE, 1 << 16))
    assert opened.from_server(settings[:12]) == settings[:12]
    passed = opened.from_server(settings[12:])
    assert passed.startswith(settings[12:])
    assert frames_of(passed[len(settings[12:]) :])[0][:3] == (HEADERS, END_HEADERS | END_STREAM, 1)
    block = frame(HEADERS, 0, 3, b"\x88") + frame(CONTINUATION, END_HEADERS, 3, b"")
    opened.from_server(block[:10])
    opened._answers = b"answer"
    assert opened.from_server(block[10:]) == block[10:] + b"answer"


def test_the_servers_table_size_counts(gate: ApiKeyGate) -> None:
    """A client may compress with a larger table, once the server allows it."""
    encoder = Encoder()
    encoder.header_table_size = 1 << 15
    sent = call(encoder, 1, GOOD)
    with pytest.raises(NotGrpc):
        ApiKeyGate(KEY).from_client(PREFACE + sent)
    gate.from_server(frame(SETTINGS, 0, 0, struct.pack(">HI", TABLE_SIZE, 1 << 16)))
    assert gate.from_client(sent) != b""


def test_a_client_that_resets_its_calls(gate: ApiKeyGate) -> None:
    """Many rejected calls need no memory: the oldest are forgotten."""
    encoder = Encoder()
    for number in range(MOST_REJECTED + 50):
        gate.from_client(frame(HEADERS, END_HEADERS, 2 * number + 1, encoder.encode(BAD)))
    assert len(gate._rejected) == MOST_REJECTED
    gate.from_client(frame(RST_STREAM, 0, 2 * MOST_REJECTED + 1, bytes(4)))
    assert len(gate._rejected) == MOST_REJECTED - 1


@pytest.mark.parametrize(
    "sent",
    [
        b"GET / HTTP/1.1\r\n\r\n",
        PREFACE + (MOST_FRAME + 1).to_bytes(3, "big") + bytes(6),
        PREFACE + frame(HEADERS, END_HEADERS, 1, b"\xff\xff\xff\xff\xff"),
        PREFACE + frame(HEADERS, END_HEADERS | PADDED, 1, b"\x09\x82"),
        PREFACE + frame(HEADERS, END_HEADERS | PADDED, 1, b""),
        PREFACE + frame(CONTINUATION, END_HEADERS, 1, b""),
        PREFACE + frame(HEADERS, 0, 1, b"\x82") + frame(DATA, 0, 1, b""),
        PREFACE + frame(HEADERS, 0, 1, b"\x82") + frame(CONTINUATION, END_HEADERS, 3, b""),
        PREFACE + frame(HEADERS, 0, 1, b"") + frame(CONTINUATION, 0, 1, bytes(1 << 19)) * 3,
        PREFACE + frame(HEADERS, END_HEADERS | END_STREAM, 3, b"") + frame(HEADERS, END_HEADERS, 1, b""),
        PREFACE + frame(HEADERS, END_HEADERS | END_STREAM, 1, b"") + frame(HEADERS, END_HEADERS, 1, b""),
        PREFACE + frame(HEADERS, END_HEADERS | END_STREAM, 0, b""),
    ],
    ids=range(12),
)
def test_what_is_no_grpc_ends_the_connection(sent: bytes) -> None:
    """Nothing of it can reach the server, nor can a call in the number of a rejected one."""
    with pytest.raises(NotGrpc):
        ApiKeyGate(KEY).from_client(sent)


def test_any_bytes_are_handled() -> None:
    """Damaged calls end the connection, or are rejected: they never reach the server and never crash us."""
    rng = random.Random(7)
    for _ in range(3000):
        data = bytearray(call(Encoder(), 1, BAD, b"request") + call(Encoder(), 3, BAD))
        for _ in range(rng.randrange(1, 6)):
            data[rng.randrange(len(data))] = rng.randrange(256)
        gate = ApiKeyGate(KEY)
        try:
            passed = gate.from_client(PREFACE + bytes(data))
        except NotGrpc:
            continue
        assert HEADERS not in {kind for kind, _, _, _ in frames_of(passed.removeprefix(PREFACE))}
