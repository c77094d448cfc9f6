"""Asking the server for tasks: when, for how many, and what to do about responses that never arrived."""
