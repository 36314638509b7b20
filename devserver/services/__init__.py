"""Services of the operating system that start a server at login: a systemd user unit, or a launchd agent."""
