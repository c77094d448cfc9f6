"""What happens inside an execution: what is next, tasks that are handed out, reported, timed out, retried."""
