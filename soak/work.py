"""The workflow that receives signals; in a module of its own, which `devserver run` and the workers import."""

from __future__ import annotations

from temporalio import workflow

TASK_QUEUE = "soak"


@workflow.defn(name="Collect")
class Collect:
    """Collects what it is told, until it is told to end."""

    def __init__(self) -> None:
        self.told: list[str] = []
        self.ended = False

    @workflow.run
    async def run(self) -> list[str]:
        """Return everything that was told."""
        await workflow.wait_condition(lambda: self.ended)
        return self.told

    @workflow.signal
    def tell(self, word: str) -> None:
        """Keep a word."""
        self.told.append(word)

    @workflow.signal
    def end(self) -> None:
        """End."""
        self.ended = True
