"""Local pages: a loopback web server whose pages stay up to date, for one person in a browser on the same machine.

    page = PageTemplates("devserver.dashboard")                 # its folder `templates`; what is shown is escaped
    stream = EventStream()                                      # the latest state of each part of the page

    with PageServer(port=8235) as server:                       # PortTaken: another process listens
        server.add_page("/", lambda request: page.render("dashboard.html", request, parts=...))
        server.add_stream("/events", stream)                    # server-sent events
        server.add_action("/actions/stop", stop)                # a POST with JSON: `stop(values)` returns JSON or None
        server.add_file("/reports/", report_file)               # GET with the rest of the path: HTML, or None
        print(server.url)
        while stream.wait_until_watched():                      # sleeps while no page is open; False once it has ended
            stream.publish("servers", {"html": page.part("servers.html", ...)})
            stream.sleep(1)

Templates extend `base.html` of this package (blocks `title`, `style`, `header`, `content`, `footer`, `script`; `stream`
is the stream's path, `lost` what the page says when nobody answers), which brings the style of all our pages, the
landmarks, the line that says whether the page is connected, and `live.js`:

- an element whose id is the key of a published `{"html": ...}` gets this HTML; focus, open details and what was typed
  stay. Other data goes to `live.on(key, function (data) {...})`.
- `{"announce": "default has stopped"}` under any key is also read out by screen readers (politely).
- a button with `data-post="/actions/stop"` and `data-values='{"name": "default"}'` sends the action;
  `data-confirm="Stop default?"` asks first, in a dialog. The answer's `message` or the error and its hint are shown.
- `live.post(path, values)` does the same from a script and returns a promise of the answer.

What guards the server: it listens on 127.0.0.1 only and answers only requests whose `Host` is loopback (DNS rebinding),
of a browser only those of its own pages (`Origin`, `Sec-Fetch-Site`), on Linux only those of this user and root; a POST
needs the token of the page, which is new at each start. A page runs only scripts with its nonce, loads nothing from
elsewhere and cannot be framed. An action raises DevServerError to refuse: message, details and hint reach the page.

A stream has no queue: it keeps the latest state of each key, and a browser that was slow, hidden or away gets what has
changed since the last event that it has. A browser that takes nothing for 20 s is disconnected; a page in a hidden tab
disconnects itself. Heartbeats find connections that are gone. After a restart the page loads itself again and says so.
`stream.end(reason)` says why it ended; with `final=True` pages do not connect again and stay as they are.
"""

from __future__ import annotations

from ..system.lazy_names import lazy_names

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .event_stream import EventStream
    from .page_handler import PageFile
    from .page_server import PageServer
    from .page_templates import PageTemplates
    from .request_guard import PageRequest, RequestRefused

__all__ = ["EventStream", "PageFile", "PageRequest", "PageServer", "PageTemplates", "RequestRefused"]

__getattr__, __dir__ = lazy_names(
    __name__,
    {
        "event_stream": ("EventStream",),
        "page_handler": ("PageFile",),
        "page_server": ("PageServer",),
        "page_templates": ("PageTemplates",),
        "request_guard": ("PageRequest", "RequestRefused"),
    },
)
