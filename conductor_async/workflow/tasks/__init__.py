"""The task types, a module for each family. Users import them from `conductor_async.tasks`."""
