"""What is done for the tasks in hand while they run: leases, and a look at whether they are still wanted."""
