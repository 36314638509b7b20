"""Measures against the stock tools in one run and prints ratios: `make bench`."""
