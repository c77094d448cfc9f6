"""The tasks that the engine runs itself, one module for each family, named like those of `workflow/tasks`."""
