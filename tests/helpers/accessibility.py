"""What a person with a keyboard, a screen reader or weak eyes needs of a page: axe, and the focus as Tab moves it.

chromium.scripts(on=True)
chromium.open(url, width=400)
check_accessible(chromium)
check_focus_order(chromium)
"""

from __future__ import annotations

import importlib.util
import json
from functools import cache
from pathlib import Path
from typing import Any

from tests.helpers.browser import Browser

MOST_STOPS = 300

RUN_AXE = """
axe.run(document, {resultTypes: ["violations"], runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"]})
  .then(({violations}) => JSON.stringify(violations.map(({id, help, nodes}) =>
    [id, help, nodes.slice(0, 3).map(node => node.html.slice(0, 200) + " | " + node.failureSummary.slice(0, 200))])))
"""

# The element with the focus: a number in the order of the document, a label, and what is wrong with it.
FOCUSED = """
(() => {
  const e = document.activeElement;
  if (!e || e === document.body || e === document.documentElement) return null;
  const box = e.getBoundingClientRect(), style = getComputedStyle(e);
  const wrong = [];
  if (box.width < 1 || box.height < 1) wrong.push("has no size");
  if (box.bottom <= 0 || box.top >= innerHeight) wrong.push("is off the screen");
  if (box.right <= 0 || box.left >= innerWidth) wrong.push("is off the screen");
  if (style.outlineStyle === "none" || parseFloat(style.outlineWidth) < 1) wrong.push("shows no focus");
  const label = (e.getAttribute("aria-label") || e.textContent || e.id).trim().slice(0, 40);
  return JSON.stringify([[...document.querySelectorAll("*")].indexOf(e), e.tagName.toLowerCase() + " " + label, wrong]);
})()
"""
# Everything that Tab has to reach.
REACHABLE = """
JSON.stringify([...document.querySelectorAll("a[href], button, input, select, textarea, summary, [tabindex='0']")]
  .filter(e => !e.disabled && e.tabIndex >= 0)
  .filter(e => e.checkVisibility({visibilityProperty: true}) && !e.closest("dialog:not([open])"))
  .filter(e => !(e.closest("details:not([open])") && !e.matches("details:not([open]) > summary")))
  .map(e => [...document.querySelectorAll("*")].indexOf(e)))
"""


@cache
def _axe() -> str:
    spec = importlib.util.find_spec("axe_core_python")
    assert spec is not None, "pip install -e '.[dev]' brings it"
    assert spec.origin is not None
    return (Path(spec.origin).parent / "axe.min.js").read_text()


def faults(chromium: Browser, *, allow: tuple[str, ...] = ()) -> list[Any]:
    """What axe finds on the open page (WCAG 2.1 A and AA, and best practice), without the rules in `allow`."""
    chromium.ask(_axe() + "; 0")
    return [found for found in json.loads(chromium.ask(RUN_AXE)) if found[0] not in allow]


def check_accessible(chromium: Browser, *, allow: tuple[str, ...] = ()) -> None:
    """Fail if axe finds anything on the open page."""
    found = faults(chromium, allow=allow)
    assert found == [], json.dumps(found, indent=1)


def check_focus_order(chromium: Browser) -> list[str]:
    """Press Tab from the top of the page to its end: everything is reached in the order of the page, and is seen.

    Returns:
        The labels of what had the focus, in that order.
    """
    chromium.ask(
        "document.activeElement && document.activeElement.blur(); getSelection().removeAllRanges(); scrollTo(0, 0)"
    )
    places: list[int] = []
    labels: list[str] = []
    for _ in range(MOST_STOPS):
        chromium.press("Tab")
        focused = chromium.ask(FOCUSED)
        if focused is None:
            break
        place, label, wrong = json.loads(focused)
        if places and place == places[0]:
            break
        assert wrong == [], f"{label}: {', '.join(wrong)}"
        places.append(place)
        labels.append(label)
    assert places == sorted(places), f"Tab jumps: {labels}"
    missed = sorted(set(json.loads(chromium.ask(REACHABLE))) - set(places))
    assert missed == [], f"Tab does not reach the elements {missed}; it reaches {labels}"
    return labels
