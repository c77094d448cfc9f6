"""Rows: how each kind of task makes them, and how they are stamped, scheduled and queued."""
