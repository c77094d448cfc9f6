"""What happens inside an execution: decisions, polls, reports, timeouts, retries, the end.

Read it in this order: `loop` decides until nothing changes, `decide` finds what follows, `work` and `system_tasks` are
what the engine does on its own, `polling` and `results` are the two ends of a worker's task, `ending` is the end.
"""
