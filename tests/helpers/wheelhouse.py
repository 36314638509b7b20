"""Wheels of what is installed here, made from its files: tests install it elsewhere without a package index."""

from __future__ import annotations

import re
import sysconfig
import zipfile
from collections.abc import Iterable, Iterator
from importlib.metadata import Distribution, PackagePath, distribution, distributions
from pathlib import Path

from packaging.requirements import Requirement

# What an installer adds to the files of a wheel.
ADDED = {"INSTALLER", "RECORD", "REQUESTED", "direct_url.json", "uv_cache.json"}


def wheelhouse(folder: Path, wheel: Path, extras: Iterable[str]) -> Path:
    """Put wheels of everything that a wheel with these extras needs into a folder; the folder."""
    (own,) = distributions(path=[str(wheel)])
    for needed in closure(own, extras):
        rebuild(needed, folder)
    return folder


def closure(own: Distribution, extras: Iterable[str]) -> list[Distribution]:
    """The installed distributions that one needs, with these extras, and those that they need."""
    found: dict[str, Distribution] = {}
    waiting = list(requirements(own, extras))
    done = set()
    while waiting:
        requirement = waiting.pop()
        if str(requirement) not in done:
            done.add(str(requirement))
            needed = found.setdefault(requirement.name.lower(), distribution(requirement.name))
            waiting += requirements(needed, requirement.extras)
    return list(found.values())


def requirements(of: Distribution, extras: Iterable[str]) -> Iterator[Requirement]:
    """What a distribution requires here, with these extras."""
    for text in of.requires or ():
        requirement = Requirement(text)
        marker = requirement.marker
        if marker is None or any(marker.evaluate({"extra": extra}) for extra in ("", *extras)):
            yield requirement


def rebuild(installed: Distribution, folder: Path) -> Path:
    """Make the wheel again that a distribution was installed from; its path."""
    name = f"{re.sub(r'[-_.]+', '_', installed.metadata['Name'])}-{installed.version}"
    tags = re.findall(r"(?m)^Tag: *(\S+)-(\S+)-(\S+)$", installed.read_text("WHEEL") or "")
    tag = "-".join(".".join(dict.fromkeys(column)) for column in zip(*tags, strict=True))
    wheel = folder / f"{name}-{tag}.whl"
    generated = {entry.name for entry in installed.entry_points if entry.group.endswith("_scripts")}
    record = []
    with zipfile.ZipFile(wheel, "w") as archive:  # without compression, which would take most of the time
        for file in installed.files or ():
            if file.suffix == ".pyc" or file.name in ADDED or (file.parts[0] == ".." and file.name in generated):
                continue
            place = f"{name}.data/scripts/{file.name}" if _is_script(file) else file.as_posix()
            archive.write(str(file.locate()), place)
            record.append(f'"{place}",{file.hash.mode}={file.hash.value},{file.size}' if file.hash else f'"{place}",,')
        metadata = next(file.parent for file in installed.files or () if file.name == "METADATA").as_posix()
        archive.writestr(f"{metadata}/RECORD", "\n".join([*record, f'"{metadata}/RECORD",,', ""]))
    return wheel


def _is_script(file: PackagePath) -> bool:
    return Path(str(file.locate())).resolve().parent == Path(sysconfig.get_path("scripts")).resolve()
