"""Rehearsals as tests: the fixture `temporal_rehearsal`, and the collectors of files with scenarios."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, overload

import pytest

from .config import PluginConfig
from .errors import NotSupported, RehearsalFailed, as_outcome
from .isolation import pytest_run
from .reports import files

if TYPE_CHECKING:
    from devserver.rehearsal import RehearsalSettings, Result, Scenario

T = TypeVar("T")


class Rehearsals:
    """The value of the fixture `temporal_rehearsal`."""

    def __init__(self, config: PluginConfig, folder: Path, test: str) -> None:
        self._config = config
        self._folder = folder
        self._test = test

    @overload
    def __call__(self, what: Scenario, *, seed: int | None = None, must_pass: bool = True) -> Result: ...

    @overload
    def __call__(self, what: str | Path, *, seed: int | None = None, must_pass: bool = True) -> list[Result]: ...

    def __call__(
        self, what: Scenario | str | Path, *, seed: int | None = None, must_pass: bool = True
    ) -> Result | list[Result]:
        """Run a scenario on a server of its own, or all scenarios of a file or folder (relative to the test's folder).

        The test fails unless all pass; with `must_pass=False` the test judges the results itself.

        Raises:
            RehearsalFailed: A rehearsal failed, or a planned step did not happen; says which.
            devserver.DevServerError: A rehearsal could not run; says why.
        """
        from devserver.rehearsal import scenarios_in

        many = isinstance(what, (str, Path))
        scenarios = scenarios_in([self._folder / what]) if isinstance(what, (str, Path)) else [what]
        with as_outcome():
            results = run_rehearsals(scenarios, self._config, self._test, seed)
            if must_pass:
                require(results)
        return results if many else results[0]


def run_rehearsals(
    scenarios: Sequence[Scenario], config: PluginConfig, test: str, seed: int | None = None
) -> list[Result]:
    """Run rehearsals one after the other, and write a report if the configuration asks for one.

    Raises:
        NotSupported: The backend of this test run has no servers to break.
    """
    from devserver.rehearsal import rehearse, report

    if config.backend != "managed":
        raise NotSupported(f"rehearsals need the managed backend: the {config.backend} backend has no server to break")

    async def all_() -> list[Result]:
        return [await rehearse(scenario, _settings(config, seed)) for scenario in scenarios]

    results = _run(all_)
    if config.report is not None:
        report.write(results, config.report / files.file_name(files.test_id(test)))
    return results


def require(results: Iterable[Result]) -> None:
    """Fail unless all rehearsals passed.

    Raises:
        RehearsalFailed: One did not.
    """
    problems = ["\n".join(_told(result)) for result in results if result.verdict != "pass"]
    if problems:
        raise RehearsalFailed("\n".join(problems))


def _told(result: Result) -> list[str]:
    lines = [f"the rehearsal {result.name!r}: {result.verdict}"]
    for judgement in result.judgements:
        if judgement.verdict != "pass":
            lines.append(f"  {judgement.verdict}: {judgement.name}: {judgement.evidence}")
            lines += [f"    {line}" for line in judgement.details if line not in judgement.evidence]
    for step in result.run.steps if result.run else ():
        when = "never" if step.at is None else f"at {step.at:.3f} s"
        lines.append(f"  {when}: {step.step}" + (f" ({step.problem})" if step.problem else ""))
    return lines if len(lines) > 1 else [*lines, f"  {result.reason}"]


def _settings(config: PluginConfig, seed: int | None) -> RehearsalSettings:
    from devserver.rehearsal import RehearsalSettings

    server = config.server_options()
    return RehearsalSettings(server=server) if seed is None else RehearsalSettings(server=server, seed=seed)


def _run(work: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """Run in a new event loop: in this thread, so that Ctrl-C ends it, or in another if this one has a loop."""
    import asyncio  # only suites with rehearsals load it
    from concurrent.futures import ThreadPoolExecutor

    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(work())
    with ThreadPoolExecutor(1, thread_name_prefix="temporaltest-rehearsal") as thread:
        return thread.submit(lambda: asyncio.run(work())).result()


# Files with scenarios, collected


class RehearsalFile(pytest.File):
    """A file with scenarios."""

    def collect(self) -> Iterable[pytest.Item]:
        """One test per scenario."""
        from devserver import DevServerError
        from devserver.rehearsal import scenarios_in

        try:
            scenarios = scenarios_in([self.path])
        except DevServerError as error:
            raise self.CollectError(str(error)) from None
        for scenario in scenarios:
            yield RehearsalItem.from_parent(self, name=scenario.name, scenario=scenario)


class RehearsalItem(pytest.Item):
    """One rehearsal."""

    def __init__(self, *, scenario: Scenario, **keywords: Any) -> None:
        super().__init__(**keywords)
        self._scenario = scenario

    def runtest(self) -> None:
        """Run the rehearsal."""
        with as_outcome():
            config = self.config.stash[pytest_run.SETTINGS]
            require(run_rehearsals([self._scenario], config, self.nodeid))

    def reportinfo(self) -> tuple[Path, int | None, str]:
        """The file and the name, for the report."""
        return self.path, None, self.name
