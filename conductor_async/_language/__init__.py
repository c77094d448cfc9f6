"""Conductor's language, shared by the client's tower and the server's: expressions, durations, positions of tasks. No I/O."""
