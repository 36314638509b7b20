"""The command line: one file per command, named as the command; the only code that prints or exits."""
