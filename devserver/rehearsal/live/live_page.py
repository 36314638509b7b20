"""The live page: a server in this process whose page follows the rehearsals of one call, up to their report."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Any

from ...system.printable import counted
from ...webpages import EventStream, PageRequest, PageServer, PageTemplates
from ..report import text
from ..report.fragments import templates, timeline_html
from ..report.page import page_script, render
from ..run.sweep import SweepProgress
from ..scenario.result import RehearsalRun
from ..scenario.scenario import Scenario
from .present import present_data

PORT = 8236
LEAST_SECONDS = 0.5  # between two pictures
SHARE = 10  # a picture is made again only after this many times of what the last one took
OPENING_SECONDS = 8.0  # for a browser that was just started
LAST_SECONDS = 3.0  # for pages to take the report
FINISHED = "Finished: this is the whole report"


class LivePage:
    """Serves the page from `with` until the end of the block. Its methods may be called from any thread.

    Args:
        total: The number of rehearsals of this call.

    Raises:
        StartFailed: There is no port to listen on.
    """

    def __init__(self, total: int) -> None:
        self._total = total
        self._stream = EventStream()
        self._current: dict[str, Any] = {}
        self._scenario: Scenario | None = None
        self._present: Callable[[], RehearsalRun] | None = None
        self._began = time.monotonic()
        self._finished: list[Mapping[str, Any]] = []
        self._points: SweepProgress | None = None
        self._ended = False
        self.opening = False
        """Whether a browser is being opened with the page."""
        self._opened = threading.Event()
        self._templates = PageTemplates(
            "devserver.rehearsal.live", seconds=text.seconds, moment=text.moment, counted=counted
        )
        self._pages = PageServer(preferred=PORT)
        self._pages.add_page("/", self._document)
        self._pages.add_stream("/events", self._stream)
        self._drawing = threading.Thread(target=self._draw, name="live-page", daemon=True)

    @property
    def url(self) -> str:
        """The address of the page."""
        return self._pages.url

    def begin(self, scenario: Scenario, number: int, seed: int, sweep: str | None) -> None:
        """A rehearsal starts."""
        self._scenario, self._present, self._points = scenario, None, None
        self._began = time.monotonic()
        self._current = {"name": scenario.name, "number": number, "seed": seed, "sweep": sweep, "undisturbed": False}

    def run(self, present: Callable[[], RehearsalRun], *, undisturbed: bool) -> None:
        """A run of its runbook starts; `present` returns its record until now."""
        self._present = present
        self._current["undisturbed"] = undisturbed

    def swept(self, progress: SweepProgress) -> None:
        """A point of a sweep begins or is done."""
        self._present = None  # the run without faults is over
        self._points = progress

    def end(self, result: Mapping[str, Any]) -> None:
        """A rehearsal has ended, with this result of the report."""
        self._present = None
        self._finished.append(result)

    def finish(self, shape: Mapping[str, Any]) -> None:
        """All have ended: the page becomes the report. A browser that is being opened gets its time."""
        self._ended = True
        if self.opening:
            self._opened.wait(OPENING_SECONDS)
        self._stream.publish("report", {"html": render(shape)})
        self._stream.end(FINISHED, final=True)
        self._stream.drain(LAST_SECONDS)

    def __enter__(self) -> LivePage:
        self._pages.__enter__()
        self._drawing.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stream.end("The rehearsal ended without a result.", final=True)
        self._stream.drain(LAST_SECONDS)
        self._pages.__exit__(kind, error, trace)

    def _document(self, request: PageRequest) -> str:
        report = [templates().get_template(name).render() for name in ("shared/timeline.css", "style.css")]
        return self._templates.render(
            "live.html", request, parts=self._parts(), report_style="\n".join(report), script=page_script()["script"]
        )

    def _draw(self) -> None:
        while self._stream.wait_until_watched():
            self._opened.set()
            began = time.thread_time()
            with contextlib.suppress(Exception):  # the next picture shows what this one cannot
                if not self._ended:
                    self._stream.publish_parts(self._parts())
            self._stream.sleep(max(LEAST_SECONDS, SHARE * (time.thread_time() - began)))

    def _parts(self) -> dict[str, str]:
        """The HTML of each part, by the id of its element."""
        part, present = self._templates.part, self._present
        data = None
        if present is not None and self._scenario is not None:
            with contextlib.suppress(Exception):  # it continues meanwhile: files come and go, and lines are incomplete
                data = present_data(present(), self._scenario.expect)
        timeline = timeline_html(data, str(self._current.get("name")), "live") if data else ""
        return {
            "overview": part(
                "overview.html",
                current=self._current,
                total=self._total,
                took=time.monotonic() - self._began,
                finished=self._finished,
                words=text.VERDICTS,
                signs=text.SIGNS,
            ),
            "points": part("points.html", progress=self._points, sweep=self._current.get("sweep")),
            "timeline": timeline,
            "judgement": part("judgement.html", run=data, words=text.VERDICTS),
            "logs": part("logs.html", run=data),
        }
