"""Tasks in flight: polled, and the server does not have their results yet. What is done for them meanwhile."""
