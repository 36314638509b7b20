"""The dashboard's page: looks while a page is open, renders what has changed, and serves reports and actions."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Iterator, Mapping, Sequence
from types import TracebackType
from typing import Any

from ..cluster import ClusterControl
from ..cluster.folder import ClusterFolder
from ..config.option_values import DEFAULT_NAME
from ..errors import DevServerError
from ..rehearsal.archive import RehearsalArchive
from ..rehearsal.journal import running_rehearsals
from ..rehearsal.report.text import SIGNS
from ..rehearsal.trends import trends
from ..system.paths import Paths
from ..webpages import EventStream, PageFile, PageRequest, PageServer
from .actions import DashboardActions
from .activity_reader import ActivityReader, ServerActivity
from .page_text import TEMPLATES
from .server_reader import ServerReader, ServerView

PORT = 8235
LOOK_SECONDS = 1.0
ENDED = "The dashboard has ended. Start it again with: devserver dashboard"


class Dashboard:
    """Serves the page from `with` until the end of the block.

    Args:
        paths: Where our files are.
        port: The port, 0 for any free one; None is `PORT` if it is free, else any free port.
        write: Whether the page has buttons that change something.

    Raises:
        PortTaken: Another process listens on the port.
    """

    def __init__(self, paths: Paths, *, port: int | None = None, write: bool = False) -> None:
        self._paths = paths
        self._write = write
        self._stream = EventStream()
        self._servers = ServerReader(paths)
        self._archive = RehearsalArchive(paths)
        self._views: list[ServerView] = []
        self._activities: Mapping[str, ServerActivity] = {}
        self._clusters: Sequence[dict[str, Any]] | None = None
        self._states: dict[str, str] = {}
        self._problems: dict[str, str] = {}
        self._rendering = threading.Lock()
        self._page_server = PageServer(port=port or 0, preferred=PORT if port is None else None)
        self._page_server.add_page("/", self._document)
        self._page_server.add_file("/rehearsals/", self._report)
        self._page_server.add_stream("/events", self._stream)
        for path, action in DashboardActions().all().items() if write else ():
            self._page_server.add_action(path, action)
        self._threads = [
            threading.Thread(target=target, name=f"dashboard-{target.__name__}", daemon=True)
            for target in (self._look, self._ask, self._ask_clusters)
        ]

    @property
    def url(self) -> str:
        """The address of the page."""
        return self._page_server.url

    def __enter__(self) -> Dashboard:
        self._page_server.__enter__()
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stream.end(ENDED)
        self._page_server.__exit__(kind, error, trace)

    def _document(self, request: PageRequest) -> str:
        parts = self._parts()
        return TEMPLATES.render("dashboard.html", request, parts=parts, write=self._write, command=self._command())

    def _command(self) -> str:
        port = self.url.rstrip("/").rpartition(":")[2]
        return f"devserver dashboard --port {port}" + (" --write" if self._write else "")

    def _look(self) -> None:
        """Keep the parts of open pages up to date."""
        while self._stream.wait_until_watched():
            with self._shown("look"):
                self._stream.publish_parts(self._parts())
                self._announce()
            self._stream.sleep(LOOK_SECONDS)

    def _ask(self) -> None:
        """Ask the servers while a page is open."""
        reader = ActivityReader()
        loop = asyncio.new_event_loop()
        try:
            while self._stream.wait_until_watched():
                with self._shown("ask"):
                    self._activities = loop.run_until_complete(reader.look(self._views))
                self._stream.sleep(LOOK_SECONDS)
        finally:
            loop.close()

    def _ask_clusters(self) -> None:
        """Ask the clusters while a page is open; one that is frozen answers after minutes, so nothing else waits."""
        while self._stream.wait_until_watched():
            with self._shown("clusters"):
                self._clusters = self._read_clusters()
            self._stream.sleep(LOOK_SECONDS)

    @contextlib.contextmanager
    def _shown(self, what: str) -> Iterator[None]:
        """Show what goes wrong on the page, which continues with what it has."""
        try:
            yield
            self._problems.pop(what, None)
        except Exception as error:  # noqa: BLE001 - a page that stands still without a word would be worse
            self._problems[what] = f"{type(error).__name__}: {error}"
            self._stream.publish_parts({"problem": TEMPLATES.part("problem.html", problems=dict(self._problems))})

    def _parts(self) -> dict[str, str]:
        """The HTML of each part of the page, by the id of its element."""
        with self._rendering:
            with contextlib.suppress(DevServerError):
                self._views = self._servers.read()
            servers = [(view, self._activities.get(view.name)) for view in self._views]
            past = trends(self._archive.all())
            return {
                "problem": TEMPLATES.part("problem.html", problems=dict(self._problems)),
                "servers": TEMPLATES.part(
                    "servers.html",
                    servers=servers,
                    damaged=self._servers.damaged,
                    write=self._write,
                    default=DEFAULT_NAME,
                ),
                "rehearsals": TEMPLATES.part(
                    "rehearsals.html", running=running_rehearsals(self._paths), trends=past, signs=SIGNS
                ),
                "clusters": TEMPLATES.part("clusters.html", clusters=self._clusters),
            }

    def _read_clusters(self) -> Sequence[dict[str, Any]]:
        found = []
        for folder in ClusterFolder.all(self._paths):
            cluster: dict[str, Any] = {"name": folder.name, "state": "stopped", "members": [], "outages": {}}
            try:
                if folder.running():
                    cluster = ClusterControl(folder.name, self._paths).ask("status")
            except DevServerError as error:
                cluster |= {"state": "unknown", "problem": error.message}
            found.append(cluster)
        return found

    def _announce(self) -> None:
        """Tell screen readers which servers have changed their state."""
        states = {view.name: str(view.status["state"]) for view in self._views if not view.anonymous}
        changes = [f"{name} is {state}" for name, state in states.items() if self._states.get(name, state) != state]
        self._states = states
        if changes:
            self._stream.publish("announcements", {"announce": "; ".join(changes)})

    def _report(self, run: str) -> PageFile | None:
        from ..rehearsal.report.page import render

        shape = self._archive.report(run)
        return None if shape is None else PageFile(render(shape).encode(errors="replace"))
