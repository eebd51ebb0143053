"""Runs are killed at random moments, and what was lost is counted: `make torture`."""
