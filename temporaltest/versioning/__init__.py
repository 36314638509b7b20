"""Worker Versioning in tests."""
