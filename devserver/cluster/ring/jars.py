"""Cassandra's jars: those of `CASSANDRA_HOME`, or fetched with Maven, checked against pinned hashes and cached."""

from __future__ import annotations

import hashlib
import os
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...system.parent_death import bound_to_parent
from ...system.paths import Paths, which, whole
from ...system.progress import Reporter
from ..errors import CassandraMissing
from ..preparation import made_once, run_program
from .known_jars import HASHES, VERSION

VARIABLE = "CASSANDRA_HOME"
JAVAS = (11, 17)
JARS_A_NOTE = 25
LOCK_SECONDS = 900.0
JAVA_SECONDS = 60.0
COST = "66 MB"
MAIN = ("cassandra-all-*.jar", "apache-cassandra-*.jar")  # of Maven, of Apache's archive
POM = f"""<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>devserver</groupId><artifactId>cassandra</artifactId><version>1</version><packaging>pom</packaging>
  <dependencies><dependency>
    <groupId>org.apache.cassandra</groupId><artifactId>cassandra-all</artifactId><version>{VERSION}</version>
  </dependency></dependencies>
</project>
"""


@dataclass(frozen=True)
class CassandraPrograms:
    """What a node needs: Java, and the folder of Cassandra's jars."""

    java: str
    folder: Path
    version: str

    @property
    def class_path(self) -> str:
        """The jars, always in the same order. Java shares no classes where a folder is in a class path."""
        return ":".join(map(str, sorted(self.folder.glob("*.jar"))))

    def to_json(self) -> dict[str, str]:
        """Its attributes by name."""
        return {"java": self.java, "folder": str(self.folder), "version": self.version}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> CassandraPrograms:
        """What `to_json` wrote."""
        return cls(data["java"], Path(data["folder"]), data["version"])


def find(paths: Paths, reporter: Reporter, *, offline: bool = False) -> CassandraPrograms:
    """Java and Cassandra's jars, which are fetched if they are not there.

    Maven fetches them as it is configured to (settings.xml); with `offline` it takes what is in its cache.

    Raises:
        CassandraMissing: Java or the jars are not on this machine, and cannot be fetched.
    """
    found = java()
    given = os.environ.get(VARIABLE)
    if given:
        folder = whole(Path(given)) / "lib"
        return CassandraPrograms(found, folder, _version(folder))
    return CassandraPrograms(found, _fetched(paths, reporter, offline=offline), VERSION)


def java() -> str:
    """The `java` of JAVA_HOME, or of PATH.

    Raises:
        CassandraMissing: There is none, or it has a version that Cassandra does not run on.
    """
    hint = "install it (Debian: apt-get install openjdk-17-jre-headless), or set JAVA_HOME"
    home = os.environ.get("JAVA_HOME")
    path = str(whole(Path(home)) / "bin" / "java") if home else which("java")
    if path is None or not os.access(path, os.X_OK):
        raise CassandraMissing(
            f"Cassandra needs Java {' or '.join(map(str, JAVAS))}, and there is none on this machine",
            details=[f"looked for {path}" if path else "looked for java on PATH; JAVA_HOME is not set"],
            hint=hint,
        )
    said = _run([path, "-version"], JAVA_SECONDS)
    number = said.partition('"')[2].partition('"')[0].partition(".")[0]
    if number not in map(str, JAVAS):
        raise CassandraMissing(
            f"Cassandra {VERSION} runs on Java {' or '.join(map(str, JAVAS))}, not on {number or 'this'}",
            details=[path, *said.splitlines()[:1]],
            hint=hint,
        )
    return path


def _version(folder: Path) -> str:
    found = [jar for pattern in MAIN for jar in folder.glob(pattern)]
    if not found:
        raise CassandraMissing(
            f"{VARIABLE} has no Cassandra: there is no {MAIN[1]} in {folder}",
            hint=f"set it to the folder of an unpacked Cassandra 5.0, or unset it: Maven fetches {VERSION} then",
        )
    return found[0].stem.rpartition("-")[2]


def _fetched(paths: Paths, reporter: Reporter, *, offline: bool) -> Path:
    target = paths.cache / "cluster" / f"cassandra-{VERSION}"

    def fetch(work: Path) -> None:
        _fetch(work, reporter, offline=offline)

    return made_once(target, fetch, lock="cassandra.lock", limit=LOCK_SECONDS, doing="fetching Cassandra")


def _fetch(work: Path, reporter: Reporter, *, offline: bool) -> None:
    maven = which("mvn")
    if maven is None:
        raise CassandraMissing(
            f"Cassandra {VERSION} is not on this machine, and Maven, which fetches it, is not on PATH",
            hint=f"install Maven (Debian: apt-get install maven), or set {VARIABLE} to the folder of a Cassandra",
        )
    reporter.note(f"fetching Cassandra {VERSION} with Maven: {COST} (once) ...")
    (work / "pom.xml").write_text(POM)
    words = [maven, "-B", "-C", *(["-o"] if offline else []), "-f", str(work / "pom.xml")]
    _maven([*words, "dependency:copy-dependencies", f"-DoutputDirectory={work}"], reporter)
    (work / "pom.xml").unlink()
    wrong = [name for name, wanted in HASHES.items() if _hash(work / name) != wanted]
    if wrong:
        raise CassandraMissing(
            f"{len(wrong)} of the {len(HASHES)} jars that Maven fetched are missing or not the pinned ones",
            details=sorted(wrong)[:5],
            hint="remove them from Maven's cache (~/.m2/repository), or see where its settings.xml fetches from",
        )


def _maven(words: Sequence[str], reporter: Reporter) -> None:
    count = 0
    last: list[str] = []
    process = subprocess.Popen(
        bound_to_parent(list(words)),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    )
    with process:
        try:
            for line in process.stdout or ():
                if "Downloaded from" in line and ".jar " in line:
                    count += 1
                    if count % JARS_A_NOTE == 0:
                        reporter.note(f"fetched {count} jars")
                elif "ERROR" in line:
                    last = [*last, line.strip()][:6]
        except BaseException:
            process.kill()
            raise
    if process.returncode:
        raise CassandraMissing(
            f"Maven cannot fetch Cassandra {VERSION} (exit code {process.returncode})",
            details=last,
            hint="see where it fetches from in its settings.xml, and start again",
        )


def _hash(path: Path) -> str | None:
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError:
        return None


def _run(words: Sequence[str], limit: float) -> str:
    try:
        return run_program(words, limit=limit).stdout
    except (OSError, subprocess.TimeoutExpired) as error:
        raise CassandraMissing(f"cannot run {words[0]}", details=[str(error)]) from error
