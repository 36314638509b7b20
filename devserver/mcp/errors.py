"""The errors of `devserver mcp`."""

from __future__ import annotations

from ..errors import DevServerError, OptionError


class McpMissing(DevServerError):
    """The `mcp` package is not installed."""


class McpAddressRefused(OptionError):
    """The MCP server would be reachable from other machines, or from any program with the right to change things."""


class ToolRefused(DevServerError):
    """A client asked for something that it is not allowed to do, or with arguments that the tool does not take."""


class ToolFailed(DevServerError):
    """The command behind a tool failed; the message is what it printed."""
