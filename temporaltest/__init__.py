"""The pytest plugin on top of `devserver`."""
