"""What an engine remembers: executions, queues, timers."""
