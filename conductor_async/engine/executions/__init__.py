"""What happens to whole executions: they start, end, are paused, retried, restarted, rerun."""
