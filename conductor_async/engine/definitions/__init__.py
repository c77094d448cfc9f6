"""Definitions: checked, filled with defaults, compiled, and registered."""
