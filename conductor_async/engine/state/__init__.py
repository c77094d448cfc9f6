"""What an engine keeps: definitions in compiled form, executions, tasks, queues, timers."""
