"""Commands for the Temporal CLI's executable: `devserver binary install|list|prune`."""
