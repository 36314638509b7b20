"""The SDKs of Temporal: how they call themselves, and their words for what advice is about."""

from __future__ import annotations

from typing import Literal, get_args

SdkName = Literal["python", "go", "java", "typescript", "dotnet", "ruby", "php"]
ANY_GUARD = "your SDK's patching or versioning"
# What keeps old code for workflows that have passed it.
GUARDS: dict[SdkName, str] = {
    "python": "workflow.patched",
    "go": "workflow.GetVersion",
    "java": "Workflow.getVersion",
    "typescript": "patched()",
    "dotnet": "Workflow.Patched",
    "ruby": "Temporalio::Workflow.patched",
    "php": "Workflow::getVersion",
}


def sdk_named(text: str) -> SdkName | None:
    """The SDK of a name as workers send it: `temporal-go`, `GoSDK`; None for any other text."""
    plain = text.lower().removeprefix("temporal-").removesuffix("sdk")
    return next((name for name in get_args(SdkName) if name == plain), None)


def guard_of(sdk: SdkName | None) -> str:
    """The SDK's word for keeping old code for old workflows."""
    return GUARDS[sdk] if sdk is not None else ANY_GUARD
