"""The templates of projects: which examples each is made from, and what it adds to them.

The examples are the only source of their code. The folder `files` has what makes a project of them: for each template
the files in the folder of its name, and those of `common` unless the example is a whole project.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from ..system.packaged import packaged

FILES = Path(__file__).with_name("files")
SUFFIX = ".j2"
IGNORED = frozenset({"__pycache__", ".pytest_cache"})


@dataclass(frozen=True)
class Template:
    """A template.

    Attributes:
        name: Its name.
        line: What it is, for --help.
        examples: Its parts below the examples: files of one folder, or a folder.
        whole: Whether the example is a whole project, to which nothing is added.
        dependencies: What its code needs in production.
        pytest: Further lines of its pytest settings.
        try_it: Commands to show after it was written.
    """

    name: str
    line: str
    examples: tuple[str, ...]
    whole: bool = False
    dependencies: tuple[str, ...] = ("temporalio",)
    pytest: Mapping[str, str] = field(default_factory=dict)
    try_it: tuple[str, ...] = ()

    def sources(self) -> Iterator[tuple[str, Path]]:
        """The files of a project: the path in the project, and the file that it is made from."""
        root = packaged("examples")
        for part in self.examples:
            source = root / part
            if source.is_dir():
                yield from _below(source)
            else:
                yield source.name, source
        if not self.whole:
            yield from _below(FILES / "common")
            yield from _below(FILES / self.name)

    @property
    def modules(self) -> tuple[str, ...]:
        """The files of its code."""
        return tuple(Path(part).name for part in self.examples)


def _below(folder: Path) -> Iterator[tuple[str, Path]]:
    for file in sorted(folder.rglob("*")):
        if file.is_file() and not IGNORED & set(file.parts):
            yield file.relative_to(folder).as_posix().removesuffix(SUFFIX), file


_ALL = (
    Template(
        "hello",
        "A workflow with one activity, and its tests.",
        ("hello.py",),
        try_it=("pytest", "devserver up -d", "python hello.py", "devserver ui"),
    ),
    Template(
        "orders",
        "Orders: retries, a child workflow, a signal, a query and an update.",
        ("orders.py",),
        try_it=(
            "pytest",
            "devserver up -d",
            "devserver run orders.py &",
            "devserver workflow start orders.py:Order --name Ada --amount 3 --wait",
        ),
    ),
    Template(
        "shop",
        "A package with a worker, recorded histories and CI.",
        ("shop",),
        whole=True,
        try_it=("pytest", "pytest --temporal-replay-from tests/histories", "devserver up -d", "python -m shop.worker"),
    ),
    Template(
        "rehearsal",
        "A runbook, and scenarios of outages that it survives.",
        tuple(
            f"rehearsals/{name}.py"
            for name in ("ring", "ring_runbook", "ring_runbook_bug", "scale_up", "scale_up_bug", "scale_up_by_hand")
        ),
        dependencies=("temporalio", "temporal-devserver"),
        pytest={"testpaths": '["scale_up.py"]', "temporal_rehearsal_files": '["scale_up.py"]'},
        try_it=("pytest", "devserver rehearse scale_up.py", "devserver rehearse scale_up_bug.py --report out"),
    ),
    Template(
        "gamedays",
        "Incidents with hidden faults for people to practise.",
        tuple(
            f"gamedays/{name}.py"
            for name in (
                *("cluster", "cluster_runbook", "imports", "imports_runbook"),
                *("payouts", "payouts_next", "payouts_runbook"),
            )
        ),
        dependencies=("temporalio", "temporal-devserver"),
        try_it=("pytest", "devserver gameday imports.py"),
    ),
    Template(
        "cluster",
        "Runbooks that recover a real Temporal cluster.",
        tuple(
            f"clusters/{name}.py" for name in ("history_dies", "history_runbook", "rolling_restart", "rolling_runbook")
        ),
        dependencies=("temporalio", "temporal-devserver"),
        try_it=("pytest", "devserver cluster build", "devserver rehearse history_dies.py"),
    ),
    Template(
        "examples",
        "All examples of the README and the docs.",
        ("",),
        whole=True,
        try_it=("devserver up -d", "python examples/hello.py"),
    ),
)
TEMPLATES: Mapping[str, Template] = {template.name: template for template in _ALL}
