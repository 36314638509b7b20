"""What the build adds: a README whose links work on the package index, and the docs and examples in the wheel.

The links lead to the files of the released version in the repository that `[project.urls]` names as Source.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

LINK = re.compile(r"(?P<image>!?)(?P<text>\[(?:[^\[\]]|!\[[^\]]*\]\([^)]*\))*\])\((?P<target>[^)\s]+)\)")
IGNORED = {"__pycache__", ".pytest_cache", ".mypy_cache", ".ruff_cache"}
FENCED = re.compile(r"(?ms)^```.*?^```$")


def absolute(text: str, source: str, version: str, root: Path) -> str:
    """Markdown with absolute links.

    Args:
        text: The Markdown.
        source: The URL of the repository.
        version: The released version; its tag is `v` and the version.
        root: The folder that the links are relative to.

    Raises:
        ValueError: A link leads to a file that does not exist.
    """

    def link(match: re.Match[str]) -> str:
        inner = LINK.sub(link, match["text"][1:-1])
        target = match["target"]
        if not re.match(r"[a-z][a-z0-9+.-]*:|#", target):
            path, hash_sign, heading = target.partition("#")
            if not (root / path).exists():
                raise ValueError(f"README.md links to {target}, which does not exist")
            kind = "raw" if match["image"] else "tree" if (root / path).is_dir() else "blob"
            target = f"{source}/{kind}/v{version}/{path}{hash_sign}{heading}"
        return f"{match['image']}[{inner}]({target})"

    start, pieces = 0, []
    for block in FENCED.finditer(text):
        pieces += [LINK.sub(link, text[start : block.start()]), block.group()]
        start = block.end()
    return "".join([*pieces, LINK.sub(link, text[start:])])


def packaged(root: Path) -> dict[str, str]:
    """What `devserver docs` and `devserver new` read: file -> its place in the wheel."""
    examples = [file for file in (root / "examples").rglob("*") if file.is_file() and not IGNORED & set(file.parts)]
    files = sorted([*(root / "docs").rglob("*.md"), *examples])
    return {str(file): f"devserver/{file.relative_to(root).as_posix()}" for file in files}


def get_build_hook() -> type[Any]:
    """The hook that adds files to the wheel; only the build backend has its base class."""
    from hatchling.builders.hooks.plugin.interface import BuildHookInterface

    class PackagedFiles(BuildHookInterface[Any]):
        """Adds the docs and the examples."""

        def initialize(self, version: str, build_data: dict[str, Any]) -> None:
            """Add them, except to an editable installation: it reads those of the checkout."""
            if version != "editable":
                build_data["force_include"].update(packaged(Path(self.root)))

    return PackagedFiles


def get_metadata_hook() -> type[Any]:
    """The hook that sets the field `readme`; only the build backend has its base class."""
    from hatchling.metadata.plugin.interface import MetadataHookInterface

    class ReadmeHook(MetadataHookInterface):
        """Sets the field `readme`."""

        def update(self, metadata: dict[str, Any]) -> None:
            """Set the field `readme` to the README with absolute links."""
            root = Path(self.root)
            text = (root / "README.md").read_text(encoding="utf-8")
            whole = absolute(text, metadata["urls"]["Source"], metadata["version"], root)
            metadata["readme"] = {"content-type": "text/markdown", "text": whole}

    return ReadmeHook
