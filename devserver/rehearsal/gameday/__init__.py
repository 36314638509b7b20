"""Game days: rehearsals for people. Faults are hidden, a person works with the tools of the night, and is measured."""
