"""The text of a report's page: no external resources, hostile text is escaped, and what each part says."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from html.parser import HTMLParser
from itertools import pairwise

import pytest

from devserver.rehearsal import report
from devserver.rehearsal.report import ReportStatus
from devserver.rehearsal.report.fragments import timeline_html
from devserver.rehearsal.report.page import render
from devserver.rehearsal.report.run_data import NO_RUN, run_data
from devserver.rehearsal.report.text import clean, listed, moment, seconds
from devserver.rehearsal.scenario.result import Judgement, PointResult, StepResult, Sweep
from devserver.rehearsal.scenario.timeline import Mark
from devserver.system.printable import counted
from tests.helpers.rehearsed import attempt, effect, result, run, twice

HOSTILE = (
    """</pre></title></svg><script>alert(1)</script><img src=x onerror=alert(1)>" onload='x' {{ 7*7 }} \x1b[31m\x00"""
)


class Page(HTMLParser):
    """Collects all elements with their attributes, and the visible text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Record the element."""
        self.elements.append((tag, dict(attrs)))
        if tag not in ("meta", "br", "img", "link"):
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Record an element without content, as in SVG."""
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        """Check that the element is closed in order."""
        assert self.open.pop() == tag

    def of(self, tag: str) -> list[dict[str, str | None]]:
        """Return the attributes of all elements with this name."""
        return [attributes for name, attributes in self.elements if name == tag]


def hostile() -> str:
    """The page of a result in which all text is hostile."""
    marks = [
        Mark(0.0, "server", HOSTILE, 4.0, {"ended": HOSTILE}),
        Mark(0.0, "worker", HOSTILE, 4.0, {"ended": "killed"}),
        Mark(1.0, "fault", HOSTILE, 2.0, {HOSTILE: HOSTILE}),
        Mark(1.0, "network", HOSTILE, None, {}),
        attempt(1.0, 1.1, ident=HOSTILE, ended="fails", error=HOSTILE),
    ]
    log = [f"2026-03-01T12:00:01Z {HOSTILE}"]
    effects = [effect(1, HOSTILE, name=HOSTILE, activity=HOSTILE), effect(2, HOSTILE, name=HOSTILE)]
    made = run(
        marks,
        effects,
        status=HOSTILE,
        failure=HOSTILE,
        output=HOSTILE,
        steps=[StepResult(HOSTILE, 1.0, HOSTILE, HOSTILE)],
        server_log=log,
        worker_log=log,
        stuck=[HOSTILE],
    )
    judgements = [Judgement(HOSTILE, "fail", HOSTILE, [HOSTILE])]
    more = {
        "name": HOSTILE,
        "reason": HOSTILE,
        "file": HOSTILE,
        "versions": {HOSTILE: HOSTILE},
        "judgements": judgements,
    }
    sweep = Sweep("server", run(), [PointResult(1, HOSTILE, "fail", HOSTILE, None, 1.0, made)], [HOSTILE])
    return report.html(
        [result(made, **more), result(None, **more, sweep=sweep)], ReportStatus(f"interrupted {HOSTILE}", [HOSTILE])
    )


def test_hostile_text_is_escaped() -> None:
    """Names, failures, logs and keys with markup add no element, attribute or template."""
    text = hostile()
    page = Page(text)
    assert page.open == []
    assert {"img", "iframe", "link", "object"} & {tag for tag, _ in page.elements} == set()
    assert len(page.of("script")) == 1, "ours"
    assert [name for _, attributes in page.elements for name in attributes if name.startswith("on")] == []
    assert "&lt;script&gt;alert(1)" in text
    assert "{{ 7*7 }}" in text
    assert text.count("<script>alert") == 0
    assert "\x1b" not in text
    assert "\x00" not in text


def test_no_external_resources() -> None:
    """The page is a single file with internal links only, and its security policy forbids all else."""
    text = report.html([result(twice()), result(run())])
    page = Page(text)
    links = [value for _, attributes in page.elements for name, value in attributes.items() if name in ("href", "src")]
    assert links
    assert [link for link in links if not str(link).startswith("#")] == []
    assert re.findall(r"https?://|@import|url\((?!#)", text) == []
    (script,) = re.findall(r"<script>(.*)</script>", text, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-{digest}'"
    assert {"http-equiv": "Content-Security-Policy", "content": policy} in page.of("meta")
    anchors = [str(link)[1:] for link in links]
    assert set(anchors) <= {str(attributes.get("id")) for _, attributes in page.elements}


def test_headings_have_no_gaps() -> None:
    """The page has one h1, scenarios and their parts are below it, and tables have headings, for screen readers."""
    page = Page(report.html([result(twice()), result(run())]))
    levels = [int(tag[1]) for tag, _ in page.elements if re.fullmatch(r"h[1-6]", tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert levels.count(2) == 2
    assert all(later <= sooner + 1 for sooner, later in pairwise(levels))
    assert all(attributes.get("scope") in ("col", "row") for attributes in page.of("th"))
    assert page.of("html") == [{"lang": "en"}]
    assert all(attributes.get("aria-label") for attributes in page.of("figure"))


def test_a_partial_report_says_so_first() -> None:
    """The report of an interrupted command starts with what is missing."""
    text = report.html([result(run())], ReportStatus("interrupted by Ctrl-C", ["the other one"]))
    head = text[text.index("<header>") : text.index("</header>")]
    assert "This report is incomplete:" in head
    assert "interrupted by Ctrl-C. Not run: the other one." in head


def test_many_rehearsals_are_a_table_with_details_of_failures() -> None:
    """100 repeats are in the table, and the failed ones are shown in full."""
    results = [result(run(), verdict="pass", name=f"turn {number}", seed=number) for number in range(99)]
    text = report.html([*results, result(twice(), name="the bad one", seed=99)])
    assert text.count('<section class="result"') == 30
    assert ">the bad one</a>" in text
    assert 'id="r100"' in text
    assert "70 rehearsals of 100 not shown in full" in text
    assert len(text) < 600_000


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, "\N{EN DASH}"),
        (0.0, "0 s"),
        (0.414, "0.41 s"),
        (12.34, "12.3 s"),
        (59.99, "1 min 0 s"),
        (200, "3 min 20 s"),
        (7500, "2 h 5 min"),
    ],
)
def test_format_of_times(value: float | None, expected: str) -> None:
    """Short times have hundredths of a second, long ones minutes and hours."""
    assert seconds(value) == expected


def test_format_of_numbers_and_lists() -> None:
    """One is singular, and long lists are shortened."""
    assert (counted(1, "effect"), counted(1200, "activity", "activities")) == ("1 effect", "1,200 activities")
    assert (listed(["a"]), listed(["a", "b"]), listed(list("abcde"))) == ("a", "a and b", "a, b, c and 2 more")
    assert (moment(None), moment(1.0)) == ("never", "1.000 s")
    assert clean("x" * 5000) == "x" * 2000 + "... (5,000 characters in all)"


def test_lanes_of_network_and_database() -> None:
    """A cut and a lock have named lines of their own."""
    marks = [Mark(1.0, "network", "cut", 2.0, {}), Mark(3.0, "network", "reset"), Mark(2.0, "database", "locked", 4.0)]
    text = report.html([result(run(marks))])
    assert re.findall(r'<div class="label"><b>([^<]*)</b> <span>([^<]*)</span>', text) == [
        ("Network", "cut; reset"),
        ("Database", "locked"),
    ]
    assert '<th scope="row">Network</th><td>cut</td>' in text, "in the table of events"


def test_what_is_shown_by_a_bar_is_in_the_table_of_events() -> None:
    """No text is only in a tooltip: each bar leads to its line in the table, with time, length and words."""
    text = report.html([result(twice())])
    page = Page(text)
    bars = [each for each in page.of("a") if str(each.get("class")).startswith(("bar", "dot"))]
    ids = {each.get("id") for each in page.of("tr")}
    assert bars
    assert {str(each["href"])[1:] for each in bars} <= ids
    rows = re.findall(r'<tr id="r1-e\d+">(.*?)</tr>', text)
    words = [re.sub(r"<[^>]+>", " ", row).split() for row in rows]
    assert ["1.100", "s", "1.00", "s", "Worker", "killed,", "down", "1.00", "s", "(planned", "1", "s)"] in words
    assert "1.100 s 1.90 s add_node 1 waits 1.90 s for attempt 2" in [" ".join(row) for row in words]
    titles = {str(each["title"]) for each in bars}
    assert all(title in text.replace(f'title="{title}"', "") for title in titles)


def test_a_run_that_has_not_ended() -> None:
    """The timeline of a run that is under way has its lanes so far, and an open attempt is running."""
    marks = [Mark(0.0, "server", "up"), attempt(0.5, None)]
    shape = {**run_data(run(marks, ended=None, status="running")), "verdict": None}
    shown = timeline_html(shape, "grow", "live")
    assert "<b>add_node 1</b> <span>running</span>" in shown
    assert 'id="live-e1"' in shown
    assert timeline_html({**NO_RUN, "verdict": None}, "grow") == ""


def test_a_report_of_an_earlier_version() -> None:
    """A report.json without the keys that came later gives a page."""
    shape = json.loads(json.dumps(report.data([result(twice())])))
    for key in ("code", "command_folder", "trace", "kept_server"):
        del shape["results"][0][key]
    for outage in shape["results"][0]["outages"]:
        del outage["planned_seconds"]
    assert "killed, down 1.00 s" in render(shape)


def test_links_of_a_report_from_elsewhere() -> None:
    """A report.json can name only a trace in its own folder and a Web UI of this machine."""
    shape = json.loads(json.dumps(report.data([result(twice())])))
    good, bad = "traces/0001.html", "javascript:alert(1)"
    for trace, page, linked in (
        (good, "http://127.0.0.1:8533/x", True),
        (bad, bad, False),
        ("../x.html", "//x", False),
    ):
        shape["results"][0].update(trace=trace, kept_server={"command": "devserver up", "web_ui": page})
        links = {str(each["href"]) for each in Page(render(shape)).of("a")}
        assert ({trace, page} <= links, {trace, page} & links != set()) == (linked, linked)
