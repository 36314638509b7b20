"""A small shop whose orders are workflows."""
