"""`devserver docs`: the pages of the documentation, in the terminal."""

from __future__ import annotations

import difflib
import re
import sys
from pathlib import Path

import click

from ..errors import NotFound
from ..system.packaged import packaged
from .error_output import output_colour
from .options.common import json_option
from .program_name import as_called
from .render.output import echo_form

COMMANDS_PAGE, ERRORS_PAGE = "commands", "errors"
TITLE = re.compile(r"(?m)^# (.+)$")
LINK = re.compile(r"(?<!!)\[([^\[\]]+)\]\((?!https?:)([^)\s]+)\)")
IMAGE = re.compile(r"(?m)^!\[[^\]]*\]\([^)]*\)\n*")
EXAMPLES = "The examples are not installed as files: `devserver new examples --template examples` writes them."


@click.command()
@click.argument("topic", nargs=-1, metavar="[TOPIC]")
@json_option
def docs(topic: tuple[str, ...], as_json: bool) -> None:
    """Show a page of the documentation, or list the pages.

    TOPIC is a page, such as `testing-time`, a command, such as `up`, or an error, such as `PortTaken`. In a
    terminal the page is formatted and paged; otherwise it is printed as Markdown.
    """
    pages = {page.stem: page for page in sorted(packaged("docs").rglob("*.md"), key=lambda page: page.stem)}
    if not topic:
        _list(pages, as_json=as_json)
        return
    name, text = _find("-".join(topic).lower().removesuffix(".md"), pages)
    text = as_called(_readable(text, pages))
    if as_json:
        echo_form(topic=name, title=_title(text), text=text)
    elif sys.stdout.isatty():
        from .render.markdown import formatted

        click.echo_via_pager(formatted(text), color=output_colour())
    else:
        click.echo(text, nl=False)


def _list(pages: dict[str, Path], *, as_json: bool) -> None:
    titles = {name: _title(page.read_text(encoding="utf-8")) for name, page in pages.items()}
    if as_json:
        echo_form(topics=[{"topic": name, "title": title} for name, title in titles.items()])
        return
    width = max(map(len, titles), default=0)
    for name, title in titles.items():
        click.echo(f"{name:<{width}}  {title}")
    click.echo(as_called("\nShow one with: devserver docs TOPIC"))


def _find(topic: str, pages: dict[str, Path]) -> tuple[str, str]:
    """The name and text of a page, or of the section of a command.

    Raises:
        NotFound: There is none; the hint has similar topics.
    """
    page = pages.get(topic)
    if page is not None:
        return topic, page.read_text(encoding="utf-8")
    sections = _sections(pages)
    section = sections.get(topic)
    if section is not None:
        return topic, section
    near = difflib.get_close_matches(topic, {*pages, *sections}, n=3, cutoff=0.6)
    near += [name for name in pages if topic in name and name not in near]
    hint = f"did you mean {' or '.join(near[:3])}? " if near else ""
    raise NotFound(f"there is no page {topic}", hint=f"{hint}devserver docs lists the pages")


def _sections(pages: dict[str, Path]) -> dict[str, str]:
    """The sections of the pages of commands and errors, by command and by class in lower case."""
    found: dict[str, str] = {}
    for page, heading in ((ERRORS_PAGE, "###"), (COMMANDS_PAGE, "##")):
        text = pages[page].read_text(encoding="utf-8") if page in pages else ""
        _, *parts = re.split(rf"(?m)^{heading} (?=.)", text)
        for part in parts:
            section = re.split(r"(?m)^## ", part)[0]
            found |= {name.lower(): f"# {section}" for name in part.partition("\n")[0].split(", ")}
    return found


def _title(text: str) -> str:
    found = TITLE.search(text)
    return found[1].replace("`", "") if found else ""


def _readable(text: str, pages: dict[str, Path]) -> str:
    """Markdown without links to files: those to pages name the topic, images are left out."""

    def link(match: re.Match[str]) -> str:
        path = match[2].partition("#")[0]
        stem = Path(path).stem
        return f"{match[1]} (`devserver docs {stem}`)" if path.endswith(".md") and stem in pages else match[1]

    pieces = re.split(r"(?ms)(^```.*?^```$)", text)
    pieces[::2] = [LINK.sub(link, IMAGE.sub("", piece)) for piece in pieces[::2]]
    readable = "".join(pieces)
    return f"{readable.rstrip()}\n\n{EXAMPLES}\n" if "examples/" in readable else readable
