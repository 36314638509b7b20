"""Summaries in Markdown, as the pages of CI jobs show them, made of texts that others wrote."""

from __future__ import annotations

import re
from collections.abc import Sequence
from html import escape
from pathlib import Path

from .printable import visible

MARKUP = re.compile(r"([\\`*_{}\[\]<>()#+!|~&:@-])")
BACKTICKS = re.compile(r"`+")
MOST_CHARACTERS = 300  # of one text
MOST_ROWS = 100  # of a table: the pages of CI services have limits
MOST_PREFORMATTED = 20_000


class MarkdownSummary:
    """One section of a summary. Ids, messages and names show as they are, and never as markup.

    Args:
        heading: Its heading.
    """

    def __init__(self, heading: str) -> None:
        self._blocks = [f"### {_escaped(heading)}"]

    def paragraph(self, text: str, command: str | None = None) -> None:
        """Add a sentence, and a command as code."""
        self._blocks.append(_escaped(text) + ("" if command is None else f" {_code(command)}"))

    def heading(self, text: str) -> None:
        """Begin a part."""
        self._blocks.append(f"#### {_escaped(text)}")

    def tasks(self, texts: Sequence[str]) -> None:
        """Add a list of tasks to tick off."""
        if texts:
            self._blocks.append("\n".join(f"- [ ] {_escaped(text)}" for text in texts))

    def table(self, head: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
        """Add a table, with its first rows if there are very many."""
        if not rows:
            return
        lines = [head, *rows[:MOST_ROWS]]
        texts = [f"| {' | '.join(map(_escaped, line))} |" for line in lines]
        texts.insert(1, "|" + " - |" * len(head))
        self._blocks.append("\n".join(texts))
        if len(rows) > MOST_ROWS:
            self._blocks.append(f"and {len(rows) - MOST_ROWS:,} more")

    def details(self, title: str, text: str) -> None:
        """Add a text that shows, as it is, when its title is opened."""
        body = visible(text, keep="\n\t")[:MOST_PREFORMATTED]
        fence = "`" * max(3, _longest_fence(body) + 1)
        summary = escape(_line(title), quote=False)
        self._blocks.append(f"<details><summary>{summary}</summary>\n\n{fence}text\n{body}\n{fence}\n\n</details>")

    def text(self) -> str:
        """All of it."""
        return "\n\n".join(self._blocks) + "\n"

    def append_to(self, file: Path) -> None:
        """Append it to a file, which the steps of a job share.

        Raises:
            OSError: The file cannot be written.
        """
        file.parent.mkdir(parents=True, exist_ok=True)
        with file.open("a", encoding="utf-8") as out:
            out.write(("\n" if out.tell() else "") + self.text())


def _line(text: str) -> str:
    return visible(" ".join(text.split()))


def _escaped(text: str) -> str:
    line = _line(text)
    return MARKUP.sub(r"\\\1", line if len(line) <= MOST_CHARACTERS else line[:MOST_CHARACTERS] + "…")


def _code(text: str) -> str:
    line = _line(text)
    fence = "`" * (_longest_fence(line) + 1)
    space = " " if line.startswith("`") or line.endswith("`") else ""
    return f"{fence}{space}{line}{space}{fence}"


def _longest_fence(text: str) -> int:
    return max((len(found) for found in BACKTICKS.findall(text)), default=0)
