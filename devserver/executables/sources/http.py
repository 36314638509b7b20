"""HTTP downloads: the system's CAs, proxies from the environment, retries with back-off, clear errors."""

from __future__ import annotations

import contextlib
import datetime
import email.utils
import itertools
import random
import socket
import ssl
import time
from collections.abc import Callable, Iterator
from typing import TypeVar
from urllib.parse import urlsplit

import httpx
import truststore

from ...errors import BinaryNotFound, DownloadFailed
from ...system.progress import Reporter
from ...system.redact import mask, shown

ATTEMPTS = 5
CONNECT_SECONDS = 5.0
READ_SECONDS = 30.0
FIRST_PAUSE = 0.5
LONGEST_WAIT = 60.0
_BUSY = frozenset({408, 425, 429, 500, 502, 503, 504})

T = TypeVar("T")
Receive = Callable[[httpx.Response], T]


class _Again(Exception):
    """An attempt failed, and another one may succeed.

    Args:
        reason: Why it failed.
        attempts: How many attempts to make in all.
        wait: Seconds that the service asks to wait.
    """

    def __init__(self, reason: str, attempts: int = ATTEMPTS, wait: float | None = None) -> None:
        super().__init__(reason)
        self.reason, self.attempts, self.wait = reason, attempts, wait


class Http:
    """A client that retries where that can help.

    Args:
        reporter: Receives a note on each retry.
        sleep: Waits between attempts.
    """

    def __init__(self, reporter: Reporter, sleep: Callable[[float], None] = time.sleep) -> None:
        self._reporter = reporter
        self._sleep = sleep

    def get(self, url: str, what: str, receive: Receive[T]) -> T:
        """GET `url` and pass the open response to `receive`, which is called again on each retry.

        Raises:
            BinaryNotFound: The response is 404 or 410.
            DownloadFailed: There is no usable response; the message has the last reason.
        """
        attempt = 1
        while True:
            try:
                with _reasons(what, url), self._client() as client, client.stream("GET", url) as response:
                    _judge(response, what)
                    return receive(response)
            except _Again as again:
                pause = FIRST_PAUSE * 2 ** (attempt - 1) * random.uniform(0.5, 1.5)  # noqa: S311 - jitter
                wait = pause if again.wait is None else again.wait
                if attempt >= again.attempts or wait > LONGEST_WAIT:
                    raise _failed(what, url, again, attempt, wait) from again
                attempt += 1
                self._reporter.note(f"{what}: {again.reason}; trying again in {wait:.1f} s ({attempt})")
                self._sleep(wait)

    @staticmethod
    def _client() -> httpx.Client:
        return httpx.Client(
            verify=truststore.SSLContext(ssl.PROTOCOL_TLS_CLIENT),
            follow_redirects=True,
            timeout=httpx.Timeout(READ_SECONDS, connect=CONNECT_SECONDS),
            # Some servers would compress the archive once more.
            headers={"User-Agent": "temporal-devserver", "Accept-Encoding": "identity"},
        )


def _judge(response: httpx.Response, what: str) -> None:
    """Raise unless the response is the requested file."""
    for earlier, later in itertools.pairwise([*response.history, response]):
        refuse_downgrade(str(earlier.url), str(later.url))
    code = response.status_code
    if code in _BUSY:
        raise _Again(f"the server answers {_status(response)}", wait=_retry_after(response))
    if code in (404, 410):
        raise BinaryNotFound(f"{what} does not exist: {shown(str(response.url))} answers {_status(response)}")
    if not response.is_success:
        raise DownloadFailed(
            f"{what}: {shown(str(response.url))} answers {_status(response)}",
            hint="if a proxy or mirror needs credentials, put them into its URL; or try --source wheel",
        )


def refuse_downgrade(asked: str, given: str) -> None:
    """Raise DownloadFailed if an encrypted URL leads to one that is not encrypted, or not to a web page at all."""
    schemes = urlsplit(asked).scheme, urlsplit(given).scheme
    if schemes[1] not in ("http", "https") or schemes == ("https", "http"):
        raise DownloadFailed(f"{shown(asked)} leads to {shown(given)}, which is not encrypted")


def _status(response: httpx.Response) -> str:
    return f"{response.status_code} {response.reason_phrase}".strip()


def _retry_after(response: httpx.Response) -> float | None:
    """The seconds of a Retry-After header: a number, or an HTTP date."""
    text = response.headers.get("Retry-After", "").strip()
    if text.isdecimal():
        return float(text)
    with contextlib.suppress(ValueError, TypeError):
        until = email.utils.parsedate_to_datetime(text)
        return max(0.0, (until - datetime.datetime.now(datetime.timezone.utc)).total_seconds())
    return None


@contextlib.contextmanager
def _reasons(what: str, url: str) -> Iterator[None]:
    """Turn the exceptions of httpx into `_Again` or DownloadFailed."""
    try:
        yield
    except httpx.ConnectTimeout as error:
        raise _Again(f"no connection within {CONNECT_SECONDS:g} s", attempts=1) from error
    except httpx.ConnectError as error:
        raise _cannot_connect(error) from error
    except httpx.TimeoutException as error:
        raise _Again(f"no data for {READ_SECONDS:g} s", attempts=2) from error
    except (httpx.NetworkError, httpx.RemoteProtocolError) as error:
        raise _Again(f"the connection broke ({mask(str(error)) or type(error).__name__})") from error
    except (httpx.HTTPError, httpx.InvalidURL, ValueError, ImportError) as error:
        raise DownloadFailed(
            f"cannot request {what} from {shown(url)}: {mask(str(error))}",
            hint="check HTTPS_PROXY, HTTP_PROXY, ALL_PROXY and --base-url",
        ) from error


def _cannot_connect(error: httpx.ConnectError) -> _Again:
    causes = list(_causes(error))
    if any(isinstance(cause, socket.gaierror) for cause in causes):
        return _Again("its host name cannot be resolved (no network, or only through a proxy?)", attempts=1)
    if any(isinstance(cause, ssl.SSLError) for cause in causes):
        return _Again(f"this system does not trust its certificate ({mask(str(error))})", attempts=1)
    return _Again(f"no connection ({mask(str(error))})", attempts=2)


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _failed(what: str, url: str, again: _Again, attempts: int, wait: float) -> DownloadFailed:
    tried = f" after {attempts} attempts" if attempts > 1 else ""
    patience = f", and the server asks to wait {wait:.0f} s" if again.wait and wait > LONGEST_WAIT else ""
    return DownloadFailed(
        f"{what}: download failed{tried}: {again.reason}{patience}",
        details=[f"URL: {shown(url)}"],
        hint="behind a proxy, set HTTPS_PROXY; add a company's CA to the system's trust store; "
        "use a mirror with --base-url; or use pip with --source wheel",
    )
