"""The options of a server, the user's settings, and the dynamic configurations by name."""
