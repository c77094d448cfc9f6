"""What searches find: summaries of executions and tasks, and the queries over them."""
