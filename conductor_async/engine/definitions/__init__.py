"""Definitions: filled with defaults, checked, and registered."""
