"""An incompatible build of `steps`: it waits before its first step."""

from __future__ import annotations

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from steps import step  # type: ignore[import-not-found]

__all__ = ["Sure", "step"]


@workflow.defn
class Sure:
    """Start with another command."""

    @workflow.run
    async def run(self) -> list[str]:
        """Return nothing."""
        await workflow.sleep(1)
        return []
