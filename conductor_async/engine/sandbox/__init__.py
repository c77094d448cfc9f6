"""Runs what a definition can compute in child processes, with limits of time and memory."""
