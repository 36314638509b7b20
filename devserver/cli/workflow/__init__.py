"""Commands for workflows: `devserver workflow start|signal|query|update|trace|search|stuck`."""
