"""What the client and the engine both know of Conductor's language. No I/O; imports only `models` and `errors`.

`expressions` finds `${…}` in strings, and `templates` the strings of a task that may have them. `positions` says which
tasks can have run before another, `task_rules` what each task type needs. `wait_times` reads the times of a WAIT.
`names`, `statuses` and `return_strategies` have the smaller facts.
"""
