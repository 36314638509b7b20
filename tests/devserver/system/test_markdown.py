"""Summaries in Markdown: texts of others show as they are."""

from __future__ import annotations

from pathlib import Path

from devserver import MarkdownSummary


def written(summary: MarkdownSummary, folder: Path) -> str:
    """What a summary appends to an empty file."""
    file = folder / "new" / "summary.md"
    summary.append_to(file)
    return file.read_text()


def test_texts_of_others_are_no_markup(tmp_path: Path) -> None:
    """Markup, HTML, mentions and control characters of a name show as characters."""
    summary = MarkdownSummary("<b>x</b>")
    summary.table(("name",), [("a|b\n[c](d) @ann *e* \x1b[31m <script>",)])
    summary.paragraph("Run it again:", "run `it`")
    summary.details("<i>", "a\n```\nb</details>")
    text = written(summary, tmp_path)
    assert text.startswith("### \\<b\\>x\\</b\\>\n")
    assert r"| a\|b \[c\]\(d\) \@ann \*e\* ?\[31m \<script\> |" in text
    assert "Run it again\\: `` run `it` ``" in text
    assert "<summary>&lt;i&gt;</summary>\n\n````text\na\n```\nb</details>\n````\n" in text


def test_sections_follow_one_another(tmp_path: Path) -> None:
    """A second step appends to what the first one has written."""
    for name in ("one", "two"):
        MarkdownSummary(name).append_to(tmp_path / "summary.md")
    assert (tmp_path / "summary.md").read_text() == "### one\n\n### two\n"


def test_long_tables_are_cut(tmp_path: Path) -> None:
    """Thousands of failures do not exceed what a CI service shows."""
    summary = MarkdownSummary("many")
    summary.table(("name",), [(f"test_{number}",) for number in range(5000)])
    text = written(summary, tmp_path)
    assert text.count("\n") < 120
    assert text.endswith("and 4,900 more\n")
