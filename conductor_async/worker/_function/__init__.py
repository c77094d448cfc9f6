"""The user's function: binding its arguments, calling it, and making results of what it returns or raises."""
