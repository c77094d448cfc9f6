"""Results on their way to the server, until it has them."""
