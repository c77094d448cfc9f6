"""The user's function: its arguments, its context, and what becomes of what it returns or raises."""
