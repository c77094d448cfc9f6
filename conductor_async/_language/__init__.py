"""Conductor's language, which both towers share: expressions, durations, positions of tasks. No I/O."""
