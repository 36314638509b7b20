"""An MCP server: agents and editors call commands of ours as tools (Model Context Protocol)."""
