"""Gets, verifies and manages a real Temporal dev server."""
