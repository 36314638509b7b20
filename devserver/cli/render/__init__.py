"""Text for terminals: tables, trees, live views, and the JSON forms of docs/json.md."""
