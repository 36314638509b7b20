"""Workers in tests: background loop, sandbox, limits of waits, ending what does not end."""
