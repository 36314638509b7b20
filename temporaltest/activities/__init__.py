"""Activities in tests: mocks, scripts, and the calls that were made."""
