"""Options and parameter types that commands share, and what they mean."""
