"""What separates tests: the session's server, a namespace per test, and the checks and clean-up after each test."""
