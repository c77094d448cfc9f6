"""Asking for tasks: when, how many, and what to do about answers that never came."""
