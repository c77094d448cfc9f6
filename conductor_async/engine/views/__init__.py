"""What of the state goes over the wire: whole executions, summaries, search results."""
