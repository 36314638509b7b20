"""Hooks of mkdocs: the generated pages of the site, links that leave docs/, and llms.txt.

The pages in docs/ are also read on GitHub, on the package index and by `devserver docs`, so their links are those of
a checkout. On the site, links to README and CHANGELOG lead to the pages made of them, and links to other files lead to
the repository that `[project.urls]` names as Source.
"""

from __future__ import annotations

import posixpath
import re
import shutil
import sys
from pathlib import Path
from typing import Any

from mkdocs.structure.files import File, Files
from mkdocs.structure.nav import Navigation, Section
from mkdocs.structure.pages import Page

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))  # mkdocs loads this file by its path

from scripts.site_pages import messages_page, options_page  # noqa: E402

LINK = re.compile(r"(\]\()([^)\s]+)(\))")
FENCED = re.compile(r"(?ms)(^```.*?^```$)")
PAGES_OF_FILES = {"README.md": "index.md", "CHANGELOG.md": "changes.md"}
API = (
    *(
        f"devserver.{name}"
        for name in ("client", "history", "otel", "outages", "payloads", "rehearsal", "replay", "schedules")
    ),
    "devserver",
    "temporaltest",
)
SOURCE = re.compile(r'(?m)^Source = "(.*)"$')
FIRST_SENTENCE = re.compile(r"(?s)(?:\A|\n\n)(?=[A-Z`*\[])((?:`[^`]*`|[^.?:`]|[.?:](?!\s|$))*[.?:])(?=\s|$)")


def on_files(files: Files, config: Any) -> Files:
    """Add the generated pages."""
    made = {page: (ROOT / file).read_text(encoding="utf-8") for file, page in PAGES_OF_FILES.items()}
    made |= {f"api/{name}.md": _api_page(name) for name in API}
    made |= {"options.md": options_page(), "messages.md": messages_page(ROOT)}
    for path, text in made.items():
        files.append(File.generated(config, path, content=text))
    for schema in sorted((ROOT / "devserver" / "schemas").glob("*.schema.json")):
        files.append(File.generated(config, f"schemas/{schema.name}", abs_src_path=str(schema)))
    return files


def on_page_markdown(markdown: str, page: Page, config: Any, files: Files) -> str:
    """Links of a checkout as links of the site."""
    path = page.file.src_uri
    folder = dict.fromkeys(PAGES_OF_FILES.values(), "").get(path, "docs")
    pieces = FENCED.split(markdown)
    pieces[::2] = [
        LINK.sub(lambda link: link[1] + site_link(link[2], folder) + link[3], piece) for piece in pieces[::2]
    ]
    return "".join(pieces)


def site_link(target: str, folder: str) -> str:
    """The link on the site for one in a file of `folder`, relative to the root of the site."""
    if re.match(r"[a-z][a-z0-9+.-]*:|#", target):
        return target
    path, hash_sign, heading = target.partition("#")
    file = posixpath.normpath(posixpath.join(folder, path))
    if file in PAGES_OF_FILES:
        return f"{PAGES_OF_FILES[file]}{hash_sign}{heading}"
    if file.startswith("docs/"):
        return f"{file.removeprefix('docs/')}{hash_sign}{heading}"
    if folder == "docs" and not path.startswith("../"):
        return target
    if not (ROOT / file).exists():
        return target  # mkdocs reports it
    kind = "tree" if (ROOT / file).is_dir() else "blob"
    return f"{_source()}/{kind}/main/{file}{hash_sign}{heading}"


def on_nav(nav: Navigation, config: Any, files: Files) -> Navigation:
    """Remember the order of the pages."""
    config["extra"]["llms"] = nav
    return nav


def on_post_build(config: Any) -> None:
    """Write llms.txt (https://llmstxt.org), and each page as Markdown next to its HTML."""
    site = Path(config["site_dir"])
    lines = [f"# {config['site_name']}", "", f"> {config['site_description']}.", ""]
    for item in config["extra"]["llms"].items:
        pages = [item] if isinstance(item, Page) else list(_pages(item))
        lines += [f"## {item.title}", "", *(_line(page, site) for page in pages), ""]
    (site / "llms.txt").write_text("\n".join(lines).rstrip() + "\n", encoding="utf-8")
    shutil.rmtree(site / "__pycache__", ignore_errors=True)


def _pages(section: Section) -> list[Page]:
    found: list[Page] = []
    for child in section.children:
        found += _pages(child) if isinstance(child, Section) else [child] if isinstance(child, Page) else []
    return found


def _line(page: Page, site: Path) -> str:
    path = page.file.src_uri
    text = page.markdown or ""
    about = _about(text)
    if path.startswith("api/"):  # its Markdown only names the module
        about, path = f"The API of {page.title}.", page.file.dest_uri
    else:
        (site / path).write_text(text, encoding="utf-8")
    return f"- [{page.title}]({path})" + (f": {about}" if about else "")


def _about(text: str) -> str:
    """The first sentence of a page, without its links."""
    prose = re.sub(r"(?m)^(#|!\[|\||- ).*$", "", FENCED.sub("", text))
    sentence = FIRST_SENTENCE.search(prose)
    plain = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", sentence[1]) if sentence else ""
    return re.sub(":$", ".", " ".join(plain.split()))


def _api_page(name: str) -> str:
    return f"# {name}\n\n::: {name}\n"


def _source() -> str:
    found = SOURCE.search((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert found is not None
    return found[1]
