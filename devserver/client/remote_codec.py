"""Decodes and encodes payloads by a codec server, as the Temporal CLI and the Web UI do."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from google.protobuf.json_format import MessageToDict, ParseDict, ParseError
from temporalio.api.common.v1 import Payload
from temporalio.converter import DataConverter, PayloadCodec

from ..errors import DevServerError, OptionError
from ..system.redact import mask, shown
from .codec_options import CodecOptions

if TYPE_CHECKING:
    import httpx

SECONDS = 10.0
MAX_TEXT = 200
# These need no codec server.
PLAIN = (b"json/plain", b"json/protobuf", b"binary/null")


class CodecServerFailed(DevServerError):
    """The codec server does not answer, refuses, or its answer cannot be used."""


class RemoteCodec(PayloadCodec):
    """The codec of a codec server.

    Plain values are not sent to be decoded. After a server did not answer it is not called again, so that a thousand
    values do not wait for it one by one.
    """

    def __init__(self, options: CodecOptions, namespace: str) -> None:
        self._url = options.url(namespace)
        self._headers = {"Content-Type": "application/json", "X-Namespace": namespace, **options.headers}
        if options.auth:
            self._headers["Authorization"] = options.auth
        self._away: CodecServerFailed | None = None

    async def encode(self, payloads: Sequence[Payload]) -> list[Payload]:
        """The payloads as the codec server encodes them."""
        return await self._call("encode", payloads)

    async def decode(self, payloads: Sequence[Payload]) -> list[Payload]:
        """The payloads as the codec server decodes them."""
        if all(payload.metadata.get("encoding", b"") in PLAIN for payload in payloads):
            return list(payloads)
        return await self._call("decode", payloads)

    async def _call(self, action: str, payloads: Iterable[Payload]) -> list[Payload]:
        if self._away is not None:
            raise self._away
        sent = [MessageToDict(payload) for payload in payloads]
        answer = await self._post(action, json.dumps({"payloads": sent}))
        try:
            read = [ParseDict(payload, Payload(), ignore_unknown_fields=True) for payload in answer.json()["payloads"]]
        except (ValueError, KeyError, TypeError, AttributeError, ParseError):
            raise self._failed("its answer is not the JSON of a codec server") from None
        if len(read) != len(sent):
            raise self._failed(f"it answered {len(read)} values for {len(sent)}")
        return read

    async def _post(self, action: str, body: str) -> httpx.Response:
        import httpx

        try:
            async with httpx.AsyncClient(timeout=SECONDS, follow_redirects=False) as client:
                answer = await client.post(f"{self._url}/{action}", content=body, headers=self._headers)
        except (httpx.HTTPError, httpx.InvalidURL, UnicodeError) as error:
            self._away = self._failed(str(error) or type(error).__name__)
            raise self._away from None
        if answer.status_code != httpx.codes.OK:
            text = " ".join(answer.text.split())[:MAX_TEXT]
            raise self._failed(f"{answer.status_code} {answer.reason_phrase}" + (f": {text}" if text else ""))
        return answer

    def _failed(self, reason: str) -> CodecServerFailed:
        return CodecServerFailed(
            f"codec server {shown(self._url)}: {mask(reason)}",
            hint="see --codec-endpoint, --codec-auth and --codec-header",
        )


def with_codec(converter: DataConverter | None, codec: CodecOptions, namespace: str) -> DataConverter:
    """The data converter with the codec of a codec server; one with a codec of its own stays, unless both were named.

    Raises:
        OptionError: The codec server was named on the command line, and the data converter has a codec.
    """
    converter = converter or DataConverter.default
    if converter.payload_codec is None:
        return replace(converter, payload_codec=RemoteCodec(codec, namespace))
    if codec.named:
        raise OptionError(
            "the data converter has a codec, and --codec-endpoint names another", hint="leave out one of them"
        )
    return converter
