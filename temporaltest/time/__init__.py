"""Virtual clocks of the test's workflows."""
