"""A model as arrays: compile, freeze, solve, duals, explain."""
