"""The form of JSON documents: one number for commands, reports, pages and the library (docs/json.md)."""

FORM = 1  # a change that breaks readers of any document counts it up; within one form, keys are only added
